"""The ledger of a batch: one SQLite file, which any program may read while a batch runs.

Tables: ``item`` (a row for each request), ``picture`` (a row for each picture that was paid for), ``tally`` (items and
pictures of each state), ``meta`` (the version of this schema, and facts of the input). ``PRAGMA user_version`` is the
version too.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from flux_images._batch.input.prompts import BadLine
from flux_images._batch.ledger.records import Change, Item, Loaded, Picture, Tally
from flux_images._batch.ledger.states import FREE, SENT, UNSETTLED, WAITING
from flux_images._errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from flux_images._batch.input.request import Request

VERSION = 1
_UNSETTLED = ", ".join(f"'{state}'" for state in (*UNSETTLED, "refused", "unknown", "expired"))
_SCHEMA = f"""
CREATE TABLE item (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE COLLATE NOCASE,
    digest TEXT NOT NULL,
    line INTEGER NOT NULL,
    listed INTEGER NOT NULL,
    request TEXT NOT NULL,
    asked INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    request_id TEXT,
    task_id TEXT,
    changed REAL
);
CREATE INDEX item_waiting ON item (listed, no) WHERE state = 'waiting';
CREATE INDEX item_unsettled ON item (state, no) WHERE state IN ({_UNSETTLED});
CREATE TABLE picture (
    no INTEGER NOT NULL REFERENCES item,
    part INTEGER NOT NULL,
    address TEXT,
    file TEXT,
    sha256 TEXT,
    bytes INTEGER,
    width INTEGER,
    height INTEGER,
    media_type TEXT,
    saved INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    PRIMARY KEY (no, part)
) WITHOUT ROWID;
CREATE TABLE tally (state TEXT PRIMARY KEY, items INTEGER NOT NULL, pictures INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""
_TO_SEND = "SELECT count(*), coalesce(sum(asked), 0) FROM item WHERE state = 'waiting' AND listed = ?"
_CHUNK = 500
_NAMED = 1000
"""Bad lines that are kept to be shown; the others are counted."""


class Ledger:
    """The ledger in a file, made where there is none. Used by one thread at a time.

    Raises:
        ConfigurationError: the file is no ledger, or a newer version's.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        mode = "?mode=ro" if read_only else ""
        self.connection = sqlite3.connect(
            f"{path.resolve().as_uri()}{mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=30
        )
        try:
            self._prepare(read_only=read_only)
        except sqlite3.DatabaseError as error:
            self.connection.close()
            raise ConfigurationError(f"{path}: cannot be used as the ledger: {error}") from None
        self._reading = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=30
        )
        self.tally = Tally((state, (items, pictures)) for state, items, pictures in self._rows("SELECT * FROM tally"))

    def _prepare(self, *, read_only: bool) -> None:
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise ConfigurationError(f"{self.path}: was written by a newer version of flux-images; update it")
        if read_only:
            return
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -16000", "wal_autocheckpoint = 4000"):
            self.connection.execute(f"PRAGMA {pragma}")
        if not version:
            self.connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")

    def _rows(self, sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        return iter(self.connection.execute(sql, values))

    def _kept(self, sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """What is on the disk, whatever the writer is about."""
        return iter(self._reading.execute(sql, values))

    def meta(self, name: str) -> str | None:
        """A fact of the input."""
        return next((value for (value,) in self._rows("SELECT value FROM meta WHERE name = ?", name)), None)

    def load(
        self, rows: Iterable[Request | BadLine], facts: dict[str, str], *, skip_bad: bool = False, dry: bool = False
    ) -> Loaded:
        """Take requests in, all or none: with bad ones among them none, unless those are to be skipped.

        What is there already keeps its state. From then on the listed ones alone are sent. A dry load takes none.
        """
        self.connection.execute("BEGIN IMMEDIATE")
        before = dict(self.tally)
        try:
            loaded = self._take(rows, int(self.meta("listed") or 0) + 1, facts)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        if dry or (loaded.bad_count and not skip_bad):
            self.connection.execute("ROLLBACK")
            self.tally.restore(before)
        else:
            self.connection.execute("COMMIT")
        return loaded

    def _take(self, rows: Iterable[Request | BadLine], listed: int, facts: dict[str, str]) -> Loaded:
        repeated: dict[str, int] = {}
        rows_read, new, pictures, bad_count = 0, 0, 0, 0
        bad: list[BadLine] = []
        last = next(self._rows("SELECT coalesce(max(no), 0) FROM item"))[0]
        for row in rows:
            rows_read += 1
            added = row if isinstance(row, BadLine) else self._put(last + new + 1, row, listed, repeated)
            if isinstance(added, BadLine):
                bad_count += 1
                if bad_count <= _NAMED:
                    bad.append(added)
            elif added:
                new, pictures = new + 1, pictures + added
        self.tally.add(WAITING, new, pictures)
        self._write_tally([WAITING])
        self.set_meta({**facts, "listed": str(listed)})
        waiting, waiting_pictures = next(self._rows(_TO_SEND, listed))
        return Loaded(rows_read - bad_count, new, waiting, waiting_pictures, bad, bad_count)

    def _put(self, no: int, request: Request, listed: int, repeated: dict[str, int]) -> int | BadLine:
        """The pictures that a new request asks for; 0 for one that is there already.

        Without an id it is known by its content, and the second of the same content by its number too.
        """
        identity = request.id or request.digest[:16]
        if not request.id and request.digest in repeated:
            identity = self._next_of(request.digest, repeated)
        added = self._add(no, identity, request, listed)
        if added is None and not request.id and request.digest not in repeated:
            repeated[request.digest] = 1
            identity = self._next_of(request.digest, repeated)
            added = self._add(no, identity, request, listed)
        if added is None:
            return BadLine(request.line, self._clash(identity, listed))
        return request.asked if added else 0

    @staticmethod
    def _next_of(digest: str, repeated: dict[str, int]) -> str:
        repeated[digest] += 1
        return f"{digest[:16]}-{repeated[digest]}"

    def _add(self, no: int, identity: str, request: Request, listed: int) -> bool | None:
        """Whether it is new; None if another has its name."""
        done = self.connection.execute(
            "INSERT INTO item (no, id, digest, line, listed, request, asked) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET listed = excluded.listed, line = excluded.line "
            "WHERE digest = excluded.digest AND id = excluded.id COLLATE BINARY AND listed <> excluded.listed",
            (no, identity, request.digest, request.line, listed, request.text, request.asked),
        )
        return done.lastrowid == no if done.rowcount else None

    def _clash(self, identity: str, listed: int) -> str:
        name, line, other = next(self._rows("SELECT id, line, listed FROM item WHERE id = ?", identity))
        if name != identity:
            return f"id {identity!r} differs from {name!r} in capitals only, which some file systems don't tell apart"
        if other == listed:
            return f"id {identity!r} is that of line {line} too"
        return f"id {identity!r} was another request when this folder was made; give it another id, or use a new folder"

    def set_meta(self, facts: dict[str, str]) -> None:
        """Note facts of the input."""
        self.connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(facts.items()))

    def waiting(self, after: int) -> list[Item]:
        """The next requests to send, of those that were listed last."""
        return [
            Item(*row)
            for row in self._kept(
                "SELECT no, id, request, asked, state, task_id, request_id FROM item "
                "WHERE state = 'waiting' AND listed = ? AND no > ? ORDER BY no LIMIT ?",
                int(self.meta("listed") or 0),
                after,
                _CHUNK,
            )
        ]

    def to_send(self) -> tuple[int, int]:
        """How many requests, and pictures, ``waiting`` would give in all."""
        items, pictures = next(self._kept(_TO_SEND, int(self.meta("listed") or 0)))
        return items, pictures

    def listed(self) -> Loaded:
        """What the last load left to do."""
        return Loaded(self.tally.items_in_all, 0, *self.to_send(), [], 0)

    def reasons(self, most: int) -> list[tuple[str, str, int]]:
        """What went wrong, as (state, reason, how many), the most frequent first."""
        rows = self._kept(
            f"SELECT state, coalesce(reason, ''), count(*) FROM item WHERE state IN ({_UNSETTLED}) "  # noqa: S608 -- of our own names
            "AND reason IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC LIMIT ?",
            most,
        )
        return [(state, reason, count) for state, reason, count in rows]

    def of_state(self, state: str) -> list[tuple[Item, str | None]]:
        """The requests of one of the few states that need something, with the reason."""
        return [
            (Item(*row[:-1]), row[-1])
            for row in self._kept(
                "SELECT no, id, request, asked, state, task_id, request_id, reason FROM item "  # noqa: S608 -- the index's words
                f"WHERE state = ? AND state IN ({_UNSETTLED}) ORDER BY no",
                state,
            )
        ]

    def everything(self) -> Iterator[tuple[dict[str, Any], list[Picture]]]:
        """Each request, in order, as a dict of its row, and its pictures."""
        items = self._reading.cursor().execute("SELECT * FROM item ORDER BY no")
        names = [column[0] for column in items.description]
        for row in items:
            facts = dict(zip(names, row, strict=True))
            yield facts, self.pictures_of(facts["no"])

    def pictures_of(self, no: int) -> list[Picture]:
        """Those that an item was paid for."""
        rows = self._kept(f"SELECT {', '.join(Picture._fields)} FROM picture WHERE no = ? ORDER BY part", no)  # noqa: S608 -- of our own names
        return [Picture(*row)._replace(saved=bool(row[9])) for row in rows]

    def apply(self, changes: Iterable[Change], now: float) -> None:
        """Note changes, without ending the transaction."""
        states: set[str] = {"again"}
        for change in changes:
            item = change.item
            done = self.connection.execute(
                "UPDATE item SET state = ?, reason = ?, request_id = coalesce(?, request_id), "
                "task_id = coalesce(?, task_id), attempts = attempts + ?, changed = ? WHERE no = ? AND state = ?",
                (
                    *(change.state, change.reason, change.request_id, change.task_id),
                    *(change.state == SENT, now, item.no, item.state),
                ),
            ).rowcount
            if not done:
                raise RuntimeError(f"the ledger's item {item.no} is not {item.state}: somebody else changed it")
            self.connection.executemany(
                f"INSERT OR REPLACE INTO picture VALUES ({', '.join('?' * len(Picture._fields))})",  # noqa: S608 -- of our own names
                change.pictures,
            )
            self.tally.add(item.state, -1, -item.asked)
            self.tally.add(change.state, 1, item.asked)
            states |= {item.state, change.state}
        self._write_tally(states)

    def _write_tally(self, states: Iterable[str]) -> None:
        self.connection.executemany(
            "INSERT OR REPLACE INTO tally VALUES (?, ?, ?)",
            [(state, *self.tally.get(state, (0, 0))) for state in states],
        )

    def write(self, changes: Iterable[Change], now: float) -> None:
        """Note changes, while no run has begun."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.apply(changes, now)
        self.connection.execute("COMMIT")

    def move(self, before: str, after: str, reason: str | None, now: float) -> None:
        """Put all of one state into another. What was perhaps paid for stays counted as spent."""
        items = self.of_state(before)
        if after in FREE and before not in FREE:
            self.tally.add("again", 0, sum(item.asked for item, _ in items))
        self.write([Change(item, after, reason or why) for item, why in items], now)

    def close(self) -> None:
        """Close the file."""
        self._reading.close()
        self.connection.close()

"""The ledger as the page reads it: files of JavaScript, each of a thousand requests."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flux_images._batch.files.folder import LEDGER
from flux_images._batch.ledger.states import PAID, PENDING, SENT

if TYPE_CHECKING:
    from pathlib import Path

SHARD: Final = 1000
"""Requests in one file."""
_RESTLESS = frozenset({SENT, PENDING, PAID})
_LONG = 4000
"""Characters of a request from which on its long fields are cut, such as pictures that were sent along."""
_CUT = 1000
_ITEMS = (
    "SELECT no, id, state, reason, request_id, task_id, attempts, changed, request FROM item WHERE no BETWEEN ? AND ?"
)
_PICTURES = (
    "SELECT no, part, file, width, height, bytes, sha256 FROM picture "
    "WHERE no BETWEEN ? AND ? AND saved AND file IS NOT NULL ORDER BY no, part"
)


class Shown(NamedTuple):
    """A picture of the gallery; ``file`` is its name in the folder of the batch."""

    no: int
    part: int
    file: str
    width: int
    height: int
    bytes: int
    sha256: str

    @property
    def thumbnail(self) -> str:
        """Its name among the thumbnails: the same for the same picture, another for another."""
        return f"{self.sha256[:2]}/{self.sha256[2:18]}.webp"


class Reader:
    """Reads the ledger of a folder, which others may write to meanwhile."""

    def __init__(self, folder: Path) -> None:
        uri = f"{(folder / LEDGER).resolve().as_uri()}?mode=ro"
        self._connection = sqlite3.connect(uri, uri=True, timeout=30)

    def count(self) -> int:
        """How many shards there are."""
        (last,) = self._connection.execute("SELECT coalesce(max(no), 0) FROM item").fetchone()
        return -(-int(last) // SHARD)

    def shard_of(self, identity: str) -> int | None:
        """The shard that a request is in."""
        row = self._connection.execute("SELECT no FROM item WHERE id = ?", (identity,)).fetchone()
        return (int(row[0]) - 1) // SHARD if row else None

    def pictures(self, shard: int) -> list[Shown]:
        """Those that are saved."""
        return [Shown(*row) for row in self._connection.execute(_PICTURES, _between(shard))]

    def shard(self, shard: int, thumbnails: Path) -> tuple[bytes, bool, bool]:
        """A file of the page's data, whether more is to be expected of it soon, and whether it lacks thumbnails."""
        by_item: dict[int, list[list[Any]]] = {}
        lacks = False
        for picture in self.pictures(shard):
            there = (thumbnails / picture.thumbnail).exists()
            lacks = lacks or not there
            by_item.setdefault(picture.no, []).append([*picture[1:6], picture.thumbnail if there else ""])
        rows: list[str] = []
        restless = False
        for no, identity, state, *facts, request in self._connection.execute(_ITEMS, _between(shard)):
            restless = restless or state in _RESTLESS
            known = json.dumps([no, identity, state, *facts], ensure_ascii=False, separators=(",", ":"))
            pictures = json.dumps(by_item.get(no, []), ensure_ascii=False, separators=(",", ":"))
            rows.append(f"{known[:-1]},{_shortened(request)},{pictures}]")
        return escaped(f"gallery.shard({shard},[" + ",\n".join(rows) + "]);\n"), restless, lacks

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def escaped(script: str) -> bytes:
    """A script that is safe inside a page as well, and on one line wherever an old browser sees the end of one."""
    return script.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def _between(shard: int) -> tuple[int, int]:
    return shard * SHARD + 1, (shard + 1) * SHARD


def _shortened(request: str) -> str:
    if len(request) <= _LONG:
        return request
    fields: dict[str, Any] = json.loads(request)
    return json.dumps({name: _cut(value) for name, value in fields.items()}, ensure_ascii=False, separators=(",", ":"))


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _CUT else f"{text[:_CUT]}… ({len(text):,})"

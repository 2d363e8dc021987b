"""From an answer to files: what was paid for is noted, fetched, looked at, put in place, and noted again."""

from __future__ import annotations

import asyncio
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from flux_images._batch.ledger.records import Change, Picture
from flux_images._batch.ledger.states import BROKEN, EXPIRED, PAID, SAVED
from flux_images._batch.run.keep import facts_of, is_there, put_in_place, write_part
from flux_images._batch.run.progress import Result
from flux_images._errors import ImageDownloadError
from flux_images._picture.check import Picture as CheckedPicture
from flux_images._picture.check import PictureError
from flux_images._picture.fetch import look_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flux_images._batch.files.folder import Folder
    from flux_images._batch.ledger.book import Ledger
    from flux_images._batch.ledger.records import Item
    from flux_images._batch.ledger.writer import Writer
    from flux_images._batch.run.purchase import Purchase
    from flux_images._batch.run.shop import Shop
    from flux_images._picture.store import Kept

T = TypeVar("T")

FETCHERS = 32
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_GONE = frozenset({401, 403, 404, 410})
_UNKNOWN_TYPE = "application/octet-stream"


class _Source(NamedTuple):
    """Where a picture that was paid for comes from: its bytes, its part on the disk, or its address."""

    entry: Picture
    kept: Kept | None
    born: float | None


class Collector:
    """Brings pictures home, some at once; what takes a processor runs in threads."""

    workers = FETCHERS

    def __init__(self, shop: Shop, folder: Folder, ledger: Ledger, writer: Writer, *, metadata: bool) -> None:
        self._shop = shop
        self._ledger = ledger
        self._folder = folder
        self._writer = writer
        self._metadata = metadata
        self._fetching = asyncio.Semaphore(FETCHERS)
        self._pool = ThreadPoolExecutor(max(2, os.cpu_count() or 1), "flux_images saves")

    async def first(self, item: Item, bought: Purchase) -> Result:
        """Of an answer: its addresses, and the pictures inside it, are noted before anything else is done."""
        noted: list[_Source] = []
        for index, part in enumerate(bought.parts, 1):
            entry = Picture(item.no, index, self._shop.without_key(part.url))
            if part.kept is not None:
                entry = await self._in_thread(self._keep_inline, item, bought.request_id, entry, part.kept)
            noted.append(_Source(entry, part.kept, bought.born))
        paid = item._replace(state=PAID)
        reason = f"{bought.missing} of its pictures did not come" if bought.missing else None
        entries = [source.entry for source in noted]
        await self._writer.note(Change(item, PAID, reason, bought.request_id, None, entries))
        urls = {index: part.url for index, part in enumerate(bought.parts, 1)}
        return await self._bring(paid, bought.request_id, reason, noted, urls)

    async def again(self, item: Item) -> Result:
        """Of an item that an earlier run paid for."""
        entries = self._ledger.pictures_of(item.no)
        noted = [_Source(entry, None, None) for entry in entries]
        return await self._bring(item, item.request_id, None, noted, {entry.part: entry.address for entry in entries})

    async def _bring(
        self,
        item: Item,
        request_id: str | None,
        reason: str | None,
        sources: Sequence[_Source],
        urls: dict[int, str | None],
    ) -> Result:
        done = await asyncio.gather(
            *(self._one(item, request_id, source, urls[source.entry.part]) for source in sources)
        )
        problems = [entry.problem for entry, _ in done if entry.problem]
        state = next((state for _, state in done if state != SAVED), SAVED)
        files = tuple(self._folder.path / entry.file for entry, state in done if state == SAVED and entry.file)
        reason = "; ".join([*problems, *([reason] if reason else [])]) or None
        change = Change(
            item, state, reason, None, None, [entry for entry, _ in done], files[0].parent if files else None
        )
        await self._writer.note(change)
        return Result(item.id, state, files, reason, request_id, state != SAVED)

    async def _one(self, item: Item, request_id: str | None, source: _Source, url: str | None) -> tuple[Picture, str]:
        entry = source.entry
        if entry.file and not entry.problem and await self._in_thread(self._finish, entry):
            return entry._replace(saved=True), SAVED
        if not url:
            return entry._replace(problem=entry.problem or "its bytes are gone, and it has no address"), BROKEN
        try:
            async with self._fetching:
                kept, picture = await self._shop.downloads.fetch(url, source.born, check=True)
            assert picture is not None  # noqa: S101 -- it was looked at
            entry = await self._in_thread(self._keep_fetched, item, request_id, entry, kept, picture)
        except ImageDownloadError as error:
            state = EXPIRED if error.status_code in _GONE else BROKEN
            return entry._replace(problem=self._shop.redact(error.message)), state
        return entry._replace(saved=True, problem=None), SAVED

    def _keep_inline(self, item: Item, request_id: str | None, entry: Picture, kept: Kept) -> Picture:
        """Write a picture to its part; one that is damaged is paid for as well, and kept as it is."""
        try:
            return self._written(item, request_id, entry, kept, look_at(kept))
        except PictureError as error:
            damaged = self._written(item, None, entry, kept, CheckedPicture(_UNKNOWN_TYPE, 0, 0))
            self._put(damaged)
            return damaged._replace(problem=f"what came inside the answer is no whole picture: {error}")

    def _keep_fetched(
        self, item: Item, request_id: str | None, entry: Picture, kept: Kept, picture: CheckedPicture
    ) -> Picture:
        entry = self._written(item, request_id, entry, kept, picture)
        self._put(entry)
        return entry

    def _written(
        self, item: Item, request_id: str | None, entry: Picture, kept: Kept, picture: CheckedPicture
    ) -> Picture:
        target = self._folder.file_of(item.no, item.id, entry.part, picture.media_type)
        facts = facts_of(item, request_id) if self._metadata else None
        digest, size = write_part(self._folder.part_of(item.no, entry.part), kept, facts)
        return entry._replace(
            file=target.relative_to(self._folder.path).as_posix(),
            sha256=digest,
            bytes=size,
            width=picture.width,
            height=picture.height,
            media_type=picture.media_type,
        )

    def _put(self, entry: Picture) -> None:
        put_in_place(self._folder.part_of(entry.no, entry.part), self._folder.path / (entry.file or ""))

    def _finish(self, entry: Picture) -> bool:
        """Put a part in place that was whole when it was noted; whether the picture is there."""
        if is_there(self._folder.part_of(entry.no, entry.part), entry):
            self._put(entry)
            return True
        return is_there(self._folder.path / (entry.file or ""), entry)

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """On a full disk a second time, after a little of it was freed."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, work, *arguments)
        except OSError as error:
            if error.errno not in _FULL or not self._folder.drop_ballast():
                raise
        return await loop.run_in_executor(self._pool, work, *arguments)

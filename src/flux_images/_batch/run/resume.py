"""What a run does first: it makes the best of what an earlier one left, however that ended."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from flux_images._batch.ledger.records import Change, Picture
from flux_images._batch.ledger.states import BROKEN, EXPIRED, PAID, REFUSED, SENT, UNKNOWN, WAITING
from flux_images._picture.check import PictureError, check_picture

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from flux_images._batch.files.folder import Folder
    from flux_images._batch.ledger.book import Ledger
    from flux_images._batch.ledger.records import Item

LOST = "the run ended before the answer came"


def take_up(ledger: Ledger, folder: Folder, again: Iterable[str]) -> None:
    """Find pictures that were written and not noted, call the rest of what was sent lost, and clear away.

    ``again`` are states whose requests are to be sent once more: ``unknown``, ``expired`` or ``refused``.
    """
    now = time.time()
    for item, _ in ledger.of_state(SENT):
        if found := _written(item, folder):
            missing = item.asked - len(found)
            reason = f"{missing} of its pictures were not written before the run ended" if missing else None
            ledger.write([Change(item, PAID, reason, pictures=found)], now)
    ledger.move(SENT, UNKNOWN, LOST, now)
    for state in again:
        ledger.move(state, WAITING, None, now)
    folder.drop_parts(
        {
            folder.part_of(item.no, picture.part).name
            for state in (PAID, BROKEN)
            for item, _ in ledger.of_state(state)
            for picture in ledger.pictures_of(item.no)
        }
    )


def again(*, unknown: bool, expired: bool, refused: bool) -> list[str]:
    """The states whose requests are to be sent once more."""
    return [state for state, wanted in ((UNKNOWN, unknown), (EXPIRED, expired), (REFUSED, refused)) if wanted]


def _written(item: Item, folder: Folder) -> list[Picture]:
    """The whole pictures of an answer that was being written when the run ended."""
    parts = ((part, folder.part_of(item.no, part)) for part in range(1, item.asked + 1))
    return [found for part, path in parts if path.exists() and (found := _entry(item, part, path, folder))]


def _entry(item: Item, part: int, path: Path, folder: Folder) -> Picture | None:
    with path.open("rb") as file:
        try:
            picture = check_picture(file)
        except PictureError:
            return None
        if picture.check != "whole":
            return None
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target = folder.file_of(item.no, item.id, part, picture.media_type)
    return Picture(
        item.no,
        part,
        file=target.relative_to(folder.path).as_posix(),
        sha256=digest,
        bytes=path.stat().st_size,
        width=picture.width,
        height=picture.height,
        media_type=picture.media_type,
    )

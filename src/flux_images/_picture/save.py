"""Putting a file in place: whole, or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import IO

SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "application/octet-stream": ".bin",
}
"""Of each media type that a check finds."""


def target_of(path: str | os.PathLike[str], media_type: str | None, *, overwrite: bool) -> Path:
    """Where a picture of this type goes; without a media type, only what the path alone tells is checked.

    Raises:
        FileExistsError: there is something, and ``overwrite`` is False.
        FileNotFoundError: the folder does not exist.
        IsADirectoryError: the path is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{target}: is a folder; give the picture a name in it")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent}: no such folder; make it first")
    if not target.suffix:
        if media_type is None:
            return target
        target = target.with_name(target.name + SUFFIXES[media_type])
    if not overwrite and target.exists():
        raise FileExistsError(f"{target}: exists; pass overwrite=True to replace it")
    return target


def put_in_place(file: IO[bytes], target: Path, *, overwrite: bool) -> None:
    """Copy ``file`` to ``target`` by way of a temporary file in the same folder, which no error leaves behind."""
    part = target.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with part.open("xb") as out:
            shutil.copyfileobj(file, out, 2**18)
            out.flush()
            os.fsync(out.fileno())
        if overwrite:
            part.replace(target)
        else:
            _rename_to_new(part, target)
    finally:
        part.unlink(missing_ok=True)


def _rename_to_new(part: Path, target: Path) -> None:
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise FileExistsError(f"{target}: exists; pass overwrite=True to replace it") from None
    except OSError:
        # Not every file system has hard links; without them a rename may replace a file made this instant.
        if target.exists():
            raise FileExistsError(f"{target}: exists; pass overwrite=True to replace it") from None
        part.rename(target)

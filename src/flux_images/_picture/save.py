"""Putting a file in place: whole, or not at all."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path
from typing import IO

from flux_images._text import one_line

SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "application/octet-stream": ".bin",
}
"""Of each media type that a check finds."""
KINDS = {suffix: media_type for media_type, suffix in SUFFIXES.items()} | {".jpeg": "image/jpeg"}
"""The media type that a suffix promises."""
_ROOM = 16 * 2**20
"""Bytes that a picture of the largest models takes, and its temporary file beside it never more."""


def check_target(path: str | os.PathLike[str], *, n: int = 1, overwrite: bool = False) -> list[Path]:
    """Say where ``n`` pictures would go, before they are bought: the path itself, or ``name-1`` to ``name-n``.

    ``~`` stands for the home folder. A path without a suffix gets that of the picture's type when it is saved.

    Raises:
        FileExistsError: there is a file of one of these names, and ``overwrite`` is False.
        FileNotFoundError: the folder does not exist.
        IsADirectoryError: one of the names is a folder's.
        NotADirectoryError: what should be the folder is none.
        PermissionError: nobody may write into the folder.
        OSError: the disk is full, or a name too long.
        ValueError: the path holds characters that no file's name can hold, or ``n`` is below 1.
    """
    if n < 1:
        raise ValueError(f"n: expected 1 or more, got {n}")
    if "\0" in os.fspath(path):
        raise ValueError(f"{one_line(os.fspath(path), 100)}: no file can be called so")
    whole = target_of(path, None, overwrite=True)
    folder = whole.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder}: cannot be written to")
    targets = [whole] if n == 1 else [whole.with_name(f"{whole.stem}-{no}{whole.suffix}") for no in range(1, n + 1)]
    for target in targets:
        for possible in [target] if target.suffix else [target.with_name(target.name + end) for end in KINDS]:
            target_of(possible, None, overwrite=overwrite)
    if (free := shutil.disk_usage(folder).free) < n * _ROOM:
        raise OSError(f"{folder}: {free / 2**20:.0f} MiB are free, and {n} pictures may take {n * _ROOM / 2**20:.0f}")
    return targets


def free_target(path: Path, media_type: str) -> Path:
    """A path like this one that ends as a picture of this type should, and is nobody's yet."""
    suffix = path.suffix if KINDS.get(path.suffix.lower()) == media_type else SUFFIXES[media_type]
    stem = path.stem if path.suffix.lower() in KINDS else path.name
    target, number = path.with_name(stem + suffix), 1
    while target.exists():
        number += 1
        target = path.with_name(f"{stem}-{number}{suffix}")
    return target


def warn_of_suffix(target: Path, media_type: str) -> None:
    """Warn where a file's name promises another kind of picture than it holds."""
    promised = KINDS.get(target.suffix.lower())
    if promised not in (None, media_type) and media_type != "application/octet-stream":
        warnings.warn(
            f"{target} holds {media_type}, whatever its name says; ask for output_format, or save without a suffix",
            stacklevel=3,
        )


def target_of(path: str | os.PathLike[str], media_type: str | None, *, overwrite: bool) -> Path:
    """Where a picture of this type goes; without a media type, only what the path alone tells is checked.

    Raises:
        FileExistsError: there is something, and ``overwrite`` is False.
        FileNotFoundError: the folder does not exist.
        IsADirectoryError: the path is a folder.
        NotADirectoryError: what should be the folder is none.
    """
    target = _at_home(Path(path))
    if target.is_dir():
        raise IsADirectoryError(f"{target}: is a folder; give the picture a name in it")
    if not target.parent.is_dir():
        if target.parent.exists():
            raise NotADirectoryError(f"{target.parent}: is no folder")
        raise FileNotFoundError(f"{target.parent}: no such folder; make it first")
    if not target.suffix:
        if media_type is None:
            return target
        target = target.with_name(target.name + SUFFIXES[media_type])
    if not overwrite and target.exists():
        raise FileExistsError(f"{target}: exists; pass overwrite=True to replace it")
    return target


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:  # nobody's home
        raise FileNotFoundError(f"{path}: {error}") from None


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

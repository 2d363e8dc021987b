"""The folder of a batch: who holds it, where each picture goes, and how much room is left."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import string
import time
import unicodedata
from typing import IO, TYPE_CHECKING, Any, Final

from flux_images._errors import ConfigurationError, FluxImagesError
from flux_images._picture.save import SUFFIXES
from flux_images._text import one_line

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "{id}-{index}.{ext}"
"""The name of a picture's file, unless another is given."""
LEDGER: Final = "ledger.sqlite"
_LOCK = ".lock"
PARTS: Final = ".part"
_BALLAST = ".ballast"
_BALLAST_BYTES = 4 * 2**20
_SHARD = 1000
"""Requests whose files share a folder."""
_LONGEST = 120
"""Bytes of an id in a name: file systems take 255, with the rest."""
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_FIELDS = frozenset({"id", "no", "index", "ext"})


class FolderInUseError(FluxImagesError):
    """Another run holds the folder; the message says which."""


class Folder:
    """A folder that this run alone works in, until it is closed.

    Args:
        path: made if it does not exist; an existing one must be empty or a batch's.
        name: of a picture's file, with ``{id}``, ``{no}`` (of the request, from 1), ``{index}`` and ``{ext}``.

    Raises:
        ConfigurationError: the folder or the name cannot be used.
        FolderInUseError: another run holds it.
    """

    def __init__(self, path: Path, name: str = NAME) -> None:
        self.path = path
        self._name = checked_name(name)
        try:
            path.mkdir(parents=True, exist_ok=True)
            others = [entry.name for entry in path.iterdir() if not entry.name.startswith(".")]
            if others and LEDGER not in others:
                raise ConfigurationError(f"{path}: holds other files and no batch; name a new folder, or an empty one")
            self._lock = _lock(path / _LOCK, path)
            (path / PARTS).mkdir(exist_ok=True)
            self._weigh_down()
        except OSError as error:
            raise ConfigurationError(f"{path}: cannot be used: {error.strerror}") from None

    def close(self) -> None:
        """Let others work in it."""
        self._lock.close()
        (self.path / _BALLAST).unlink(missing_ok=True)

    def file_of(self, no: int, identity: str, index: int, media_type: str) -> Path:
        """Where a picture goes, in this folder: the same at each run."""
        shard = (no - 1) // _SHARD
        suffix = SUFFIXES[media_type].removeprefix(".")
        name = self._name.format(id=safe(identity), no=no, index=index, ext=suffix)
        return self.path / f"{shard:04}" / name if shard else self.path / name

    def part_of(self, no: int, index: int) -> Path:
        """Where the bytes of a picture wait until they are known to be whole."""
        return self.path / PARTS / f"{no}-{index}"

    def drop_parts(self, keep: set[str]) -> None:
        """Remove what an earlier run left unfinished."""
        for part in (self.path / PARTS).iterdir():
            if part.name not in keep:
                part.unlink()

    def free(self) -> int:
        """Bytes that are left on the disk."""
        return shutil.disk_usage(self.path).free

    def drop_ballast(self) -> bool:
        """Make room on a full disk for what is under way; whether there was any to make."""
        try:
            (self.path / _BALLAST).unlink()
        except FileNotFoundError:
            return False
        return True

    def _weigh_down(self) -> None:
        with (self.path / _BALLAST).open("wb") as ballast:
            ballast.write(bytes(_BALLAST_BYTES))


def checked_name(name: str) -> str:
    """Refuse a name that would not tell pictures apart, or that leaves the folder.

    Raises:
        ConfigurationError: says what is wrong.
    """
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(name) if field is not None]
        name.format(id="a", no=1, index=1, ext="png")
    except (ValueError, LookupError, AttributeError):
        fields = [""]
    if not set(fields) <= _FIELDS or not {"index", "ext"} <= set(fields) or not {"id", "no"} & set(fields):
        raise ConfigurationError(f"--name: expected such as {NAME!r}, with id or no, index and ext; got {name!r}")
    if _FORBIDDEN.search(re.sub(r"\{[^}]*\}", "", name)) or name.startswith("."):
        raise ConfigurationError(f"--name: {one_line(repr(name), 100)} is no name of a file on every system")
    return name


def safe(identity: str) -> str:
    """An id as part of a file's name on any system; another id never gives the same."""
    plain = unicodedata.normalize("NFC", identity)
    name = _FORBIDDEN.sub("_", plain).strip(" ").lstrip(".").rstrip(". ")
    name = name.encode()[:_LONGEST].decode(errors="ignore")
    capitals = name != name.lower() and not name.isascii()
    if name == identity and not capitals and not _RESERVED.fullmatch(name):
        return name
    return f"{name}~{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _lock(path: Path, folder: Path) -> IO[str]:
    """Hold the folder: the system lets go when the process ends, however it does."""
    import fcntl

    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read()
        file.close()
        raise FolderInUseError(f"{folder}: another run works in it ({_who(holder)}); wait for it, or stop it") from None
    file.truncate(0)
    file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": int(time.time())}))
    file.flush()
    return file


def _who(holder: str) -> str:
    try:
        facts: dict[str, Any] = json.loads(holder)
    except ValueError:
        return "it did not say which"
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(facts["since"]))
    return f"process {facts['pid']} on {facts['host']}, since {since}"


def make_last(folder: Path) -> None:
    """Let the names in a folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

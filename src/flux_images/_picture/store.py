"""Where the bytes of pictures wait: small ones in memory, large ones in a file without a name that many share.

No picture holds a handle of its own. Where the system gives no file (no folder for it, no room, no handles left) memory
takes over. What is kept can be read in a forked child, and until the interpreter has ended: nothing cleans up but the
system, when the last handle goes.
"""

from __future__ import annotations

import io
import logging
import os
import tempfile
import threading
import weakref
from functools import cache
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

IN_MEMORY = 2**19
"""Bytes up to which a picture waits in memory."""
_FULL = 2**28
"""Bytes after which a new file is begun; one is given back when nothing in it is held any more."""

log = logging.getLogger("flux_images")


class Kept:
    """The bytes of one picture: written once, by one thread at a time, then read by any."""

    def __init__(self, data: bytes = b"") -> None:
        self._pieces: list[bytes | _Piece] = []
        self._in_memory = True
        self._stays_there = False
        self.size = 0
        if data:
            self.write(data)

    def write(self, chunk: bytes) -> None:
        """Add bytes at the end."""
        self.size += len(chunk)
        self._pieces.append(chunk)
        if self.size <= IN_MEMORY or self._stays_there:
            return
        if self._in_memory:
            chunk, self._pieces = self.read(), []
            self._in_memory = False
        else:
            self._pieces.pop()
        piece = _put(chunk)
        self._stays_there = piece is None
        last = self._pieces[-1] if self._pieces else None
        if piece and isinstance(last, _Piece) and last.file is piece.file and last.start + last.length == piece.start:
            self._pieces[-1] = last._replace(length=last.length + piece.length)
        else:
            self._pieces.append(piece or chunk)

    def clear(self) -> None:
        """Drop all bytes."""
        self._pieces, self._in_memory, self._stays_there, self.size = [], True, False, 0

    def read(self) -> bytes:
        """All bytes."""
        return b"".join(
            [piece if isinstance(piece, bytes) else _some(piece, 0, piece.length) for piece in self._pieces]
        )

    def start(self) -> bytes:
        """The first bytes, which tell the format."""
        return _some(self._pieces[0], 0, 64) if self._pieces else b""

    def open(self) -> IO[bytes]:
        """The bytes as a file of its own, at its start."""
        return io.BufferedReader(_Reader(self._pieces, self.size), 2**16)

    def __reduce__(self) -> tuple[type[Kept], tuple[bytes]]:
        return Kept, (self.read(),)


class _File:
    """A file without a name, written at its end only."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile(buffering=0) as file:
            self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor).atexit = False
        self.end = 0
        self._lock = threading.Lock()

    def append(self, data: bytes) -> _Piece:
        with self._lock:
            start = self.end
            self.end += len(data)
        rest, at = memoryview(data), start
        while rest:
            written = os.pwrite(self._descriptor, rest, at)
            rest, at = rest[written:], at + written
        return _Piece(self, start, len(data))

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, start)


class _Piece(NamedTuple):
    """Some bytes in a file."""

    file: _File
    start: int
    length: int


@cache
def _files() -> list[_File]:
    """The file that is written to now, if there is one."""
    return []


def _put(data: bytes) -> _Piece | None:
    """Write to the file; None where the system gives none."""
    files = _files()
    try:
        if not hasattr(os, "pwrite"):  # as on Windows
            return None
        if not files or files[-1].end > _FULL:
            files[:] = [_File()]
        return files[-1].append(data)
    except OSError as error:
        log.warning("a picture is kept in memory: %s", error)
        return None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_files.cache_clear)


class _Reader(io.RawIOBase):
    """Reads across pieces."""

    def __init__(self, pieces: list[bytes | _Piece], size: int) -> None:
        self._pieces = pieces
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        skip = self._position
        for piece in self._pieces:
            length = len(piece) if isinstance(piece, bytes) else piece.length
            if skip < length:
                found = _some(piece, skip, min(length - skip, len(view)))
                view[: len(found)] = found
                self._position += len(found)
                return len(found)
            skip -= length
        return 0


def _some(piece: bytes | _Piece, start: int, length: int) -> bytes:
    if isinstance(piece, bytes):
        return piece[start : start + length]
    return piece.file.read(piece.start + start, min(length, piece.length - start))

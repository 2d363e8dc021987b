"""PNG, to the end: every chunk's checksum, every row of the compressed pixels.

Source: Portable Network Graphics (PNG) Specification, W3C, third edition.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from math import ceil
from typing import IO, TYPE_CHECKING, NamedTuple

from flux_images._picture.check.common import Picture, PictureError, checked_size, take

if TYPE_CHECKING:
    import zlib
else:
    try:
        from isal import isal_zlib as zlib  # of the extra `fast`: the same functions, several times faster
    except ImportError:
        import zlib

_PIECE = 2**16
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of each pass: the first column and row, and the steps between columns and rows."""
_LAST_FILTER = 4


class _Pass(NamedTuple):
    rows: int
    row_bytes: int


def check_png(file: IO[bytes]) -> Picture:
    """Decode the file, which starts with PNG's signature."""
    take(file, 8)
    width, height, passes, indexed = _header(file)
    pixels = _Pixels(passes)
    seen: list[bytes] = []
    while True:
        length, kind = _chunk_head(file)
        if kind == b"IHDR" or (kind == b"IDAT" and b"IDAT" in seen and seen[-1] != b"IDAT"):
            raise PictureError(f"the PNG has {kind.decode()} in the wrong place")
        if kind == b"IDAT" and indexed and b"PLTE" not in seen:
            raise PictureError("the PNG has no palette")
        _chunk_body(file, length, kind, pixels if kind == b"IDAT" else None)
        if kind == b"IEND":
            break
        if not seen or seen[-1] != kind:
            seen.append(kind)
    pixels.finish()
    return Picture("image/png", width, height)


def _header(file: IO[bytes]) -> tuple[int, int, list[_Pass], bool]:
    length, kind = _chunk_head(file)
    if (length, kind) != (13, b"IHDR"):
        raise PictureError("the PNG does not start with its header")
    body = take(file, 13)
    _check_sum(file, zlib.crc32(body, zlib.crc32(kind)), kind)
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    checked_size(width, height)
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise PictureError("the PNG's header holds values that PNG does not know")
    bits = depth * _CHANNELS[colour]
    sizes = (
        [(ceil((width - x) / dx), ceil((height - y) / dy)) for x, y, dx, dy in _ADAM7]
        if interlace
        else [(width, height)]
    )
    passes = [_Pass(rows, 1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns > 0 and rows > 0]
    return width, height, passes, colour == 3


def _chunk_head(file: IO[bytes]) -> tuple[int, bytes]:
    length, kind = struct.unpack(">I4s", take(file, 8))
    if length >= 2**31 or not kind.isalpha():
        raise PictureError("the PNG is damaged: a chunk has an impossible head")
    return length, kind


def _chunk_body(file: IO[bytes], length: int, kind: bytes, pixels: _Pixels | None) -> None:
    checksum = zlib.crc32(kind)
    while length:
        piece = take(file, min(length, _PIECE))
        length -= len(piece)
        checksum = zlib.crc32(piece, checksum)
        if pixels is not None:
            pixels.feed(piece)
    _check_sum(file, checksum, kind)


def _check_sum(file: IO[bytes], checksum: int, kind: bytes) -> None:
    if take(file, 4) != struct.pack(">I", checksum):
        raise PictureError(f"the PNG is damaged: the checksum of its {kind.decode()} chunk is wrong")


class _Pixels:
    """Inflates the pixels without keeping them, and checks each row's filter and the total size."""

    def __init__(self, passes: list[_Pass]) -> None:
        self._inflate = zlib.decompressobj()
        starts = [0]
        for rows, row_bytes in passes:
            starts.append(starts[-1] + rows * row_bytes)
        self._passes = [(start, end, p.row_bytes) for (start, end), p in zip(pairwise(starts), passes, strict=True)]
        self._size = starts[-1]
        self._done = 0

    def feed(self, piece: bytes) -> None:
        try:
            while piece:
                rows = self._inflate.decompress(piece, _PIECE)
                piece = self._inflate.unconsumed_tail
                self._rows(rows)
        except zlib.error as error:
            raise PictureError("the PNG is damaged: its pixels cannot be inflated") from error

    def finish(self) -> None:
        try:
            while not self._inflate.eof and (rows := self._inflate.decompress(b"", _PIECE)):
                self._rows(rows)
        except zlib.error as error:
            raise PictureError("the PNG is damaged: its pixels cannot be inflated") from error
        if not self._inflate.eof or self._done != self._size:
            raise PictureError(f"the PNG is cut short: {self._done} bytes of pixels instead of {self._size}")

    def _rows(self, rows: bytes) -> None:
        begin, end = self._done, self._done + len(rows)
        if end > self._size:
            raise PictureError("the PNG holds more pixels than its header says")
        for start, stop, row_bytes in self._passes:
            if begin < stop and end > start:
                first = max(start, begin + (start - begin) % row_bytes)
                filters = rows[first - begin : min(stop, end) - begin : row_bytes]
                if filters and max(filters) > _LAST_FILTER:
                    raise PictureError("the PNG is damaged: a row has a filter that PNG does not know")
        self._done = end

"""PNG, to the end: the checksum of every chunk that matters, every row of the compressed pixels.

The end chunk may be missing, and what only adds to the pixels may be damaged: every viewer shows such files.
Source: Portable Network Graphics (PNG) Specification, W3C, third edition.
"""

from __future__ import annotations

import os
import struct
from math import ceil
from typing import IO, TYPE_CHECKING

from flux_images._picture.check.picture import CutError, Picture, PictureError, checked_size, take

if TYPE_CHECKING:
    import zlib
    from collections.abc import Callable
else:
    try:
        from isal import isal_zlib as zlib  # of the extra `fast`: the same functions, several times faster
    except ImportError:
        import zlib

_PIECE = 2**16
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_INDEXED = 3
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of each pass: the first column and row, and the steps between columns and rows."""
_LAST_FILTER = 4


def check_png(file: IO[bytes]) -> Picture:
    """Decode the file, which starts with PNG's signature."""
    take(file, 8)
    length, kind = _chunk_head(take(file, 8))
    if (length, kind) != (13, b"IHDR"):
        raise PictureError("the PNG does not start with its header")
    header = bytearray()
    _chunk_body(file, length, kind, header.extend)
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", header)
    checked_size(width, height)
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise PictureError("the PNG's header holds values that PNG does not know")
    pixels = _Pixels(width, height, depth * _CHANNELS[colour], interlaced=bool(interlace))
    feeds = {b"IDAT": pixels.feed, b"PLTE": len, b"IEND": len}
    kinds = [kind]
    while kind != b"IEND" and (head := file.read(8)):
        length, kind = _chunk_head(head)
        if kind == b"IDAT" and not pixels.whole():
            if b"IDAT" in kinds and kinds[-1] != b"IDAT":
                raise PictureError("the PNG has IDAT in the wrong place")
            if colour == _INDEXED and b"PLTE" not in kinds:
                raise PictureError("the PNG has no palette")
        if kind in feeds:
            _chunk_body(file, length, kind, feeds[kind])
        elif kind[:1].isupper():
            raise PictureError(f"the PNG has a chunk {kind.decode()} that no viewer knows in its place")
        else:
            file.seek(length + 3, os.SEEK_CUR)
            take(file, 1)
        if kinds[-1] != kind:
            kinds.append(kind)
    if not pixels.whole():
        raise CutError(f"the PNG is cut short: {pixels.done} bytes of pixels instead of {pixels.size}")
    return Picture("image/png", width, height)


def _chunk_head(head: bytes) -> tuple[int, bytes]:
    length, kind = int.from_bytes(head[:4]), head[4:]
    if len(kind) < 4:
        raise CutError("the PNG is cut short")
    if length >= 2**31 or not kind.isalpha():
        raise PictureError("the PNG is damaged: a chunk has an impossible head")
    return length, kind


def _chunk_body(file: IO[bytes], length: int, kind: bytes, feed: Callable[[bytes], object]) -> None:
    checksum = zlib.crc32(kind)
    while length:
        piece = take(file, min(length, _PIECE))
        length -= len(piece)
        checksum = zlib.crc32(piece, checksum)
        feed(piece)
    if take(file, 4) != struct.pack(">I", checksum):
        raise PictureError(f"the PNG is damaged: the checksum of its {kind.decode()} chunk is wrong")


class _Pixels:
    """Inflates the pixels without keeping them, as many as there must be, and checks each row's filter.

    Their own checksum, at the end, is not looked at: the chunks have theirs.
    """

    def __init__(self, width: int, height: int, bits: int, *, interlaced: bool) -> None:
        self._zlib_header = b""
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._passes: list[tuple[int, int, int]] = []
        self.size = self.done = 0
        for x, y, dx, dy in _ADAM7 if interlaced else ((0, 0, 1, 1),):
            columns, rows = ceil((width - x) / dx), ceil((height - y) / dy)
            if columns > 0 and rows > 0:
                row_bytes = 1 + (columns * bits + 7) // 8
                self._passes.append((self.size, self.size + rows * row_bytes, row_bytes))
                self.size += rows * row_bytes

    def whole(self) -> bool:
        return self.done == self.size

    def feed(self, piece: bytes) -> None:
        missing = 2 - len(self._zlib_header)
        self._zlib_header += piece[:missing]
        piece = piece[missing:]
        try:
            if len(self._zlib_header) == 2 and int.from_bytes(self._zlib_header) % 31:
                raise zlib.error("incorrect header check")
            while not self.whole() and not self._inflate.eof:
                if not (rows := self._inflate.decompress(piece, _PIECE)):
                    break
                piece = self._inflate.unconsumed_tail
                self._check(rows)
        except zlib.error as error:
            raise PictureError("the PNG is damaged: its pixels cannot be inflated") from error

    def _check(self, rows: bytes) -> None:
        begin, end = self.done, min(self.done + len(rows), self.size)
        for start, stop, row_bytes in self._passes:
            if begin < stop and end > start:
                first = max(start, begin + (start - begin) % row_bytes)
                filters = rows[first - begin : min(stop, end) - begin : row_bytes]
                if filters and max(filters) > _LAST_FILTER:
                    raise PictureError("the PNG is damaged: a row has a filter that PNG does not know")
        self.done = end

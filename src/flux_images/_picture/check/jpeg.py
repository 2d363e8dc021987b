"""JPEG, to the end: every marker here, and every coded block where simplejpeg, of the extra `fast`, is there.

Without it, damage inside a file that ends properly goes unseen. What libjpeg puts up with passes, as every viewer
shows it: junk between segments and before the end, fill, a height said twice. Source: ITU-T T.81, annex B.
"""

from __future__ import annotations

import re
import struct
from typing import IO

from flux_images._picture.check.picture import CutError, Picture, PictureError, checked_size, take

_EOI, _SOS = 0xD9, 0xDA
_PROGRESSIVE = {0xC2, 0xCA}
_DCT = {0xC0, 0xC1, 0xC9} | _PROGRESSIVE
_FRAMES = {0xC3, 0xCB} | _DCT
_TABLES_AND_NOTES = {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE}
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""But for those that have no segment: stuffed bytes, restarts, fill."""
_WINDOW = 2**16
_COEFFICIENTS = (1 << 64) - 1
"""A bit for each of a block's."""
_WORK = 2**30
"""Pixels times scans up to which a picture is decoded: seconds. A small file can hold thousands of scans."""
_SPARE = 32
"""Bytes that cameras and editors leave behind the last block; a damaged scan ends sooner, or too late."""
_LEFT_OVER = re.compile("Corrupt JPEG data: ([0-9]+) extraneous bytes before marker")
_DAMAGE = re.compile("Corrupt JPEG data|Premature end|Bogus|.*not defined|Invalid (component|JPEG|progressive)")


class _Frame:
    """The picture's header, and what no scan has brought yet."""

    def __init__(self, marker: int, body: bytes) -> None:
        if len(body) < 9 or len(body) != 6 + 3 * body[5]:
            raise PictureError("the JPEG is damaged: its frame does not make sense")
        precision, height, width = struct.unpack_from(">BHH", body)
        if precision != 8:
            raise PictureError(f"the JPEG has {precision} bits a colour, which no viewer shows")
        self.width, self.height = checked_size(width, height)
        self.marker = marker
        self._lacking = dict.fromkeys(body[6::3], _COEFFICIENTS)

    def scan(self, body: bytes) -> None:
        """Note what a scan with this header brings."""
        components = body[1:-3:2]
        if not components or len(body) != 4 + 2 * body[0] or not self._lacking.keys() >= set(components):
            raise PictureError("the JPEG is damaged: its scan does not make sense")
        brought = _COEFFICIENTS
        if self.marker in _PROGRESSIVE:
            first, last, approximation = body[-3:]
            brought = 0 if approximation & 15 else (2 << last) - (1 << first)
        for component in components:
            self._lacking[component] &= ~brought

    def complete(self) -> bool:
        """Whether the scans brought every coefficient of every component to its last bit."""
        return not any(self._lacking.values())


def check_jpeg(file: IO[bytes]) -> Picture:
    """Follow the file, which starts with JPEG's first marker.

    One without an end marker is whole if it can be decoded here, and lacks no block.
    """
    take(file, 2)
    frame: _Frame | None = None
    marker, junk, scans = 0, False, 0
    while True:
        in_scan = marker == _SOS
        marker, clean = _next_marker(file)
        junk |= not (clean or in_scan)
        if marker in (0, _EOI):
            break
        if marker not in _TABLES_AND_NOTES | ({_SOS} if frame else _FRAMES):
            raise PictureError("the JPEG is damaged, or of a kind that no viewer shows: a marker is in the wrong place")
        length = int.from_bytes(take(file, 2))
        if length < 2:
            raise PictureError("the JPEG is damaged: a segment has an impossible length")
        body = take(file, length - 2)
        if frame and marker == _SOS:
            frame.scan(body)
            scans += 1
        elif marker in _FRAMES:
            frame = _Frame(marker, body)
    if not frame or not frame.complete():
        raise CutError("the JPEG is cut short: scans are missing")
    affordable = scans * frame.width * frame.height <= _WORK
    decoded = affordable and frame.marker in _DCT and _decode(file, file.tell() - (2 if marker else 0), junk=junk)
    if not (marker or decoded):
        raise CutError("the JPEG is cut short")
    return Picture("image/jpeg", frame.width, frame.height)


def _next_marker(file: IO[bytes]) -> tuple[int, bool]:
    """The next marker, 0 at the end of the file; and whether there was nothing but fill before it."""
    kept, size, clean = b"", 2, True
    while piece := file.read(size):
        data = kept + piece
        found = _MARKER.search(data)
        clean &= not data[: found.start() if found else -1].strip(b"\xff")
        if found:
            file.seek(found.end() - len(data), 1)
            return data[found.end() - 1], clean
        kept, size = data[-1:], min(8 * size, _WINDOW)
    return 0, clean


def _decode(file: IO[bytes], end: int, *, junk: bool) -> bool:
    """Decode what stands before the end marker, and say whether that was possible.

    A lossless picture must not come here: simplejpeg writes past the small output that is asked of it to save memory.
    """
    try:
        from simplejpeg import decode_jpeg  # type: ignore[import-untyped]  # it has no types
    except ImportError:
        return False
    file.seek(0)
    data = file.read(end) + b"\xff\xd9"
    try:
        decode_jpeg(data, colorspace="gray", min_height=1, min_width=1)
    except (ValueError, RuntimeError) as error:
        if left_over := _LEFT_OVER.match(str(error)):
            count = int(left_over[1])
            if junk or count <= _SPARE or not data[end - count : end].strip(b"\0"):
                return True
        if _DAMAGE.match(str(error)):
            raise PictureError(f"the JPEG is damaged or cut short: {error}") from error
        return False
    return True

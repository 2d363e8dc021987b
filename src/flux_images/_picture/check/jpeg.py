"""JPEG, to the end: every marker, and every Huffman-coded block of every scan.

Only the lengths of the coded values are followed, not the values, so that a whole picture takes a fraction of
a second without any library. Source: ITU-T T.81, annexes B, F and G.
"""

from __future__ import annotations

import struct
from math import ceil
from typing import IO, NamedTuple, NoReturn

from flux_images._picture.check.common import Picture, PictureError, checked_size, take
from flux_images._picture.check.huffman import Table, read_tables
from flux_images._picture.check.jpeg_scan import Component, Scan, walk

_SOI, _EOI, _SOS, _DQT, _DNL, _DRI, _DHT, _DAC, _TEM = 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xC4, 0xCC, 0x01
_FRAMES = {0xC0, 0xC1, 0xC2}
_OTHER_FRAMES = {0xC3, *range(0xC5, 0xD0)} - {0xC8, _DAC}


class _Frame(NamedTuple):
    progressive: bool
    width: int
    height: int
    components: dict[int, Component]


def check_jpeg(file: IO[bytes]) -> Picture:
    """Decode the file, which starts with JPEG's first marker."""
    take(file, 2)
    frame: _Frame | None = None
    tables: dict[tuple[int, int], Table] = {}
    interval = 0
    while (marker := _next_marker(file)) != _EOI:
        body = take(file, _length(file))
        if marker in _FRAMES and frame is None:
            frame = _frame(body, progressive=marker == 0xC2)
        elif marker in _FRAMES or marker in _OTHER_FRAMES or marker == _DNL:
            raise PictureError("the JPEG is of a kind that is not used on the web (arithmetic, lossless or layered)")
        elif marker == _DHT:
            tables.update(read_tables(body))
        elif marker == _DRI:
            interval = _unpack(">H", body)[0]
        elif marker == _SOS:
            if frame is None:
                raise PictureError("the JPEG is damaged: a scan comes before the frame")
            walk(file, _scan(body, frame, tables, interval))
    if frame is None or not all(component.complete() for component in frame.components.values()):
        raise PictureError("the JPEG is cut short: scans are missing")
    return Picture("image/jpeg", frame.width, frame.height)


def _next_marker(file: IO[bytes]) -> int:
    if take(file, 1) != b"\xff":
        raise PictureError("the JPEG is damaged: there is no marker where one must be")
    while (code := take(file, 1)[0]) == 0xFF:
        pass
    if code in (0x00, _TEM, _SOI) or 0xD0 <= code <= 0xD7:
        raise PictureError("the JPEG is damaged: a marker is in the wrong place")
    return code


def _length(file: IO[bytes]) -> int:
    length = int.from_bytes(take(file, 2))
    if length < 2:
        raise PictureError("the JPEG is damaged: a segment has an impossible length")
    return length - 2


def _frame(body: bytes, *, progressive: bool) -> _Frame:
    precision, height, width, count = _unpack(">BHHB", body)
    if precision not in (8, 12) or not 1 <= count <= 4 or len(body) != 6 + 3 * count:
        _damaged("frame")
    checked_size(width, height)
    parts = [body[6 + 3 * index : 9 + 3 * index] for index in range(count)]
    samplings = [(part[1] >> 4, part[1] & 15) for part in parts]
    if not all(1 <= h <= 4 and 1 <= v <= 4 for h, v in samplings):
        _damaged("frame")
    h_max, v_max = max(h for h, _ in samplings), max(v for _, v in samplings)
    components = {
        part[0]: Component(
            h,
            v,
            columns=ceil(ceil(width * h / h_max) / 8),
            rows=ceil(ceil(height * v / v_max) / 8),
            mcus=ceil(width / (8 * h_max)) * ceil(height / (8 * v_max)),
        )
        for part, (h, v) in zip(parts, samplings, strict=True)
    }
    if len(components) != count:
        _damaged("frame")
    return _Frame(progressive, width, height, components)


def _scan(body: bytes, frame: _Frame, tables: dict[tuple[int, int], Table], interval: int) -> Scan:
    count = body[0] if body else 0
    if not 1 <= count <= 4 or len(body) != 4 + 2 * count:
        _damaged("scan")
    first, last, approximation = body[-3:]
    high, low = approximation >> 4, approximation & 15
    if not frame.progressive:
        first, last, high, low = 0, 63, 0, 0
    if first > last or last > 63 or (frame.progressive and bool(first) != bool(last)) or (first and count > 1):
        _damaged("scan")
    components: list[Component] = []
    for index in range(count):
        identity, selectors = body[1 + 2 * index], body[2 + 2 * index]
        component = frame.components.get(identity)
        if component is None:
            _damaged("scan")
        component.dc = tables.get((0, selectors >> 4))
        component.ac = tables.get((1, selectors & 15))
        if (first == 0 and not high and component.dc is None) or (last and component.ac is None):
            _damaged("scan")
        component.refined(first, last, low)
        components.append(component)
    return Scan(components, frame.progressive, first, last, refining=bool(high), interval=interval)


def _unpack(form: str, body: bytes) -> tuple[int, ...]:
    if len(body) < struct.calcsize(form):
        _damaged("segment")
    return struct.unpack_from(form, body)


def _damaged(part: str) -> NoReturn:
    raise PictureError(f"the JPEG is damaged: its {part} holds values that JPEG does not know")

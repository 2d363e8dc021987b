"""The walk along a JPEG scan's coded blocks."""

from __future__ import annotations

import re
import sys
from array import array
from typing import IO, NamedTuple

from flux_images._picture.check.common import PictureError, take
from flux_images._picture.check.huffman import BAD, END, Table

_WINDOW = 2**16
_MARGIN = 2**12
"""Bytes that are surely more than one MCU takes: 10 blocks of 64 values of up to 31 bits."""
_MARKER = re.compile(rb"\xff+[^\x00\xff]")


class Component:
    """One colour plane, in blocks of 8 x 8, and how far its coefficients have come."""

    def __init__(self, h: int, v: int, *, columns: int, rows: int, mcus: int) -> None:
        self.h = h
        self.v = v
        self.blocks = columns * rows
        self.mcus = mcus
        self.dc: Table | None = None
        self.ac: Table | None = None
        self._missing_bits = [255] * 64
        self.non_zero: list[int] = []
        """Of each block, a bit for each coefficient that is not zero; refining scans need it."""

    def refined(self, first: int, last: int, low: int) -> None:
        """Note that a scan brings these coefficients down to bit ``low``."""
        self._missing_bits[first : last + 1] = [low] * (last + 1 - first)

    def complete(self) -> bool:
        """Whether the scans brought every coefficient to its last bit."""
        return not any(self._missing_bits)


class Scan(NamedTuple):
    """What a scan's header says."""

    components: list[Component]
    progressive: bool
    first: int
    last: int
    refining: bool
    interval: int


class _Bits:
    """The coded data up to the next marker: a window of 32-bit words, one for each byte it starts at."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._data = b""
        self._held = b""
        self._final = False
        self.words: array[int] = array("I")
        self.position = 0
        self.refill_at = 0
        self.end = 0

    def refill(self, position: int) -> None:
        """Move the window on to the byte of bit ``position``; ``position`` and ``words`` are new afterwards."""
        if self._final:
            raise PictureError("the JPEG is cut short: a scan ends before its last block")
        data = self._data[position >> 3 :]
        while len(data) < _WINDOW and not self._final:
            data += self._more()
        self._data = data
        self.position = position & 7
        self.end = len(data) * 8
        self.refill_at = self.end if self._final else self.end - 8 * _MARGIN
        self.words = _words(data + b"\0" * (_MARGIN + 8))

    def _more(self) -> bytes:
        raw = self._held + _read_window(self._file)
        if match := _MARKER.search(raw):
            self._final = True
            self._file.seek(match.start() - len(raw), 1)
            raw, self._held = raw[: match.start()], b""
        else:
            kept = len(raw.rstrip(b"\xff"))
            raw, self._held = raw[:kept], raw[kept:]
        return raw.replace(b"\xff\x00", b"\xff")

    def finish(self, position: int) -> None:
        """Check that the coded data ends where its last block does."""
        if not self._final:
            self.refill(position)
            position = self.position
        if not self._final or not 0 <= self.end - position < 8:
            raise PictureError("the JPEG is damaged: a scan does not end with its last block")


def walk(file: IO[bytes], scan: Scan) -> None:
    """Follow a scan to the marker after it.

    Raises:
        PictureError: it ends too early or too late, or holds a code that no table knows.
    """
    first = scan.components[0]
    units = first.blocks if len(scan.components) == 1 else first.mcus
    interval = scan.interval or units
    for number, start in enumerate(range(0, units, interval)):
        if number and take(file, 2) != bytes((0xFF, 0xD0 + (number - 1) % 8)):
            raise PictureError("the JPEG is damaged: a restart marker is missing")
        bits = _Bits(file)
        bits.refill(0)
        blocks = range(start, min(start + interval, units))
        try:
            if not scan.progressive:
                _sequential(bits, scan, blocks)
            elif not scan.first:
                _dc(bits, scan, blocks)
            elif scan.refining:
                _ac_refining(bits, scan, blocks)
            else:
                _ac_first(bits, scan, blocks)
        except IndexError:
            raise PictureError("the JPEG is cut short: a scan ends before its last block") from None
        bits.finish(bits.position)


def _tables(scan: Scan) -> list[tuple[array[int], array[int]]]:
    """The steps of each block of an MCU, for DC and AC."""
    none = array("I")
    return [
        (component.dc.steps if component.dc else none, component.ac.steps if component.ac else none)
        for component in scan.components
        for _ in range(component.h * component.v if len(scan.components) > 1 else 1)
    ]


def _sequential(bits: _Bits, scan: Scan, units: range) -> None:
    tables = _tables(scan)
    words, position = bits.words, bits.position
    for _ in units:
        if position >= bits.refill_at:
            bits.refill(position)
            words, position = bits.words, bits.position
        for dc, ac in tables:
            position += dc[words[position >> 3] >> (16 - (position & 7)) & 0xFFFF]
            coefficient = 1
            while coefficient < 64:
                step = ac[words[position >> 3] >> (16 - (position & 7)) & 0xFFFF]
                position += step & 63
                coefficient += step >> 6
            if coefficient != 64 and not END < coefficient < END + 64:
                raise _damaged()
    bits.position = position


def _dc(bits: _Bits, scan: Scan, units: range) -> None:
    tables = _tables(scan)
    words, position = bits.words, bits.position
    for _ in units:
        if position >= bits.refill_at:
            bits.refill(position)
            words, position = bits.words, bits.position
        if scan.refining:
            position += len(tables)
            continue
        for dc, _ac in tables:
            position += dc[words[position >> 3] >> (16 - (position & 7)) & 0xFFFF]
    bits.position = position


def _ac_first(bits: _Bits, scan: Scan, blocks: range) -> None:
    component, symbols = scan.components[0], _symbols(scan)
    words, position = bits.words, bits.position
    run_of_empty = 0
    for block in blocks:
        if run_of_empty:
            run_of_empty -= 1
            continue
        if position >= bits.refill_at:
            bits.refill(position)
            words, position = bits.words, bits.position
        coefficient, non_zero = scan.first, 0
        while coefficient <= scan.last:
            symbol = symbols[words[position >> 3] >> (16 - (position & 7)) & 0xFFFF]
            if symbol == BAD:
                raise _damaged()
            position += symbol >> 8
            run, size = symbol >> 4 & 15, symbol & 15
            if size:
                coefficient += run
                non_zero |= 1 << coefficient
                position += size
                coefficient += 1
            elif run == 15:
                coefficient += 16
            else:
                run_of_empty = (1 << run) + _peek(words, position, run) - 1
                position += run
                break
        if coefficient > scan.last + 1:
            raise _damaged()
        component.non_zero[block] |= non_zero
    bits.position = position


def _ac_refining(bits: _Bits, scan: Scan, blocks: range) -> None:
    component, symbols = scan.components[0], _symbols(scan)
    words, position = bits.words, bits.position
    band = (1 << (scan.last + 1)) - 1
    run_of_empty = 0
    for block in blocks:
        known, added, coefficient = component.non_zero[block], 0, scan.first
        corrections = (known & band) >> coefficient
        if position >= bits.refill_at and (corrections or not run_of_empty):
            bits.refill(position)
            words, position = bits.words, bits.position
        while not run_of_empty and coefficient <= scan.last:
            symbol = symbols[words[position >> 3] >> (16 - (position & 7)) & 0xFFFF]
            if symbol == BAD or symbol & 15 > 1:
                raise _damaged()
            position += symbol >> 8
            run, size = symbol >> 4 & 15, symbol & 15
            if not size and run < 15:
                run_of_empty = (1 << run) + _peek(words, position, run)
                position += run
                break
            position += size
            while coefficient <= scan.last and (run or known >> coefficient & 1):
                if known >> coefficient & 1:
                    position += 1
                else:
                    run -= 1
                coefficient += 1
            if size:
                if coefficient > scan.last:
                    raise _damaged()
                added |= 1 << coefficient
            coefficient += 1
        if run_of_empty:
            run_of_empty -= 1
            position += ((known & band) >> coefficient).bit_count()
        component.non_zero[block] = known | added
    bits.position = position


def _symbols(scan: Scan) -> array[int]:
    component = scan.components[0]
    assert component.ac is not None  # noqa: S101 -- for the type checkers; the scan's header was checked
    if not component.non_zero:
        component.non_zero = [0] * component.blocks
    return component.ac.symbols


def _peek(words: array[int], position: int, count: int) -> int:
    return words[position >> 3] >> (32 - (position & 7) - count) & ((1 << count) - 1)


def _words(data: bytes) -> array[int]:
    """The 32 bits that start at each byte of ``data``, but for its last three."""
    quarter = (len(data) - 3) // 4
    words = array("I", bytes(16 * quarter))
    for offset in range(4):
        aligned = array("I", data[offset : offset + 4 * quarter])
        if sys.byteorder == "little":
            aligned.byteswap()
        words[offset::4] = aligned
    return words


def _damaged() -> PictureError:
    return PictureError("the JPEG is damaged: a block holds a code that its table does not know")


def _read_window(file: IO[bytes]) -> bytes:
    if not (raw := file.read(_WINDOW)):
        raise PictureError("the JPEG is cut short")
    return raw

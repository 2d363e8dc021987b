"""JPEG's Huffman tables, looked up by the next 16 bits."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from flux_images._picture.check.common import PictureError

BAD = 0xFFFF
"""The entry of 16 bits that start with no code."""


class Table(NamedTuple):
    """By the next 16 bits: ``symbols``, code length << 8 | symbol, or BAD; ``steps``, for the walk of a scan.

    A step is how many bits the code and the value after it take, plus 64 times how many coefficients it
    moves on: run + 1, or END for the end of the block.
    """

    symbols: array[int]
    steps: array[int]


END = 128
"""Moves on past any block."""
_IMPOSSIBLE = 4096 * 64


def read_tables(body: bytes) -> dict[tuple[int, int], Table]:
    """The tables of a DHT segment, by class (0 for DC, 1 for AC) and number."""
    tables: dict[tuple[int, int], Table] = {}
    while body:
        counts, symbols = body[1:17], body[17 : 17 + sum(body[1:17])]
        if body[0] > 0x1F or body[0] & 15 > 3 or len(counts) < 16 or len(symbols) < sum(counts):
            raise PictureError("the JPEG is damaged: a Huffman table is cut or unknown")
        tables[body[0] >> 4, body[0] & 15] = _table(counts, symbols, ac=body[0] >= 0x10)
        body = body[17 + len(symbols) :]
    return tables


def _table(counts: bytes, values: bytes, *, ac: bool) -> Table:
    symbols, steps = array("H"), array("I")
    index = 0
    for length, count in enumerate(counts, 1):
        span = 1 << (16 - length)
        for value in values[index : index + count]:
            symbols += array("H", [length << 8 | value]) * span
            steps += array("I", [_ac_step(length, value) if ac else length + value]) * span
        index += count
    missing = 2**16 - len(symbols)
    if missing < 0:
        raise PictureError("the JPEG is damaged: a Huffman table holds too many codes")
    return Table(symbols + array("H", [BAD]) * missing, steps + array("I", [_IMPOSSIBLE]) * missing)


def _ac_step(length: int, value: int) -> int:
    run, size = value >> 4, value & 15
    if size == 0 and run != 15:
        return length + 64 * END if run == 0 else _IMPOSSIBLE
    return length + size + 64 * (run + 1)

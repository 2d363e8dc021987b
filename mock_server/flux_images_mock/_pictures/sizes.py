"""How many pixels a picture of a given ratio has."""

from __future__ import annotations

import math
from typing import Literal

Size = Literal["preview", "full"]

_PREVIEW = 512  # the longer side
_FULL = 4 * 1024 * 1024  # flux-model: about 4 megapixels, sides in steps of 32
_STEP = 32
# flux-model: what flux-pro-1.1-ultra draws for the ratios that hosts offer.
_TABLE = {
    (21, 9): (3136, 1344),
    (16, 9): (2752, 1536),
    (4, 3): (2368, 1792),
    (3, 2): (2496, 1664),
    (1, 1): (2048, 2048),
    (2, 3): (1664, 2496),
    (3, 4): (1792, 2368),
    (9, 16): (1536, 2752),
    (9, 21): (1344, 3136),
}


def pixels(ratio: tuple[int, int], size: Size) -> tuple[int, int]:
    """Return width and height for a ratio of width to height."""
    width, height = ratio
    if size == "preview":
        longer = max(width, height)
        return max(1, round(_PREVIEW * width / longer)), max(1, round(_PREVIEW * height / longer))
    divisor = math.gcd(width, height)
    known = _TABLE.get((width // divisor, height // divisor))
    if known is not None:
        return known
    scale = math.sqrt(_FULL / (width * height)) / _STEP
    return max(1, round(width * scale)) * _STEP, max(1, round(height * scale)) * _STEP

"""Small pictures, and the ways to break them."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import PIL.Image


@cache
def picture(kind: str = "PNG", size: tuple[int, int] = (24, 16), mode: str = "RGB", **options: Any) -> bytes:
    """A gradient in the given format, with Pillow's own options."""
    across = PIL.Image.linear_gradient("L").resize(size)
    whole = PIL.Image.merge("RGB", (across, across.rotate(90).resize(size), across.rotate(180)))
    file = io.BytesIO()
    (across.convert(mode) if mode in ("I;16", "1") else whole.convert(mode)).save(file, kind, **options)
    return file.getvalue()

"""What the checks of all formats share."""

from __future__ import annotations

from typing import IO, NamedTuple

MAX_PIXELS = 2**27
"""Width times height, about 134 megapixels: thirty times what the largest Flux model draws."""


class PictureError(ValueError):
    """The file is not a whole picture."""


class Picture(NamedTuple):
    """A picture that was decoded to its end; width and height in pixels."""

    media_type: str
    width: int | None
    height: int | None
    check: str = "whole"


def checked_size(width: int, height: int) -> tuple[int, int]:
    """Refuse a picture without pixels, or with more than MAX_PIXELS."""
    if not width or not height:
        raise PictureError(f"the picture is {width} x {height} pixels")
    if width * height > MAX_PIXELS:
        raise PictureError(f"the picture is {width} x {height} pixels; the limit is {MAX_PIXELS} in all")
    return width, height


def take(file: IO[bytes], count: int) -> bytes:
    """Read exactly ``count`` bytes."""
    data = file.read(count)
    if len(data) < count:
        raise PictureError("the picture is cut short")
    return data

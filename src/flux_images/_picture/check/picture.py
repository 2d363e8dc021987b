"""What a check finds, and what every check keeps to."""

from __future__ import annotations

from typing import IO, NamedTuple

MAX_PIXELS = 2**27
"""Width times height, about 134 megapixels: thirty times what the largest Flux model draws."""


class PictureError(ValueError):
    """The file is surely not a whole picture."""


class CutError(PictureError):
    """The file ends before the picture does."""


class Picture(NamedTuple):
    """What was found; width and height in pixels, 0 where the format does not tell them without being decoded.

    ``check`` is "whole" for a picture that was followed to its end with nothing missing. Else it says why nobody
    looked: "not looked at: " and the reason.
    """

    media_type: str
    width: int
    height: int
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
        raise CutError("the picture is cut short")
    return data

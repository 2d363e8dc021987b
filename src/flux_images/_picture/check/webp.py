"""WebP, to the end, by Pillow."""

from __future__ import annotations

import struct
from typing import IO

from flux_images._picture.check.common import Picture, PictureError, checked_size


def check_webp(file: IO[bytes]) -> Picture:
    """Decode the file, which starts with the signature of RIFF and WebP."""
    file.seek(0, 2)
    length = file.tell()
    file.seek(4)
    (declared,) = struct.unpack("<I", file.read(4))
    file.seek(0)
    if declared + 8 > length:
        raise PictureError("the WebP is cut short")
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise PictureError("checking a WebP picture needs Pillow: pip install 'flux-images[pillow]'") from error
    try:
        with Image.open(file, formats=["WEBP"]) as image:
            width, height = checked_size(*image.size)
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError("the WebP is damaged") from error
    return Picture("image/webp", width, height)

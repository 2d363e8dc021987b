"""GIF, WebP and AVIF: their sizes from the headers; the rest, to the end, by Pillow."""

from __future__ import annotations

import re
import struct
from typing import IO

from flux_images._picture.check.picture import MAX_PIXELS, CutError, Picture, PictureError, checked_size, take

_HEADERS = 2**16
"""Bytes in which the boxes before an AVIF's pixels surely stand."""
_LEAST = 2**16
"""Pixels that a frame counts for at least: there is work in each."""
_BEYOND = re.compile("no codec|not implemented", re.IGNORECASE)


def check_gif(file: IO[bytes]) -> Picture:
    """Decode the file, which starts with GIF's signature."""
    return _decode(file, "GIF", *struct.unpack_from("<HH", take(file, 10), 6))


def check_webp(file: IO[bytes]) -> Picture:
    """Decode the file, which starts with the signatures of RIFF and WebP."""
    head = take(file, 30)
    if int.from_bytes(head[4:8], "little") + 8 > file.seek(0, 2):
        raise CutError("the WebP is cut short")
    kind, width, height = head[12:16], 0, 0
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
    elif kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", head, 26))
    return _decode(file, "WEBP", width, height)


def check_avif(file: IO[bytes]) -> Picture:
    """Decode the file, which starts with a box of types that names AVIF."""
    sizes = [struct.unpack(">II", box[1]) for box in re.finditer(rb"ispe.{4}(.{8})", file.read(_HEADERS), re.DOTALL)]
    # The picture's own size is the largest: the others are those of its tiles and of thumbnails.
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    return _decode(file, "AVIF", width, height)


def _decode(file: IO[bytes], name: str, width: int, height: int) -> Picture:
    if width or height or name == "GIF":
        checked_size(width, height)
    media_type = f"image/{name.lower()}"
    try:
        from PIL import Image, ImageSequence, features
    except ImportError:
        why = "needs Pillow (pip install 'flux-images[pillow]')"
        return Picture(media_type, width, height, f"not looked at: {why}")
    if name != "GIF" and name.lower() not in features.get_supported_modules():
        return Picture(media_type, width, height, f"not looked at: needs a Pillow that knows {name}")
    file.seek(0)
    left = MAX_PIXELS
    try:
        with Image.open(file, formats=[name]) as image:
            for frame in ImageSequence.Iterator(image):
                width, height = checked_size(*frame.size)
                if left <= 0:
                    return Picture(media_type, width, height, "not looked at to its end: it has too many frames")
                frame.load()
                left -= max(width * height, _LEAST)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Picture(media_type, width, height, "not looked at: larger than this program lets Pillow decode")
    except PictureError:
        raise
    except (OSError, ValueError, EOFError, LookupError, SyntaxError, RuntimeError, struct.error) as error:
        if _BEYOND.search(str(error)):
            return Picture(media_type, width, height, f"not looked at: this Pillow cannot decode it ({error})")
        raise PictureError(f"the {name} is damaged or cut short") from error
    return Picture(media_type, width, height)

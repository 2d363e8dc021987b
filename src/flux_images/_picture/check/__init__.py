"""Whether a file is a whole picture: decoded to its end, within limits, before anybody is given it.

PNG and JPEG are walked here, in constant memory: the checksums and the size of a PNG's pixels, every block of
a JPEG's scans. The usual libraries do not do that (libjpeg fills a cut JPEG with grey and says nothing) and
none of them is light. WebP, which no gateway was seen to send, is left to Pillow.
"""

from __future__ import annotations

from typing import IO

from flux_images._picture.check.common import MAX_PIXELS, Picture, PictureError
from flux_images._picture.check.jpeg import check_jpeg
from flux_images._picture.check.png import check_png
from flux_images._picture.check.webp import check_webp

__all__ = ["MAX_PIXELS", "Picture", "PictureError", "check_picture", "is_known"]


def check_picture(file: IO[bytes]) -> Picture:
    """Decode the whole file, and rewind it.

    Raises:
        PictureError: it is not a PNG, JPEG or WebP, is damaged or cut, or is larger than MAX_PIXELS.
    """
    file.seek(0)
    start = file.read(16)
    file.seek(0)
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        picture = check_png(file)
    elif start.startswith(b"\xff\xd8"):
        picture = check_jpeg(file)
    elif start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        picture = check_webp(file)
    else:
        raise PictureError(_what_it_is(start))
    file.seek(0)
    return picture


def _what_it_is(start: bytes) -> str:
    if not start:
        return "the file is empty"
    if start.lstrip()[:1] == b"<":
        return "the file is a web page or XML, not a picture"
    if start.lstrip()[:1] in (b"{", b"["):
        return "the file is JSON, not a picture"
    return "the file is neither PNG, JPEG nor WebP"


def is_known(start: bytes) -> bool:
    """Whether a file that starts so is of a format that is looked at here."""
    return start.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8")) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")

"""Whether a file is a whole picture, before anybody is given it. What is surely not one is refused, and nothing else.

PNG is decoded here, JPEG followed from marker to marker, both in constant memory and without any library; with
simplejpeg, of the extra `fast`, JPEG is decoded too. GIF, WebP and AVIF are left to Pillow. What cannot be looked
at, for want of a library or of an idea what it is, passes and says so.
"""

from __future__ import annotations

import codecs
import re
from typing import IO, TYPE_CHECKING

from flux_images._picture.check.jpeg import check_jpeg
from flux_images._picture.check.picture import MAX_PIXELS, Picture, PictureError
from flux_images._picture.check.pillow import check_avif, check_gif, check_webp
from flux_images._picture.check.png import check_png

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_PIXELS", "Picture", "PictureError", "check_picture", "is_known"]

_FORMATS: tuple[tuple[re.Pattern[bytes], Callable[[IO[bytes]], Picture]], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), check_png),
    (re.compile(rb"\xff\xd8"), check_jpeg),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), check_webp),
    (re.compile(rb"GIF8[79]a"), check_gif),
    (re.compile(rb"....ftyp(?:....){0,16}?avi[fs]", re.DOTALL), check_avif),
)
_START = 512


def check_picture(file: IO[bytes]) -> Picture:
    """Look at the whole file, and rewind it.

    A format that is not known here is "application/octet-stream".

    Raises:
        PictureError: it is damaged, cut, text, or larger than MAX_PIXELS.
    """
    file.seek(0)
    start = file.read(_START)
    file.seek(0)
    for signature, check in _FORMATS:
        if signature.match(start):
            picture = check(file)
            file.seek(0)
            return picture
    if text := _text(start):
        raise PictureError(f"the file is {text}, not a picture")
    return Picture("application/octet-stream", 0, 0, "not looked at: no format that is known here")


def is_known(start: bytes) -> bool:
    """Whether a file that starts so is of a format that is known here."""
    return any(signature.match(start) for signature, _ in _FORMATS)


def _text(start: bytes) -> str | None:
    """What kind of text the file is, if it is one."""
    words = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if not words:
        return "empty"
    if words.startswith(b"<"):
        return "a web page or XML"
    if words.startswith((b"{", b"[")):
        return "JSON"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(words)
    except UnicodeDecodeError:
        return None
    return "text" if "".join(text.split()).isprintable() else None

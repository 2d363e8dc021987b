"""How a picture was made, written into its own file: as text in a PNG, as XMP in a JPEG.

Sources: PNG (third edition), "iTXt"; Adobe's XMP specification, part 3, on JPEG's APP1. Other formats are left as
they came. No pixel changes.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_MOST = 65_500
"""Bytes of text in one segment of a JPEG."""
_PNG_START = 33
"""Bytes of a PNG before its second chunk."""


def described(start: bytes, facts: Mapping[str, str]) -> tuple[bytes, int] | None:
    """What goes into a file that begins with ``start``, and where; None if nothing does.

    ``facts`` are such as ``prompt``, ``model``, ``seed`` and ``request_id``.
    """
    for signature, describe in _FORMATS.items():
        if start.startswith(signature):
            return describe(start, facts)
    return None


def _png(_: bytes, facts: Mapping[str, str]) -> tuple[bytes, int]:
    return b"".join(_texts(facts)), _PNG_START


def _texts(facts: Mapping[str, str]) -> Iterator[bytes]:
    for name, value in facts.items():
        body = b"iTXt" + name.encode("latin-1") + b"\0\0\0\0\0" + value.encode()
        yield struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _jpeg(start: bytes, facts: Mapping[str, str]) -> tuple[bytes, int] | None:
    """After JFIF's own segment, which must be the first."""
    at = 2
    if start[2:4] == b"\xff\xe0":
        at += 2 + int.from_bytes(start[4:6], "big")
    values = " ".join(f"flux:{name}={quoteattr(value)}" for name, value in facts.items())
    text = (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:flux="urn:flux-images:1" {values}/></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()
    if len(text) > _MOST:
        return None
    return b"\xff\xe1" + struct.pack(">H", len(_XMP) + len(text) + 2) + _XMP + text, at


_FORMATS: dict[bytes, Callable[[bytes, Mapping[str, str]], tuple[bytes, int] | None]] = {
    b"\x89PNG\r\n\x1a\n": _png,
    b"\xff\xd8": _jpeg,
}

"""Pictures made by hand, segment by segment and chunk by chunk, and what the check says of a file."""

from __future__ import annotations

import io
import struct
import zlib

from flux_images._picture.check import PictureError, check_picture

EOI = b"\xff\xd9"
SOF = struct.pack(">BHHB", 8, 8, 8, 1) + b"\1\x11\0"
DHT = b"\0" + b"\1" + b"\0" * 15 + b"\0" + b"\x10" + b"\1" + b"\0" * 15 + b"\0"
"""One code in each table: a single 0 bit for DC 0, another for the end of the block."""
SOS = b"\1\1\0\0\x3f\0"


def verdict(data: bytes) -> str:
    """What the check says: "whole", "not looked at: ..." or "refused: ..."; it rewinds what it does not refuse."""
    file = io.BytesIO(data)
    try:
        found = check_picture(file)
    except PictureError as error:
        return f"refused: {error}"
    assert file.tell() == 0
    return found.check


def segment(marker: int, body: bytes) -> bytes:
    """One JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(
    sof: bytes = SOF,
    dht: bytes = DHT,
    sos: bytes = SOS,
    scan: bytes = b"\x3f",
    *,
    kind: int = 0xC0,
    before: bytes = b"",
) -> bytes:
    """A JPEG of one grey block, in two bits."""
    quantization = segment(0xDB, b"\0" + b"\1" * 64)
    return (
        b"\xff\xd8" + before + quantization + segment(kind, sof) + segment(0xC4, dht) + segment(0xDA, sos) + scan + EOI
    )


def without(marker: int, data: bytes) -> bytes:
    """A JPEG without its segments of one kind."""
    kept, at = data[:2], 2
    while data[at + 1] != 0xDA:
        length = 2 + int.from_bytes(data[at + 2 : at + 4])
        kept += data[at : at + length] if data[at + 1] != marker else b""
        at += length
    return kept + data[at:]


def chunk(kind: bytes, body: bytes = b"", *, checksum: int | None = None) -> bytes:
    """One PNG chunk, with its checksum or another."""
    checksum = zlib.crc32(kind + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png(
    width: int = 2,
    height: int = 1,
    *,
    header: bytes | None = None,
    pixels: bytes | None = None,
    idat: bytes | None = None,
    middle: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A grey PNG; ``middle`` and ``after`` stand before and after its pixels."""
    ihdr = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0) if header is None else header
    packed = zlib.compress(b"\0" * (width + 1) * height if pixels is None else pixels) if idat is None else idat
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + middle + chunk(b"IDAT", packed) + after + chunk(b"IEND")

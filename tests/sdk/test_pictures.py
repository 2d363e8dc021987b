"""Whole pictures pass, and nothing else does."""

from __future__ import annotations

import contextlib
import io
import random
import re
import struct
import zlib
from types import ModuleType
from typing import Any

import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from flux_images._picture.check import PictureError, check_picture, jpeg_scan
from flux_images._picture.check import common as limits
from flux_images._picture.check import png as walked
from tests.sdk.pictures import picture

SIZES = [(1, 1), (8, 8), (17, 33), (129, 70)]
JPEGS: list[dict[str, Any]] = [
    {},
    {"quality": 30, "progressive": True},
    {"quality": 95, "progressive": True, "subsampling": 0},
    {"quality": 95, "subsampling": 0},
    {"quality": 95, "subsampling": 1},
    {"optimize": True},
    {"restart_marker_blocks": 3},
    {"restart_marker_rows": 1, "progressive": True},
    {"comment": b"hello \xff\xd9 there"},
]
EOI = b"\xff\xd9"


def named(value: str | bytes) -> str:
    """A case's name: what it says, as bytes can't be told on a command line."""
    return value if isinstance(value, str) else "data"


def check(data: bytes) -> tuple[str, int, int]:
    """Check bytes, and that the file is rewound."""
    file = io.BytesIO(data)
    found = check_picture(file)
    assert file.tell() == 0
    return found


def refused(data: bytes) -> str:
    """Why the bytes are refused."""
    with pytest.raises(PictureError) as caught:
        check_picture(io.BytesIO(data))
    assert re.match(r"the (file|picture|PNG|JPEG|WebP)\b|checking a WebP picture needs Pillow: pip", str(caught.value))
    return str(caught.value)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_every_kind_of_png_passes(mode: str, size: tuple[int, int]) -> None:
    """Colour types and depths, down to one pixel."""
    assert check(picture("PNG", size, mode)) == ("image/png", *size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", JPEGS, ids="-".join)
def test_every_kind_of_jpeg_passes_whole_and_only_whole(
    options: dict[str, Any], mode: str, size: tuple[int, int]
) -> None:
    """Sequential and progressive, subsampled, with restarts; cut anywhere, and closed again, it is refused."""
    data = picture("JPEG", size, mode, **options)
    assert check(data) == ("image/jpeg", *size)
    assert check(data + b"something after the end") == ("image/jpeg", *size)
    start = data.index(b"\xff\xda") + 12
    for at in {start, (start + len(data)) // 2, len(data) - 3, len(data) - 2}:
        refused(data[:at])
        if at < len(data) - 2 and size != (1, 1):
            refused(data[:at] + EOI)


@pytest.mark.parametrize("size", SIZES)
def test_webp_passes_whole_and_only_whole(size: tuple[int, int]) -> None:
    """Lossy and lossless; a cut file is refused, also where its lengths were mended."""
    for options in ({}, {"lossless": True}):
        data = picture("WEBP", size, **options)
        assert check(data) == ("image/webp", *size)
        assert refused(data[:-1]) == "the WebP is cut short"
    cut = data[: len(data) // 2]
    assert refused(cut[:4] + struct.pack("<I", len(cut) - 8) + cut[8:]) == "the WebP is damaged"


def test_webp_without_pillow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    data = picture("WEBP")
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    assert "pip install 'flux-images[pillow]'" in refused(data)


@given(st.data())
@settings(max_examples=200)
def test_any_flipped_bit_in_a_png_is_found(data: st.DataObject) -> None:
    """Every byte stands under a checksum, or is one."""
    whole = bytearray(picture("PNG", (9, 7)))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    refused(bytes(whole))


@given(st.sampled_from(["PNG", "JPEG"]), st.data())
@settings(max_examples=100)
def test_any_cut_is_found(kind: str, data: st.DataObject) -> None:
    """No beginning of a picture passes for one."""
    whole = picture(kind, (40, 30))
    refused(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_jpeg_never_breaks_the_check(data: st.DataObject) -> None:
    """Whatever the damage, it passes or is refused, and nothing else."""
    whole = bytearray(picture("JPEG", (40, 30), progressive=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(2, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PictureError):
        check_picture(io.BytesIO(bytes(whole)))


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    """One PNG chunk, with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int = 2, height: int = 1, *, header: bytes | None = None, pixels: bytes | None = None, middle: bytes = b""
) -> bytes:
    """A grey PNG, made by hand."""
    ihdr = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0) if header is None else header
    idat = zlib.compress(b"\0" * (width + 1) * height if pixels is None else pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + middle + chunk(b"IDAT", idat) + chunk(b"IEND")


def test_pngs_that_nobody_else_made() -> None:
    """Interlaced, split over several chunks, with empty ones and unknown ones between."""
    interlaced = struct.pack(">IIBBBBB", 5, 3, 8, 0, 0, 0, 1)
    # Adam7 on 5 x 3: passes 1, 2, 4, 5, 6 and 7 have pixels; pass 3 starts below the last row.
    passes = [(1, 1), (1, 1), (1, 1), (1, 3), (2, 2), (1, 5)]
    rows = b"".join((b"\4" + b"\0" * columns) * count for count, columns in passes)
    assert check(png(header=interlaced, pixels=rows)) == ("image/png", 5, 3)
    refused(png(header=interlaced, pixels=rows + b"\0"))
    assert "filter" in refused(png(header=interlaced, pixels=rows[:-6] + b"\5" + rows[-5:]))
    data = zlib.compress(b"\0\1\2")
    split = b"".join(chunk(b"IDAT", part) for part in (data[:3], b"", data[3:]))
    whole = png()
    assert check(whole[:33] + split + chunk(b"IEND")) == ("image/png", 2, 1)
    assert check(png(middle=chunk(b"teXt", b"hello"))) == ("image/png", 2, 1)
    assert check(whole + b"trailing") == ("image/png", 2, 1)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (png(pixels=b"\0\0"), "cut short: 2 bytes of pixels instead of 3"),
        (png(pixels=b"\0\0\0\0"), "more pixels"),
        (png(pixels=b"\5\0\0"), "filter"),
        (png(2, 2, pixels=b"\0\0\0\5\0\0"), "filter"),
        (png(0, 1), "0 x 1 pixels"),
        (png(1, 0), "1 x 0 pixels"),
        (png(20_000, 20_000, pixels=b""), "the limit is 134217728"),
        (png(header=struct.pack(">IIBBBBB", 1, 1, 3, 0, 0, 0, 0)), "does not know"),
        (png(header=struct.pack(">IIBBBBB", 1, 1, 8, 1, 0, 0, 0)), "does not know"),
        (png(header=struct.pack(">IIBBBBB", 1, 1, 8, 0, 1, 0, 0)), "does not know"),
        (png(header=struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 1, 0)), "does not know"),
        (png(header=struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 2)), "does not know"),
        (png(header=struct.pack(">IIBBBBB", 1, 1, 8, 3, 0, 0, 0)), "no palette"),
        (png(header=b""), "does not start with its header"),
        (png(middle=chunk(b"IHDR", b"x" * 13)), "IHDR in the wrong place"),
        (png(middle=chunk(b"IDAT", zlib.compress(b"\0\0\0")) + chunk(b"teXt")), "IDAT in the wrong place"),
        (png(middle=chunk(b"IDAT", b"no zlib")), "cannot be inflated"),
        (png()[:33] + chunk(b"IEND"), "0 bytes of pixels"),
        (png()[:33] + chunk(b"IDAT", zlib.compress(b"\0\0\0")[:-1]) + chunk(b"IEND"), "cut short"),
        (png()[:33] + b"\xff\xff\xff\xffIDAT", "impossible head"),
        (png()[:33] + b"\0\0\0\0ID1T\0\0\0\0", "impossible head"),
        (b"", "is empty"),
        (b"  <html>", "a web page"),
        (b'{"error":1}', "is JSON"),
        (b"GIF89a", "neither PNG, JPEG nor WebP"),
        (b"RIFF\0\0\0\0WAVE", "neither PNG, JPEG nor WebP"),
    ],
    ids=named,
)
def test_what_is_no_picture_says_why(data: bytes, says: str) -> None:
    """Headers, sizes, order, filters and checksums; and files that are something else."""
    assert says in refused(data)


@pytest.mark.parametrize("inflater", [zlib, isal_zlib], ids=["zlib", "isal"])
@pytest.mark.parametrize("row", [b"\0" * 331, b"\0" + b"a medal on a ribbon" * 53, b"\0" + bytes(range(256)) * 4])
@pytest.mark.parametrize("height", [1, 64, 65, 197, 198, 1000, 3971])
def test_a_png_whose_pixels_come_late(
    inflater: ModuleType, row: bytes, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A well compressed picture is whole when its file is: what was inflated last may wait inside the library."""
    monkeypatch.setattr(walked, "zlib", inflater)
    width = len(row) - 1
    assert check(png(width, height, pixels=row * height)) == ("image/png", width, height)
    assert "cut short" in refused(png(width, height + 1, pixels=row * height))


def test_a_bomb_is_not_inflated() -> None:
    """A gigabyte of zeros behind a small header stops at the header's size."""
    bomb = zlib.compressobj(9)
    packed = b"".join(bomb.compress(b"\0" * 2**20) for _ in range(64)) + bomb.flush()
    assert "more pixels" in refused(png()[:33] + chunk(b"IDAT", packed) + chunk(b"IEND"))


def test_the_pixel_limit_itself_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pixel more is not."""
    monkeypatch.setattr(limits, "MAX_PIXELS", 6)
    assert check(png(3, 2)) == ("image/png", 3, 2)
    refused(png(7, 1))


def segment(marker: int, body: bytes) -> bytes:
    """One JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


SOF = struct.pack(">BHHB", 8, 8, 8, 1) + b"\1\x11\0"
DHT = b"\0" + b"\1" + b"\0" * 15 + b"\0" + b"\x10" + b"\1" + b"\0" * 15 + b"\0"
"""One code in each table: a single 0 bit for DC 0, another for the end of the block."""
SOS = b"\1\1\0\0\x3f\0"


def jpeg(
    sof: bytes = SOF,
    dht: bytes = DHT,
    sos: bytes = SOS,
    scan: bytes = b"\x3f",
    *,
    kind: int = 0xC0,
    before: bytes = b"",
) -> bytes:
    """A JPEG of one block, made by hand."""
    return b"\xff\xd8" + before + segment(kind, sof) + segment(0xC4, dht) + segment(0xDA, sos) + scan + EOI


def test_the_smallest_jpeg() -> None:
    """One grey block in two bits; fill bytes before a marker are allowed."""
    assert check(jpeg()) == ("image/jpeg", 8, 8)
    assert check(jpeg()[:-2] + b"\xff\xff" + EOI) == ("image/jpeg", 8, 8)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (jpeg(scan=b""), "cut short"),
        (jpeg(scan=b"\xc0"), "does not know|cut short|does not end"),
        (jpeg(scan=b"\x3f\x3f"), "does not end with its last block"),
        (jpeg(kind=0xC3), "of a kind that is not used"),
        (jpeg(kind=0xC9), "of a kind that is not used"),
        (jpeg(before=segment(0xC0, SOF)), "of a kind that is not used"),
        (jpeg(before=segment(0xDC, b"\0\1")), "of a kind that is not used"),
        (jpeg(before=segment(0xDA, SOS)), "before the frame"),
        (jpeg(before=b"\xff\xd0"), "in the wrong place"),
        (jpeg(before=b"\0"), "no marker"),
        (jpeg(before=b"\xff\xe0\0\1"), "impossible length"),
        (jpeg(before=segment(0xDD, b"")), "its segment"),
        (jpeg(sof=b"\x08"), "its segment"),
        (jpeg(sof=b"\x09" + SOF[1:]), "its frame"),
        (jpeg(sof=SOF[:-1]), "its frame"),
        (jpeg(sof=SOF[:5] + b"\5" + SOF[6:]), "its frame"),
        (jpeg(sof=SOF[:7] + b"\x51\0"), "its frame"),
        (jpeg(sof=SOF[:7] + b"\x10\0"), "its frame"),
        (jpeg(sof=SOF[:5] + b"\2" + SOF[6:] * 2), "its frame"),
        (jpeg(sof=SOF[:1] + b"\0\0" + SOF[3:]), "8 x 0 pixels"),
        (jpeg(sof=SOF[:1] + b"\xff\xff\xff\xff" + SOF[5:]), "the limit is"),
        (jpeg(dht=b"\0\1"), "is cut or unknown"),
        (jpeg(dht=b"\x20" + DHT[1:]), "is cut or unknown"),
        (jpeg(dht=b"\x04" + DHT[1:]), "is cut or unknown"),
        (jpeg(dht=b"\0" + b"\3" + b"\0" * 15 + b"\0\1\2"), "too many codes"),
        (jpeg(dht=DHT[:18]), "its scan"),
        (jpeg(dht=DHT[18:]), "its scan"),
        (jpeg(sos=b""), "its scan"),
        (jpeg(sos=b"\2" + SOS[1:]), "its scan"),
        (jpeg(sos=b"\1\2" + SOS[2:]), "its scan"),
        (jpeg(sos=b"\1\1\0\1\0\0", kind=0xC2), "its scan"),
        (jpeg(sos=b"\1\1\0\1\x40\0", kind=0xC2), "its scan"),
        (jpeg(sos=b"\1\1\0\0\5\0", kind=0xC2), "its scan"),
        (jpeg(sos=b"\1\1\0\0\0\0", kind=0xC2, scan=b"\x7f"), "scans are missing"),
        (jpeg(sos=b"\1\1\0\0\0\1", kind=0xC2, scan=b"\x7f"), "scans are missing"),
        (b"\xff\xd8" + segment(0xC0, SOF) + EOI, "scans are missing"),
        (b"\xff\xd8" + EOI, "scans are missing"),
        (jpeg(before=segment(0xDD, b"\0\1"), sof=SOF[:3] + b"\0\x10" + SOF[5:]), "restart marker|does not end"),
    ],
    ids=named,
)
def test_a_jpeg_that_is_wrong_says_why(data: bytes, says: str) -> None:
    """Markers, frames, tables and scans that contradict the standard or each other."""
    assert re.search(says, refused(data))


@pytest.mark.parametrize("quality", [5, 20, 60, 95])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("pattern", ["checks", "stripes", "noise"])
def test_sharp_pictures_use_every_code(
    pattern: str, progressive: bool, quality: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs of sixteen zeros and refined values, in windows that end within each scan; one block more is too much."""
    monkeypatch.setattr(jpeg_scan, "_WINDOW", 700)
    monkeypatch.setattr(jpeg_scan, "_MARGIN", 200)
    grid = [(x, y) for y in range(96) for x in range(128)]
    pixels = {
        "checks": bytes((x + y) % 2 * 255 for x, y in grid),
        "stripes": bytes(x % 2 * 200 + y // 9 % 2 * 20 for x, y in grid),
        "noise": random.Random(7).randbytes(len(grid)),
    }[pattern]
    file = io.BytesIO()
    PIL.Image.frombytes("L", (128, 96), pixels).save(file, "JPEG", quality=quality, progressive=progressive)
    data = file.getvalue()
    assert check(data) == ("image/jpeg", 128, 96)
    for wrong in (95 - 8, 96 + 8):
        frame = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
        refused(data[: frame + 5] + struct.pack(">H", wrong) + data[frame + 7 :])


def test_filters_are_checked_in_every_piece() -> None:
    """A row far behind the first 64 KiB of pixels counts like the first."""
    rows = [b"\4" + bytes((255, x % 256)) * 150 for x in range(400)]
    assert check(png(300, 400, pixels=b"".join(rows))) == ("image/png", 300, 400)
    for at in (0, 217, 218, 399):
        broken = [*rows]
        broken[at] = b"\5" + rows[at][1:]
        assert refused(png(300, 400, pixels=b"".join(broken))).endswith("a row has a filter that PNG does not know")


def test_a_large_picture_is_read_in_pieces() -> None:
    """Scans longer than the window are followed across it, with markers and stuffed bytes at any place."""
    noise = PIL.Image.frombytes("RGB", (400, 300), random.Random(7).randbytes(360_000))
    for progressive in (False, True):
        file = io.BytesIO()
        noise.save(file, "JPEG", quality=97, progressive=progressive)
        assert len(file.getvalue()) > 2 * 2**16
        assert check(file.getvalue()) == ("image/jpeg", 400, 300)
        refused(file.getvalue()[:-40] + EOI)
    file = io.BytesIO()
    noise.save(file, "PNG")
    assert check(file.getvalue()) == ("image/png", 400, 300)

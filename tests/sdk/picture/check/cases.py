"""Files, and what is said of each: where no library is there, and where all are (isal, simplejpeg, Pillow).

A verdict is "whole", or a part of "refused: ..." or "not looked at: ...".
"""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import NamedTuple

import PIL.Image

from tests.sdk.picture.check.files import DHT, EOI, SOF, SOS, chunk, jpeg, png, segment, without
from tests.sdk.pictures import picture

WHOLE = "whole"
CUT = "refused: the JPEG is cut short"
DAMAGED = "refused: the JPEG is damaged"
NEEDS_PILLOW = "not looked at: needs Pillow (pip install 'flux-images[pillow]')"
UNKNOWN = "not looked at: no format that is known here"


class Case(NamedTuple):
    """``alone`` without any library; ``helped`` with all of them, the same unless given."""

    name: str
    data: bytes
    alone: str
    helped: str | None = None


def _noise(size: tuple[int, int], kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    PIL.Image.effect_noise(size, 60).convert("RGB").save(file, kind, **options)
    return file.getvalue()


JPEG = picture("JPEG", (129, 70), quality=90)
PROGRESSIVE = picture("JPEG", (129, 70), quality=90, progressive=True)
RESTARTS = picture("JPEG", (129, 70), quality=90, restart_marker_blocks=3)
FRAME, SCAN = JPEG.index(b"\xff\xc0"), JPEG.index(b"\xff\xda")
LAST_SCAN = PROGRESSIVE.rindex(b"\xff\xda")
ARITHMETIC = base64.b64decode(  # 16 x 16, by `cjpeg -arithmetic -quality 5 -grayscale`
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wCDEACgAG4AeACMAHgAZACgAIwAggCMALQAqgCgAL4A8AGQAQQA8ADcANwA8AHqAV4BcgEi"
    "AZACRAH+AmICWAI6Af4CMAImAoAC0AOYAwwCgAKoA2YCsgImAjADIARCAyoDZgO2A9QEBgQQBAYCbAMCBGoEugRgA+gEsAOYA/IE"
    "BgPe/8kACwgAEAAQAQERAP/MAAYAEBAF/9oACAEBAAA/APu9yzBWvB//2Q=="
)
LOSSLESS = jpeg(kind=0xC3, dht=DHT[:18], sos=b"\1\1\0\1\0\0", scan=b"\0" * 8)
REPEATED_HEIGHT = segment(0xDC, JPEG[FRAME + 5 : FRAME + 7])

JPEGS = (
    Case("jpeg", JPEG, WHOLE),
    Case("jpeg, progressive", PROGRESSIVE, WHOLE),
    Case("jpeg, restarts", RESTARTS, WHOLE),
    Case("jpeg, CMYK", picture("JPEG", (17, 33), "CMYK"), WHOLE),
    Case("jpeg, one block", jpeg(), WHOLE),
    Case("jpeg, arithmetic", ARITHMETIC, WHOLE),
    Case("jpeg, lossless", LOSSLESS, WHOLE),
    Case("jpeg, no Huffman tables (MJPEG)", without(0xC4, JPEG), WHOLE),
    Case("jpeg, trailing bytes", JPEG + b"trailing \xff\xda", WHOLE),
    Case("jpeg, two of them", JPEG + PROGRESSIVE, WHOLE),
    Case("jpeg, a comment like a marker", picture("JPEG", comment=b"hello \xff\xd9 there"), WHOLE),
    Case("jpeg, junk between segments", JPEG[:FRAME] + b"junk \xff\0" + JPEG[FRAME:], WHOLE),
    Case("jpeg, junk and a restart between segments", JPEG[:FRAME] + b"\0\xff\xd0\xff\x01" + JPEG[FRAME:], WHOLE),
    Case("jpeg, much junk between segments", JPEG[:FRAME] + b"junk" * 40_000 + JPEG[FRAME:], WHOLE),
    Case("jpeg, junk between scans", PROGRESSIVE[:LAST_SCAN] + b"junk" + PROGRESSIVE[LAST_SCAN:], WHOLE),
    Case("jpeg, fill between segments", JPEG[:FRAME] + b"\xff" * 9 + JPEG[FRAME:], WHOLE),
    Case("jpeg, much fill", JPEG[:-2] + b"\xff" * 70_000 + EOI, WHOLE),
    Case("jpeg, zeros before the end", JPEG[:-2] + b"\0" * 500 + EOI, WHOLE),
    Case("jpeg, extra bytes before the end", JPEG[:-2] + b"extra" + EOI, WHOLE),
    Case("jpeg, height repeated", JPEG[:-2] + REPEATED_HEIGHT + EOI, WHOLE),
    Case("jpeg, no end marker", JPEG[:-2], CUT, WHOLE),
    Case("jpeg, half an end marker", JPEG[:-1], CUT, WHOLE),
    Case("jpeg, progressive, no end marker", PROGRESSIVE[:-2], CUT, WHOLE),
    Case("jpeg, cut in the scan", JPEG[:-40], CUT, DAMAGED),
    Case("jpeg, cut in the scan and closed again", JPEG[:-40] + EOI, WHOLE, DAMAGED),
    Case("jpeg, cut in a segment", JPEG[: FRAME + 6], "refused: the picture is cut short"),
    Case("jpeg, cut between scans", PROGRESSIVE[:LAST_SCAN], "refused: the JPEG is cut short: scans are missing"),
    Case("jpeg, a component missing", jpeg(SOF[:5] + b"\2" + SOF[6:] + b"\2\x11\0"), "scans are missing"),
    Case("jpeg, cut between scans and closed again", PROGRESSIVE[:LAST_SCAN] + EOI, "scans are missing"),
    Case("jpeg, no scan", JPEG[:SCAN] + EOI, "refused: the JPEG is cut short: scans are missing"),
    Case("jpeg, nothing", b"\xff\xd8" + EOI, "refused: the JPEG is cut short: scans are missing"),
    Case("jpeg, bytes overwritten", JPEG[:SCAN + 60] + b"\x01" * 200 + JPEG[SCAN + 260 :], WHOLE, DAMAGED),
    Case("jpeg, bytes lost", JPEG[: SCAN + 60] + JPEG[SCAN + 160 :], WHOLE, DAMAGED),
    Case("jpeg, bytes twice", JPEG[: SCAN + 200] + JPEG[SCAN + 50 :], WHOLE, DAMAGED),
    Case("jpeg, a restart lost", RESTARTS.replace(b"\xff\xd3", b"\x12\x34", 1), WHOLE, DAMAGED),
    Case("jpeg, no quantization", without(0xDB, JPEG), WHOLE, DAMAGED),
    Case("jpeg, 12 bits", JPEG[: FRAME + 4] + b"\x0c" + JPEG[FRAME + 5 :], "12 bits a colour, which no viewer shows"),
    Case("jpeg, hierarchical", jpeg(kind=0xC5), "a marker is in the wrong place"),
    Case("jpeg, two frames", jpeg(before=segment(0xC0, SOF)), "a marker is in the wrong place"),
    Case("jpeg, a scan before the frame", jpeg(before=segment(0xDA, SOS)), "a marker is in the wrong place"),
    Case("jpeg, a start within", jpeg(before=b"\xff\xd8"), "a marker is in the wrong place"),
    Case("jpeg, an impossible length", jpeg(before=b"\xff\xe0\0\1"), "impossible length"),
    Case("jpeg, a short frame", jpeg(sof=b"\x08"), "its frame does not make sense"),
    Case("jpeg, a frame of no components", jpeg(sof=SOF[:5] + b"\0"), "its frame does not make sense"),
    Case("jpeg, a frame of too few", jpeg(sof=SOF[:-1]), "its frame does not make sense"),
    Case("jpeg, an empty scan header", jpeg(sos=b""), "its scan does not make sense"),
    Case("jpeg, a scan of too few", jpeg(sos=b"\2" + SOS[1:]), "its scan does not make sense"),
    Case("jpeg, a scan of another", jpeg(sos=b"\1\2" + SOS[2:]), "its scan does not make sense"),
    Case("jpeg, no block", jpeg(scan=b""), WHOLE, DAMAGED),
    Case("jpeg, no height", jpeg(sof=SOF[:1] + b"\0\0" + SOF[3:]), "8 x 0 pixels"),
    Case("jpeg, too large", jpeg(sof=SOF[:1] + b"\xff\xff\xff\xff" + SOF[5:]), "the limit is 134217728"),
)  # fmt: skip

PNG = picture("PNG", (129, 70))
GREY = zlib.compress(b"\0\1\2")
INDEXED = struct.pack(">IIBBBBB", 1, 1, 8, 3, 0, 0, 0)
INTERLACED = struct.pack(">IIBBBBB", 5, 3, 8, 0, 0, 0, 1)
# Adam7 on 5 x 3: passes 1, 2, 4, 5, 6 and 7 have pixels; pass 3 starts below the last row.
PASSES = [(1, 1), (1, 1), (1, 1), (1, 3), (2, 2), (1, 5)]
ADAM7 = b"".join((b"\4" + b"\0" * columns) * count for count, columns in PASSES)
SPLIT = [GREY[1:3], b"", GREY[3:]]
HEADERS = [(1, 3, 0, 0, 2), (3, 0, 0, 0, 0), (8, 1, 0, 0, 0), (8, 0, 1, 0, 0), (8, 0, 0, 1, 0), (8, 0, 0, 0, 2)]
_PACKER = zlib.compressobj(9)
BOMB = b"".join(_PACKER.compress(b"\0" * 2**20) for _ in range(64)) + _PACKER.flush()

PNGS = (
    Case("png", PNG, WHOLE),
    Case("png, made by hand", png(), WHOLE),
    Case("png, interlaced", png(header=INTERLACED, pixels=ADAM7), WHOLE),
    Case("png, trailing bytes", PNG + b"trailing", WHOLE),
    Case("png, an unknown ancillary chunk", png(middle=chunk(b"teXt", b"hello")), WHOLE),
    Case("png, an ancillary chunk with a wrong checksum", png(middle=chunk(b"tEXt", b"a\0b", checksum=1)), WHOLE),
    Case("png, no checksum of the pixels", png(idat=GREY[:-4]), WHOLE),
    Case("png, a wrong checksum of the pixels", png(idat=GREY[:-1] + b"\7"), WHOLE),
    Case("png, a byte too many", png(pixels=b"\0\1\2\3"), WHOLE),
    Case("png, a row too many", png(pixels=b"\0\1\2\0\1\2"), WHOLE),
    Case("png, interlaced, a byte too many", png(header=INTERLACED, pixels=ADAM7 + b"\0"), WHOLE),
    Case("png, 64 MiB too many", png(idat=BOMB), WHOLE),
    Case("png, no end chunk", PNG[:-12], WHOLE),
    Case("png, a late IDAT", png(after=chunk(b"teXt") + chunk(b"IDAT", b"late")), WHOLE),
    Case("png, split", png(idat=GREY[:1], after=b"".join(chunk(b"IDAT", part) for part in SPLIT)), WHOLE),
    Case("png, cut in the end chunk", PNG[:-3], "refused: the picture is cut short"),
    Case("png, cut in a checksum", PNG[:-14], "refused: the picture is cut short"),
    Case("png, cut in the pixels", PNG[:-40], "refused: the picture is cut short"),
    Case("png, cut in an ancillary chunk", png(after=chunk(b"teXt", b"hello"))[:-14], "the picture is cut short"),
    Case("png, cut in a chunk's head", PNG[:-5], "refused: the PNG is cut short"),
    Case("png, no pixels", png()[:33] + chunk(b"IEND"), "cut short: 0 bytes of pixels instead of 3"),
    Case("png, a byte too few", png(pixels=b"\0\0"), "cut short: 2 bytes of pixels instead of 3"),
    Case("png, compressed pixels cut", png(idat=GREY[:5]), "cut short"),
    Case("png, an unknown critical chunk", png(middle=chunk(b"FLUX")), "a chunk FLUX that no viewer knows"),
    Case("png, an unknown critical chunk at the end", png(after=chunk(b"FLUX")), "a chunk FLUX that no viewer knows"),
    Case("png, IHDR twice", png(middle=chunk(b"IHDR", b"x" * 13)), "a chunk IHDR that no viewer knows in its place"),
    Case("png, IDAT apart", png(idat=GREY[:4], after=chunk(b"teXt") + chunk(b"IDAT", GREY[4:])), "wrong place"),
    Case("png, a palette with a wrong checksum", png(middle=chunk(b"PLTE", b"abc", checksum=1)), "checksum"),
    Case("png, pixels with a wrong checksum", png()[:33] + chunk(b"IDAT", GREY, checksum=1), "checksum of its IDAT"),
    Case("png, no palette", png(header=INDEXED), "no palette"),
    Case("png, a palette", png(header=INDEXED, middle=chunk(b"PLTE", b"abc"), pixels=b"\0\0"), WHOLE),
    Case("png, no header", png(header=b""), "does not start with its header"),
    Case("png, a strange filter", png(pixels=b"\5\0\0"), "filter"),
    Case("png, a strange filter below", png(2, 2, pixels=b"\0\0\0\5\0\0"), "filter"),
    Case("png, a strange filter in a pass", png(header=INTERLACED, pixels=ADAM7[:-6] + b"\5" + ADAM7[-5:]), "filter"),
    Case("png, no zlib", png(idat=b"no zlib"), "cannot be inflated"),
    Case("png, zlib's header damaged", png(idat=b"\x79" + GREY[1:]), "cannot be inflated"),
    Case("png, deflate damaged", png(idat=GREY[:2] + b"\x07" + GREY[3:]), "cannot be inflated"),
    Case("png, an impossible length", png()[:33] + b"\xff\xff\xff\xffIDAT", "impossible head"),
    Case("png, an impossible kind", png()[:33] + b"\0\0\0\0ID1T\0\0\0\0", "impossible head"),
    Case("png, no width", png(0, 1), "0 x 1 pixels"),
    Case("png, no height", png(1, 0), "1 x 0 pixels"),
    Case("png, too large", png(20_000, 20_000, pixels=b""), "the limit is 134217728"),
    *(
        Case(f"png, header {values}", png(header=struct.pack(">IIBBBBB", 1, 1, *values)), "does not know")
        for values in HEADERS
    ),
)  # fmt: skip

GIF, WEBP, AVIF = (_noise((60, 40), kind) for kind in ("GIF", "WEBP", "AVIF"))
MENDED = WEBP[:4] + struct.pack("<I", 392) + WEBP[8:400]
LARGE_WEBP = WEBP[:12] + b"VP8X\n\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff" + WEBP[30:]
LARGE_AVIF = AVIF.replace(b"ispe\0\0\0\0\0\0\0<\0\0\0(", b"ispe\0\0\0\0\0\0\xff<\0\0\xff(")
GIF_HEAD, GIF_FRAME = b"GIF89a\1\0\1\0\x80\0\0" + b"\0" * 6, b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"

OTHERS = (
    Case("gif", GIF, NEEDS_PILLOW, WHOLE),
    Case("gif, trailing bytes", GIF + b"trailing", NEEDS_PILLOW, WHOLE),
    Case("gif, no trailer", GIF[:-1], NEEDS_PILLOW, WHOLE),
    Case("gif, cut", GIF[:-40], NEEDS_PILLOW, "refused: the GIF is damaged or cut short"),
    Case("gif, its first bytes", b"GIF89a", "refused: the picture is cut short"),
    Case("gif, no pixels", GIF_HEAD.replace(b"\1\0\1\0", b"\0\0\1\0"), "0 x 1 pixels"),
    Case("gif, too large", b"GIF89a\xff\xff\xff\xff\0\0\0", "the limit is 134217728"),
    Case("gif, thousands of frames", GIF_HEAD + GIF_FRAME * 3000 + b";", NEEDS_PILLOW, "not looked at to its end"),
    Case("webp", WEBP, NEEDS_PILLOW, WHOLE),
    Case("webp, cut", WEBP[:-1], "refused: the WebP is cut short"),
    Case("webp, cut and its length mended", MENDED, NEEDS_PILLOW, "refused: the WEBP is damaged"),
    Case("webp, too large", LARGE_WEBP, "the limit is 134217728"),
    Case("avif", AVIF, NEEDS_PILLOW, WHOLE),
    Case("avif, cut", AVIF[:-1], NEEDS_PILLOW, "refused: the AVIF is damaged or cut short"),
    Case("avif, cut in the boxes", AVIF[:99], NEEDS_PILLOW, "refused: the AVIF is damaged or cut short"),
    Case("avif, too large", LARGE_AVIF, "the limit is 134217728"),
    Case("bmp", picture("BMP"), UNKNOWN),
    Case("tiff", picture("TIFF"), UNKNOWN),
    Case("heic", AVIF.replace(b"avif", b"heic"), UNKNOWN),
    Case("noise", bytes(range(200, 256)) * 9, UNKNOWN),
    Case("sound", b"RIFF\0\0\0\0WAVE", UNKNOWN),
    Case("empty", b"", "refused: the file is empty"),
    Case("white space", b" \n\t", "refused: the file is empty"),
    Case("a web page", b"  <html>", "refused: the file is a web page or XML"),
    Case("a web page in GBK", "<html>令牌".encode("gbk"), "refused: the file is a web page or XML"),
    Case("svg after a byte order mark", b"\xef\xbb\xbf<svg/>", "refused: the file is a web page or XML"),
    Case("JSON", b'{"error":1}', "refused: the file is JSON"),
    Case("a list in JSON", b"\n[1]", "refused: the file is JSON"),
    Case("a sentence", b"upstream error", "refused: the file is text"),
    Case("a Chinese sentence", "无效的令牌".encode() * 99, "refused: the file is text"),
)  # fmt: skip

CASES = (*JPEGS, *PNGS, *OTHERS)

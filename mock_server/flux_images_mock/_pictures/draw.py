"""Draw a picture: the prompt, legibly, on a pleasant background, the same one for the same request."""

from __future__ import annotations

import colorsys
import hashlib
import io
import math
import struct
import zlib
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw, ImageOps

from flux_images_mock._options import Size
from flux_images_mock._pictures.text import fit, write

Format = Literal["jpeg", "png"]

_PREVIEW = 512  # the longer side
_FULL = 4 * 1024 * 1024  # flux-model: about 4 megapixels, sides in steps of 32
_STEP = 32
# flux-model: what flux-pro-1.1-ultra draws for the ratios that hosts offer.
_TABLE = {
    (21, 9): (3136, 1344),
    (16, 9): (2752, 1536),
    (4, 3): (2368, 1792),
    (3, 2): (2496, 1664),
    (1, 1): (2048, 2048),
    (2, 3): (1664, 2496),
    (3, 4): (1792, 2368),
    (9, 16): (1536, 2752),
    (9, 21): (1344, 3136),
}
_MOST_CHARACTERS = 1200
_COMMENT = 65_533  # bytes that one JPEG comment holds


class Picture(NamedTuple):
    """What a picture shows and how: it is drawn from nothing else. `ratio` is width over height."""

    model: str
    prompt: str
    ratio: tuple[int, int]
    seed: int | None
    index: int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]  # not to be searched
    format: Format
    size: Size = "preview"
    least_bytes: int = 0


def draw(picture: Picture) -> bytes:
    """Return the picture's file."""
    image = _background(picture)
    _write(image, picture)
    buffer = io.BytesIO()
    options = {"quality": 88} if picture.format == "jpeg" else {"compress_level": 3}
    image.save(buffer, picture.format.upper(), **options)
    file = buffer.getvalue()
    missing = picture.least_bytes - len(file)
    return file if missing <= 0 else _pad(file, missing, picture.format)


def pixels(ratio: tuple[int, int], size: Size) -> tuple[int, int]:
    """Return width and height for a ratio of width to height."""
    width, height = ratio
    if size == "preview":
        longer = max(width, height)
        return max(1, round(_PREVIEW * width / longer)), max(1, round(_PREVIEW * height / longer))
    divisor = math.gcd(width, height)
    known = _TABLE.get((width // divisor, height // divisor))
    if known is not None:
        return known
    scale = math.sqrt(_FULL / (width * height)) / _STEP
    return max(1, round(width * scale)) * _STEP, max(1, round(height * scale)) * _STEP


def _background(picture: Picture) -> Image.Image:
    # How large picture and file are changes no colour.
    parts = f"{picture.model}\n{picture.ratio}\n{picture.seed}\n{picture.index}\npreview\n0\n{picture.prompt}"
    digest = hashlib.blake2b(parts.encode(errors="surrogatepass"), digest_size=2).digest()
    hue = digest[0] / 255
    colours = [colorsys.hls_to_rgb((hue + shift) % 1, light, 0.55) for shift, light in ((0, 0.24), (0.12, 0.5))]
    dark, light = (tuple(round(255 * part) for part in colour) for colour in colours)
    size = pixels(picture.ratio, picture.size)
    slope = ImageOps.fit(Image.linear_gradient("L").rotate(digest[1] % 4 * 90), size)
    glow = ImageOps.fit(Image.radial_gradient("L"), size)
    return ImageOps.colorize(Image.blend(slope, ImageOps.invert(glow), 0.35), dark, light)


def _write(image: Image.Image, picture: Picture) -> None:
    width, height = image.size
    margin = max(4, min(width, height) // 12)
    room = (width - 2 * margin, height - 3 * margin)
    canvas = ImageDraw.Draw(image)
    size, lines = fit(picture.prompt[:_MOST_CHARACTERS], room, max(image.size))
    step = round(size * 1.25)
    top = margin + max(0, (room[1] - step * len(lines)) // 2)
    for number, line in enumerate(lines):
        write(canvas, (margin, top + number * step), line, size)
    seed = "" if picture.seed is None else f"  seed {picture.seed}"
    caption = f"{picture.model}  {picture.ratio[0]}:{picture.ratio[1]}{seed}  #{picture.index + 1}"
    small = max(9, margin // 3)
    _, lines = fit(caption.replace("\n", " "), (room[0], 2 * small), small * 40, sizes=(small,))
    write(canvas, (margin, height - margin), lines[0], small)


def _pad(file: bytes, missing: int, file_format: str) -> bytes:
    """Return the same picture in a file that is at least `missing` bytes longer."""
    if file_format == "png":
        content = b"paDd" + bytes(missing)
        chunk = struct.pack(">I", missing) + content + struct.pack(">I", zlib.crc32(content))
        return file[:-12] + chunk + file[-12:]
    comment = b"\xff\xfe" + struct.pack(">H", _COMMENT + 2) + bytes(_COMMENT)
    return file[:2] + comment * -(-missing // _COMMENT) + file[2:]

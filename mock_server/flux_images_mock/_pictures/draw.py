"""Draw a picture: the prompt, legibly, on a pleasant background, the same one for the same request."""

from __future__ import annotations

import colorsys
import hashlib
import io
import struct
import zlib
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw, ImageOps

from flux_images_mock._pictures.sizes import Size, pixels
from flux_images_mock._pictures.text import fit, write

Format = Literal["jpeg", "png"]

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

    @property
    def name(self) -> str:
        """A name for the picture's file, different for different pictures."""
        return f"{self.digest(12).hex()}.{self.format}"

    def digest(self, size: int) -> bytes:
        """Return bytes that differ from picture to picture."""
        parts = f"{self.model}\n{self.ratio}\n{self.seed}\n{self.index}\n{self.size}\n{self.least_bytes}\n{self.prompt}"
        return hashlib.blake2b(parts.encode(errors="surrogatepass"), digest_size=size).digest()


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


def _background(picture: Picture) -> Image.Image:
    digest = picture._replace(size="preview", least_bytes=0).digest(2)  # what the file is like changes no colour
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

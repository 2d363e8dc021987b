"""Draw a picture: the prompt, legibly, on a pleasant background, the same one for the same request."""

from __future__ import annotations

import colorsys
import hashlib
import io
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw, ImageFont, ImageOps

LONG_SIDE = 512
"""The longer side of a picture, in pixels."""

_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "/System/Library/Fonts", "C:/Windows/Fonts")
_FAMILIES = ("NotoSansCJK-Regular", "NotoSansCJKsc-Regular", "wqy-microhei", "msyh", "PingFang", "DejaVuSans", "arial")
_MOST_CHARACTERS = 1200

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Picture(NamedTuple):
    """What a picture shows and how: it is drawn from nothing else.

    `ratio` is width and height; `number` tells apart what one request asks for.
    """

    model: str
    prompt: str
    ratio: tuple[int, int]
    seed: int | None
    number: int
    format: Literal["jpeg", "png"]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = self.ratio
        longer = max(width, height)
        return max(1, round(LONG_SIDE * width / longer)), max(1, round(LONG_SIDE * height / longer))

    @property
    def name(self) -> str:
        """A name for the picture's file, different for different pictures."""
        digest = hashlib.blake2b(repr(self).encode(), digest_size=12).hexdigest()
        return f"{digest}.{self.format}"


def draw(picture: Picture) -> bytes:
    """Return the picture's file."""
    image = _background(picture)
    _write(image, picture)
    file = io.BytesIO()
    image.save(file, picture.format.upper(), **({"quality": 88} if picture.format == "jpeg" else {"compress_level": 3}))
    return file.getvalue()


def _background(picture: Picture) -> Image.Image:
    digest = hashlib.blake2b(repr(picture).encode(), digest_size=4).digest()
    hue = digest[0] / 255
    colours = [colorsys.hls_to_rgb((hue + shift) % 1, light, 0.55) for shift, light in ((0, 0.28), (0.12, 0.62))]
    dark, light = (tuple(round(255 * part) for part in colour) for colour in colours)
    slope = ImageOps.fit(Image.linear_gradient("L").rotate(digest[1] % 4 * 90), picture.size)
    glow = ImageOps.fit(Image.radial_gradient("L"), picture.size)
    return ImageOps.colorize(Image.blend(slope, ImageOps.invert(glow), 0.35), dark, light)


def _write(image: Image.Image, picture: Picture) -> None:
    width, height = image.size
    margin = max(4, min(width, height) // 12)
    box = (width - 2 * margin, height - 3 * margin)
    text = _drawable(picture.prompt[:_MOST_CHARACTERS])
    font, lines = _fit(text, box)
    canvas = ImageDraw.Draw(image)
    step = _line_height(font)
    top = margin + max(0, (box[1] - step * len(lines)) // 2)
    for number, line in enumerate(lines):
        place = (margin, top + number * step)
        canvas.text((place[0] + 1, place[1] + 1), line, font=font, fill=(0, 0, 0))
        canvas.text(place, line, font=font, fill=(255, 255, 255))
    seed = "" if picture.seed is None else f"  seed {picture.seed}"
    caption = f"{picture.model}  {picture.ratio[0]}:{picture.ratio[1]}{seed}  #{picture.number + 1}"
    small = _font(max(9, margin // 3))
    canvas.text((margin, height - margin), _cut(_drawable(caption), small, box[0]), font=small, fill=(235, 235, 235))


def _fit(text: str, box: tuple[int, int]) -> tuple[Font, list[str]]:
    """Return the largest font in which the text fits the box, and its lines; at the smallest it is cut."""
    sizes = [size for size in (44, 36, 30, 25, 21, 18, 15, 13, 11, 9) if size <= max(9, box[1] // 2)]
    for size in sizes:
        font = _font(size)
        lines = _wrap(text, font, box[0])
        if len(lines) * _line_height(font) <= box[1]:
            return font, lines
    font = _font(sizes[-1])
    lines = _wrap(text, font, box[0])[: max(1, box[1] // _line_height(font))]
    lines[-1] = _cut(f"{lines[-1]} ...", font, box[0])
    return font, lines


def _wrap(text: str, font: Font, width: int) -> list[str]:
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in _words(paragraph):
            if font.getlength(line + word.rstrip()) <= width:
                line += word
                continue
            if line:
                lines.append(line.rstrip())
            line = ""
            for character in word:
                if line and font.getlength(line + character.rstrip()) > width:
                    lines.append(line)
                    line = ""
                line += character
        lines.append(line.rstrip())
    return lines


def _words(paragraph: str) -> list[str]:
    """Split where a line may break: after a space, and around each ideograph."""
    words = [""]
    for character in paragraph:
        if words[-1].endswith(" ") or ord(character) > 0x2E7F or (words[-1] and ord(words[-1][-1]) > 0x2E7F):
            words.append("")
        words[-1] += character
    return words


def _cut(text: str, font: Font, width: int) -> str:
    while text and font.getlength(text) > width:
        text = text[:-5] + "..." if len(text) > 5 else ""
    return text


def _line_height(font: Font) -> int:
    return round(font.size * 1.25) if isinstance(font, ImageFont.FreeTypeFont) else 14


@lru_cache(maxsize=1)
def _font_file() -> Path | None:
    files = {path.stem: path for folder in _FOLDERS if Path(folder).is_dir() for path in Path(folder).rglob("*.tt[fc]")}
    return next((files[family] for family in _FAMILIES if family in files), None)


@lru_cache(maxsize=32)
def _font(size: int) -> Font:
    file = _font_file()
    return ImageFont.load_default(size) if file is None else ImageFont.truetype(file, size)


def _drawable(text: str) -> str:
    """Return the text with what the font can't draw written as its code point."""
    return "".join(
        character if character in " \n" or _has(character) else f"[U+{ord(character):04X}]"
        for character in text.replace("\t", " ")
    )


@lru_cache(maxsize=4096)
def _has(character: str) -> bool:
    if not character.isprintable():
        return False
    return _shape(character) != _shape("\U0010fffe")


def _shape(character: str) -> bytes:
    image = Image.new("L", (24, 24))
    ImageDraw.Draw(image).text((2, 2), character, font=_font(16), fill=255)
    return image.tobytes()

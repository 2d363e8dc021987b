"""The fonts of this machine, and which of them can draw which character."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import category

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
_FIRST = ("DejaVuSans", "NotoSans-Regular", "Arial", "arial", "NotoSansCJK-Regular", "wqy-microhei", "PingFang", "msyh")
_STYLES = ("bold", "italic", "oblique", "mono", "serif", "condensed", "thin", "light", "black", "math", "medium")
_MOST_FONTS = 48
_MISSING = "\U0010fffe"  # a noncharacter: no font draws it
_VARIANTS = "".join(map(chr, range(0xFE00, 0xFE10)))  # say which form the character before has
_ONE_BY_ONE = ImageFont.Layout.BASIC  # the other layout puts a dotted circle under a mark that stands alone

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=1)
def _files() -> tuple[Path | None, ...]:
    """Return the font files, the likeliest first; without any, Pillow's own font is all there is."""
    folders = [folder for name in _FOLDERS if (folder := Path(name).expanduser()).is_dir()]
    found = {path.stem: path for folder in folders for path in sorted(folder.rglob("*.[ot]t[fc]"))}
    first = [found.pop(stem) for stem in _FIRST if stem in found]
    plain = [path for stem, path in sorted(found.items()) if not any(style in stem.lower() for style in _STYLES)]
    usable = [path for path in [*first, *plain][:_MOST_FONTS] if _opens(path)]
    return tuple(usable) or (None,)


def _opens(path: Path) -> bool:
    try:
        ImageFont.truetype(path, 16)
    except OSError:  # bitmap fonts have one size only
        return False
    return True


@lru_cache(maxsize=256)
def _load(file: Path | None, size: int) -> Font:
    return ImageFont.load_default(size) if file is None else ImageFont.truetype(file, size)


@lru_cache(maxsize=16384)
def _file_for(character: str) -> Path | bool | None:
    """Return the first font file that draws the character (`None` is Pillow's own font), or `False`."""
    if not character.isprintable():
        return False
    for file in _files():
        if character == " " or _shape(character, file) != _shape(_MISSING, file):
            return file
    return False


@lru_cache(maxsize=4096)
def _shape(character: str, file: Path | None) -> tuple[tuple[int, int], bytes]:
    """Return what a font draws for a character, wherever it puts it: a mark's box stands aside."""
    font = ImageFont.load_default(16) if file is None else ImageFont.truetype(file, 16, layout_engine=_ONE_BY_ONE)
    image = Image.new("L", (96, 96))
    ImageDraw.Draw(image).text((48, 48), character, font=font, fill=255)
    drawn = image.crop(image.getbbox())
    return drawn.size, drawn.tobytes()


def drawable(text: str) -> str:
    """Return the text with each character that no font draws written as its code point, such as `[U+1F600]`.

    What is meant to be invisible, such as the joiners within an emoji, is left out.
    """
    return "".join(map(_drawable, text.replace("\r\n", "\n").replace("\t", " ")))


def _drawable(character: str) -> str:
    if character == "\n" or _file_for(character) is not False:
        return character
    if category(character) == "Cf" or character in _VARIANTS:
        return ""
    return f"[U+{ord(character):04X}]"


def runs(text: str, size: int) -> Iterator[tuple[str, Font]]:
    """Yield the parts of a drawable line, each with the font that draws it."""
    for file, characters in groupby(text, _file_for):
        yield "".join(characters), _load(None if isinstance(file, bool) else file, size)


@lru_cache(maxsize=65536)
def width(character: str, size: int) -> float:
    """Return how wide a character is, in pixels."""
    return sum(font.getlength(part) for part, font in runs(character, size))

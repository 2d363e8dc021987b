"""Lay a text out in lines, and write them on a picture with the fonts of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from unicodedata import category

from PIL import Image, ImageDraw, ImageFont

_SMALLEST = 9
_SIZES = (1 / 12, 1 / 14, 1 / 17, 1 / 20, 1 / 24, 1 / 28, 1 / 34, 1 / 39, 1 / 46)
_IDEOGRAPHS = 0x2E80
_NOT_FIRST = "，。、；：？！）》」』”’…"
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


def fit(
    text: str, room: tuple[int, int], longer_side: int, sizes: Sequence[int] | None = None
) -> tuple[int, list[str]]:
    """Return the largest size in which the text fits the room, and its lines; at the smallest it is cut."""
    plain = drawable(text)
    tried = sizes or [max(_SMALLEST, round(longer_side * share)) for share in _SIZES if longer_side * share < room[1]]
    lines: list[str] = []
    size = _SMALLEST
    for size in tried or [_SMALLEST]:
        lines = _wrap(plain, size, room[0])
        if len(lines) * size * 1.25 <= room[1]:
            return size, lines
    kept = lines[: max(1, int(room[1] / (size * 1.25)))]
    while kept[-1] and _length(f"{kept[-1]} ...", size) > room[0]:
        kept[-1] = kept[-1][:-1]
    kept[-1] += " ..."
    return size, kept


def write(canvas: ImageDraw.ImageDraw, place: tuple[int, int], line: str, size: int) -> None:
    """Write one line in white with a shadow, its top left corner at `place`."""
    left, top = float(place[0]), place[1] + size  # on the base line, where different fonts meet
    shadow = max(1, size // 24)
    for part, font in _runs(line, size):
        canvas.text((left + shadow, top + shadow), part, font=font, fill=(0, 0, 0), anchor="ls")
        canvas.text((left, top), part, font=font, fill=(255, 255, 255), anchor="ls")
        left += font.getlength(part)


def _length(text: str, size: int) -> float:
    return sum(_width(character, size) for character in text)


def _wrap(text: str, size: int, room: int) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        for word in _words(paragraph):
            if used + _length(word.rstrip(), size) > room and line:
                lines.append(line.rstrip())
                line, used = "", 0.0
            for character in word:
                step = _width(character, size)
                if line and used + step > room and character != " ":
                    lines.append(line)
                    line, used = "", 0.0
                line, used = line + character, used + step
        lines.append(line.rstrip())
    return lines


def _words(paragraph: str) -> list[str]:
    """Split where a line may break: after a space or a bracket, around each ideograph, not before a closing mark."""
    words = [""]
    for character in paragraph:
        last = words[-1][-1:]
        breaks = last in (" ", "]") or (last and max(ord(character), ord(last)) >= _IDEOGRAPHS)
        if breaks and character not in _NOT_FIRST:
            words.append("")
        words[-1] += character
    return words


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


def _runs(text: str, size: int) -> Iterator[tuple[str, Font]]:
    """Yield the parts of a drawable line, each with the font that draws it."""
    for file, characters in groupby(text, _file_for):
        yield "".join(characters), _load(None if isinstance(file, bool) else file, size)


@lru_cache(maxsize=65536)
def _width(character: str, size: int) -> float:
    """Return how wide a character is, in pixels."""
    return sum(font.getlength(part) for part, font in _runs(character, size))

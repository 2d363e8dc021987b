"""Lay a prompt out in lines, and write them on a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_images_mock._pictures.fonts import drawable, runs, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import ImageDraw

_SMALLEST = 9
_SIZES = (1 / 12, 1 / 14, 1 / 17, 1 / 20, 1 / 24, 1 / 28, 1 / 34, 1 / 39, 1 / 46)
_IDEOGRAPHS = 0x2E80
_NOT_FIRST = "，。、；：？！）》」』”’…"


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
    for part, font in runs(line, size):
        canvas.text((left + shadow, top + shadow), part, font=font, fill=(0, 0, 0), anchor="ls")
        canvas.text((left, top), part, font=font, fill=(255, 255, 255), anchor="ls")
        left += font.getlength(part)


def _length(text: str, size: int) -> float:
    return sum(width(character, size) for character in text)


def _wrap(text: str, size: int, room: int) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        for word in _words(paragraph):
            if used + _length(word.rstrip(), size) > room and line:
                lines.append(line.rstrip())
                line, used = "", 0.0
            for character in word:
                step = width(character, size)
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

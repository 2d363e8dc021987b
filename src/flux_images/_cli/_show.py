"""What a person or a program sees of the pictures that were made."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from flux_images import Image

_COLUMNS = 32
"""The width of a preview, in characters."""


class Picture(NamedTuple):
    """A saved picture: sizes in pixels and bytes."""

    path: Path
    width: int
    height: int
    media_type: str
    bytes: int

    @classmethod
    def of(cls, image: Image, path: Path) -> Picture:
        """The facts of an image that was saved at a path."""
        return cls(path, image.width, image.height, image.media_type, path.stat().st_size)


@contextmanager
def progress(label: str, total: int | None = None) -> Generator[Callable[[], None]]:
    """Show a bar on standard error, if a person is watching; yields what to call after each step."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)


def show(pictures: list[Picture], *, request_id: str | None, as_json: bool) -> None:
    """Print what was saved: a line and, on a terminal, a preview for each; or one JSON object."""
    if as_json:
        images = [{**picture._asdict(), "path": os.fspath(picture.path)} for picture in pictures]
        print(json.dumps({"images": images, "request_id": request_id}, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    for picture in pictures:
        if console.is_terminal and find_spec("PIL"):
            console.print(_preview(picture.path))
        size = f"{picture.width} x {picture.height} px"
        console.print(Text(f"{picture.path}  {size}  {picture.media_type}  {picture.bytes:,} bytes"))


def _preview(path: Path) -> Text:
    """The picture in half blocks: the upper pixel in the letter's colour, the lower in its background's."""
    from PIL import Image as Pillow

    with Pillow.open(path) as picture:
        rows = max(1, round(picture.height / picture.width * _COLUMNS / 2))
        small = picture.convert("RGB").resize((_COLUMNS, rows * 2))  # pyright: ignore[reportUnknownMemberType]  # Pillow types half of the size
    pixels = small.tobytes()

    def colour(x: int, y: int) -> str:
        start = (y * _COLUMNS + x) * 3
        return "#" + pixels[start : start + 3].hex()

    text = Text()
    for row in range(rows):
        for column in range(_COLUMNS):
            text.append("▀", f"{colour(column, 2 * row)} on {colour(column, 2 * row + 1)}")
        text.append("\n")
    return text

"""What a person or a program sees of the pictures that were made."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from rich.console import RenderableType

    from flux_images import Image

_COLUMNS = 32
"""The width of a preview, in characters."""


class Picture(NamedTuple):
    """A saved picture: sizes in pixels (0 where the format is not known here) and bytes."""

    path: Path
    width: int
    height: int
    media_type: str
    bytes: int

    @classmethod
    def of(cls, image: Image, path: Path) -> Picture:
        """The facts of an image that was saved at a path."""
        width, height = image.size_if_known or (0, 0)
        return cls(path, width, height, image.media_type, path.stat().st_size)

    def as_json(self) -> dict[str, str | int]:
        """The same for programs."""
        return {**self._asdict(), "path": os.fspath(self.path)}


class Lost(NamedTuple):
    """A picture that was paid for and could not be saved; while its address is valid it can still be fetched.

    ``url`` is empty where it came inside the answer; ``kind`` is the class of the error.
    """

    path: Path
    url: str
    kind: str
    message: str

    def as_json(self) -> dict[str, str | None]:
        """The same for programs."""
        return {"path": os.fspath(self.path), "url": self.url or None, "class": self.kind, "message": self.message}


@contextmanager
def progress(label: str, total: int | None = None, *, shown: bool = True) -> Generator[Callable[[], None]]:
    """Show a bar on standard error, if a person is watching; yields what to call after each step."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)


def show(pictures: Sequence[Picture], *, preview: bool = True) -> None:
    """Print a line for each picture, and where a person looks the picture itself, in small."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for picture in pictures:
        if preview and console.is_terminal and not (console.is_dumb_terminal or console.no_color):
            console.print(_preview(picture.path))
        size = f"{picture.width} x {picture.height} px"
        console.print(Text(f"{picture.path}  {size}  {picture.media_type}  {picture.bytes:,} bytes"))


def as_json(pictures: Sequence[Picture], **more: object) -> str:
    """One object, for programs."""
    return json.dumps({"images": [picture.as_json() for picture in pictures], **more}, ensure_ascii=False)


def _preview(path: Path) -> RenderableType:
    """The picture by the means that the terminal has: sixels, kitty's graphics, or half blocks."""
    from textual_image.renderable import Image as Preview  # asks the terminal, once, while it is imported

    return Preview(path, width=_COLUMNS)

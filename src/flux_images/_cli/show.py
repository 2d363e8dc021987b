"""What a person or a program sees of the pictures that were made."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from flux_images._text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from rich.console import RenderableType

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
def progress(label: str, total: int | None = None) -> Generator[Callable[[], None]]:
    """Show a bar on standard error, if a person is watching; yields what to call after each step."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)


def show(
    pictures: Sequence[Picture],
    lost: Sequence[Lost] = (),
    *,
    missing: int = 0,
    request_id: str | None = None,
    as_json: bool,
) -> None:
    """Print what was saved, and on standard error what was not; or one JSON object with both.

    ``missing`` is how many pictures the gateway did not give.
    """
    if as_json:
        answer = {
            "images": [{**picture._asdict(), "path": os.fspath(picture.path)} for picture in pictures],
            "lost": [each.as_json() for each in lost],
            "missing": missing,
            "request_id": request_id,
        }
        print(json.dumps(answer, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    for picture in pictures:
        if console.is_terminal and not console.is_dumb_terminal:
            console.print(_preview(picture.path))
        size = f"{picture.width} x {picture.height} px"
        console.print(Text(f"{picture.path}  {size}  {picture.media_type}  {picture.bytes:,} bytes"))
    for line in _notes(pictures, lost, missing, request_id):
        print(f"flux-images: {line}", file=sys.stderr)


def _notes(pictures: Sequence[Picture], lost: Sequence[Lost], missing: int, request_id: str | None) -> Generator[str]:
    for picture in pictures:
        kind = guess_type(picture.path)[0]
        if kind and kind.startswith("image/") and kind != picture.media_type:
            yield f"{picture.path} holds {picture.media_type}, whatever its name says; --output-format chooses"
    for each in lost:
        where = f"; its address: {one_line(each.url, 2000)}" if each.url else ""
        yield f"{each.path} was paid for and not saved: {each.message}{where}"
    if missing:
        yield f"{missing} of the pictures asked for did not come (request id {one_line(str(request_id), 100)})"


def _preview(path: Path) -> RenderableType:
    """The picture by the means that the terminal has: sixels, kitty's graphics, or half blocks."""
    from textual_image.renderable import Image as Preview  # asks the terminal, once, while it is imported

    return Preview(path, width=_COLUMNS)

"""Server-sent events: the pictures of the final ones, in constant memory.

Source of the format: the HTML standard, "Server-sent events". Sketches on the way (``partial_image``) are dropped as
they come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flux_images._answer.split import PictureSplitter, SplitError
from flux_images._text import is_object

if TYPE_CHECKING:
    from flux_images._answer.split import Base64

_STARTS = (b"event:", b"data:", b"id:", b"retry:", b":")
_LONGEST_FIELD = 2**12
"""Bytes of a line before its data begins, or of a line that holds none."""
_SKETCH = "partial_image"
"""In the name of an event that does not carry the picture."""


def are_events(beginning: bytes) -> bool:
    """Whether an answer is a stream of events, by its first bytes."""
    return beginning.startswith(_STARTS)


class EventReader:
    """Feed it a stream, then take what its final events say, as ``PictureSplitter``."""

    def __init__(self) -> None:
        self.pictures: dict[str, Base64] = {}
        self._final: list[Any] = []
        self._problem: str | None = None
        self._field = bytearray()
        self._in_data = False
        self._name = b""
        self._event: PictureSplitter | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the stream.

        Raises:
            SplitError: it is no stream of events, or larger than can be kept.
        """
        for line in chunk.splitlines(keepends=True):
            text = line.rstrip(b"\r\n")
            if self._in_data:
                self._to_event(text)
            else:
                self._begin(text)
            if text != line:
                self._end_line()

    def document(self) -> tuple[Any, str | None]:
        """What the final events hold: the one document, or a list of them under the contract's name."""
        if self._event is not None:
            self._dispatch()
        return (self._final[0] if len(self._final) == 1 else {"data": self._final}), self._problem

    def beginning(self) -> bytes:
        """The first bytes of the event that is being read."""
        return self._event.beginning() if self._event else bytes(self._field)

    def _begin(self, text: bytes) -> None:
        self._field += text
        if self._field.startswith(b"data:"):
            self._in_data = True
            if self._event is None:
                self._event = PictureSplitter(first=len(self.pictures))
            self._to_event(bytes(self._field[len(b"data:") :]).removeprefix(b" "))
            self._field.clear()
        elif len(self._field) > _LONGEST_FIELD:
            raise SplitError("the answer is no stream of events")

    def _to_event(self, text: bytes) -> None:
        if self._event is not None:
            self._event.feed(text)

    def _end_line(self) -> None:
        if self._in_data:
            self._in_data = False
            self._to_event(b"\n")
            return
        if not self._field and self._event is not None:
            self._dispatch()
        elif self._field.startswith(b"event:"):
            self._name = bytes(self._field)
        self._field.clear()

    def _dispatch(self) -> None:
        event, name = cast("PictureSplitter", self._event), self._name.decode(errors="replace")
        self._event, self._name = None, b""
        if event.beginning().strip() == b"[DONE]":
            return
        try:
            document, problem = event.document()
        except ValueError as error:
            document, problem = None, str(error)
        kind = document.get("type") if is_object(document) else None
        if _SKETCH not in f"{kind} {name}":
            self._problem = problem
            self._final.append(document)
            self.pictures.update(event.pictures)

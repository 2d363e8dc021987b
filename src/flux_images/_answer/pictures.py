"""A streamed answer of ``create_image``: every whole picture in it, and what else it says."""

from __future__ import annotations

import codecs
import json
import logging
import re
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from flux_images._answer.classify import carries_error, status_error
from flux_images._answer.events import EventReader, are_events
from flux_images._answer.receive import ErrorAnswer, broken_answer
from flux_images._answer.salvage import Salvage
from flux_images._answer.split import PictureSplitter, decoded
from flux_images._answer.tasks import task_of
from flux_images._errors import Bought, Deviation, EmptyGenerationError, FluxImagesError, PendingGenerationError
from flux_images._picture.check import is_known
from flux_images._picture.generation import Answer, Part
from flux_images._text import one_line, request_id
from flux_images_api.api.images import create_image
from flux_images_api.errors import ResponseError
from flux_images_api.models import ImagesResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flux_images._answer.split import Base64
    from flux_images._send.loop import Call, Receiver

log = logging.getLogger("flux_images")


class Bundle(Bought, Protocol):
    """What is made of an answer with pictures."""

    @property
    def missing(self) -> int:
        """How many of the pictures that were asked for did not come."""
        ...


_G = TypeVar("_G", bound=Bundle)

_ADDRESS = re.compile(r"https?://\S+")
_WHITE = b" \t\r\n"
_ENOUGH = 8
"""Bytes that tell a stream of events from other text."""


class PictureAnswer(Generic[_G]):
    """Receives a success; ``build`` makes the result of what it says and of its pictures."""

    def __init__(self, call: Call, response: httpx.Response, build: Callable[[Answer, list[Part]], _G]) -> None:
        self._call = call
        self._response = response
        self._build: Callable[[Answer, list[Part]], _G] = build
        self._start = b""
        self._reader: PictureSplitter | EventReader | None = None

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes. White space before the answer, which keeps a line open for minutes, is dropped."""
        if self._reader is None:
            chunk = self._start = (self._start + chunk).lstrip(_WHITE).removeprefix(codecs.BOM_UTF8)
            if chunk[:1] not in (b"{", b"["):
                if not chunk or (len(chunk) < _ENOUGH and not self._labelled_events()):
                    return True
                self._reader = EventReader() if self._labelled_events() or are_events(chunk) else None
            self._reader = self._reader or PictureSplitter()
        self._reader.feed(chunk)
        return True

    def finish(self) -> _G:
        """The pictures of the answer.

        Raises:
            ValueError: it is not JSON.
            FluxImagesError: it holds no picture, and this is why.
        """
        return self._made(None)

    def rescue(self, problem: str) -> _G | None:
        """The whole pictures of an answer that broke off, if there are any.

        Raises:
            PendingGenerationError: there are none, but there is a task to ask for.
        """
        try:
            return self._made(problem)
        except PendingGenerationError:
            raise
        except (ValueError, FluxImagesError):
            return None

    def broken(self, problem: str, *, truncated: bool) -> FluxImagesError:
        """The error for an answer that cannot be read."""
        beginning = self._reader.beginning() if self._reader else self._start
        return broken_answer(self._call, self._response, beginning, problem, truncated=truncated)

    def _made(self, problem: str | None) -> _G:
        if self._reader is None:
            self._reader = PictureSplitter()
            self._reader.feed(self._start)
        document, unread = self._reader.document()
        problem = problem or unread
        if not problem and (declared := self._as_declared(document)):
            return self._complete(*declared)
        salvage = Salvage(document, self._reader.pictures, str(self._call.request.url.join("/")))
        parts = salvage.parts()
        if problem and not parts and not task_of(document):
            raise ValueError(problem)
        answer = self._answer(salvage, problem)
        if not parts:
            raise self._without_picture(answer, salvage.deviations)
        log.warning("the answer differs from the contract: %s", "; ".join(map(str, answer.deviations)))
        return self._complete(answer, parts)

    def _complete(self, answer: Answer, parts: list[Part]) -> _G:
        generation = self._build(answer, parts)
        if generation.missing:
            log.warning("%d of the pictures asked for did not come", generation.missing)
        return generation

    def _as_declared(self, document: Any) -> tuple[Answer, list[Part]] | None:
        """What an answer holds that differs in nothing from the contract; None for any other."""
        if self._response.status_code != 200 or isinstance(self._reader, EventReader):
            return None
        try:
            raw = create_image.parse_json(200, document)
        except ResponseError:
            return None
        if not isinstance(raw, ImagesResponse) or raw.additional_properties.get("error"):
            return None
        parts: list[Part] = []
        for index, entry in enumerate(raw.data or ()):
            kept = None
            if entry.b64_json:
                found = self._taken().get(entry.b64_json) or decoded(entry.b64_json)
                if found.problem or not is_known(found.kept.start()):
                    return None
                kept = found.kept
                entry.b64_json = document["data"][index]["b64_json"] = f"<{kept.size} bytes>"
            if entry.url and not _ADDRESS.fullmatch(entry.url):
                return None
            if kept or entry.url:
                parts.append(Part(entry.url or None, kept, entry.revised_prompt or None))
        return (Answer(raw, request_id(self._response.headers), document), parts) if parts else None

    def _taken(self) -> dict[str, Base64]:
        return self._reader.pictures if self._reader else {}

    def _labelled_events(self) -> bool:
        return "event-stream" in self._response.headers.get("content-type", "")

    def _answer(self, salvage: Salvage, problem: str | None) -> Answer:
        raw = salvage.typed()
        status = self._response.status_code
        said = (
            (problem, Deviation("", "a whole answer", str(problem))),
            (isinstance(self._reader, EventReader), Deviation("", "JSON", "server-sent events")),
            (status != 200, Deviation("", "status 200", f"status {status}")),
            (carries_error(salvage.document), Deviation("/error", "no error", "an error beside pictures")),
        )
        redact = self._call.key.redact
        found = [deviation for holds, deviation in said if holds] + salvage.deviations
        deviations = tuple(Deviation(redact(where), expected, redact(got)) for where, expected, got in found)
        return Answer(raw, request_id(self._response.headers), salvage.document, deviations)

    def _without_picture(self, answer: Answer, deviations: list[Deviation]) -> FluxImagesError:
        """The error for an answer that was read and holds no picture."""
        call, response = self._call, self._response
        task = task_of(answer.document)
        wrong = next((str(found) for found in deviations if found.where == "" or found.where.startswith("/data")), None)
        if carries_error(answer.document) or (task and task.failed):
            said = {"error": task.reason} if task and task.failed else answer.document
            body = json.dumps(said, ensure_ascii=False).encode(errors="replace")
            error: FluxImagesError = status_error(
                response.status_code, response.headers, body, call.key, billed=call.billed, url=call.request.url
            )
        elif task:
            error = PendingGenerationError(
                "the gateway answered with a task: ask for its picture by the id, do not buy it again",
                task_id=call.key.redact(one_line(task.id, 200)),
            )
        elif wrong:
            error = self.broken(f"the answer is not what the contract says: {wrong}", truncated=False)
        else:
            error = EmptyGenerationError(
                "the gateway answered without a picture; ask it for one before buying again",
                generation=self._build(answer, []),
            )
        error.request_id = error.request_id or answer.request_id
        error.document = json.loads(call.key.redact(json.dumps(answer.document)))
        error.deviations = answer.deviations
        return error


def picture_answer(
    build: Callable[[Answer, list[Part]], _G],
) -> Callable[[Call, httpx.Response], Receiver[_G]]:
    """What takes the answers of ``generate``."""
    return lambda call, response: (
        PictureAnswer(call, response, build) if response.is_success else ErrorAnswer(call, response)
    )

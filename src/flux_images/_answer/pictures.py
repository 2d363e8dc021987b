"""A streamed answer of ``create_image``: every whole picture in it, and what else it says."""

from __future__ import annotations

import codecs
import json
import logging
from typing import TYPE_CHECKING, Generic, TypeVar

from flux_images._answer.classify import carries_error, status_error
from flux_images._answer.document import JsonReader
from flux_images._answer.events import EventReader, are_events
from flux_images._answer.receive import ErrorAnswer, broken_answer
from flux_images._answer.salvage import Salvage
from flux_images._answer.tasks import task_of
from flux_images._errors import Deviation, EmptyGenerationError, FluxImagesError, PendingGenerationError
from flux_images._picture.generation import Answer, AsyncGeneration, Generation, Part
from flux_images._text import one_line, request_id

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flux_images._send.loop import Call, Receiver

log = logging.getLogger("flux_images")

_G = TypeVar("_G", bound=Generation | AsyncGeneration)

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
        self._reader: JsonReader | EventReader | None = None

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes. White space before the answer, which keeps a line open for minutes, is dropped."""
        if self._reader is None:
            chunk = self._start = (self._start + chunk).lstrip(_WHITE).removeprefix(codecs.BOM_UTF8)
            events = are_events(self._response.headers.get("content-type", ""), chunk)
            if not events and chunk[:1] not in (b"{", b"[") and len(chunk) < _ENOUGH:
                return True
            self._reader = EventReader() if events else JsonReader()
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
            self._reader = JsonReader()
            self._reader.feed(self._start)
        document, unread = self._reader.document()
        problem = problem or unread
        salvage = Salvage(document, self._reader.pictures, str(self._call.request.url.join("/")))
        parts = salvage.parts()
        if problem and not parts and not task_of(document):
            raise ValueError(problem)
        answer = self._answer(salvage, problem)
        if not parts:
            raise self._without_picture(answer, salvage.deviations)
        generation = self._build(answer, parts)
        if answer.deviations:
            log.warning("the answer differs from the contract: %s", "; ".join(map(str, answer.deviations)))
        if generation.missing:
            log.warning("%d of the pictures asked for did not come", generation.missing)
        return generation

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
            body = json.dumps(answer.document, ensure_ascii=False).encode(errors="replace")
            error: FluxImagesError = status_error(
                response.status_code, response.headers, body, call.key, billed=call.billed
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
                "the gateway answered without a picture; ask it for one with the request id before buying again",
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

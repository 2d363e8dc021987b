"""What becomes of an answer's bytes: kept whole, or read as the error that its status says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import httpx

from flux_images._answer.classify import carries_error, status_error, unreadable

if TYPE_CHECKING:
    from flux_images._errors import FluxImagesError
    from flux_images._send.loop import Call, Receiver

MAX_ERROR_BODY = 2**20
"""Bytes of an error answer that are read."""
MAX_ANSWER = 512 * 2**20
"""Bytes of a whole answer that are kept in memory."""
_SHOWN = 4000


class _Kept:
    """What the receivers that keep an answer in memory share."""

    def __init__(self, call: Call, response: httpx.Response) -> None:
        self._call = call
        self._response = response
        self._body: bytearray = bytearray()

    def rescue(self, problem: str) -> None:
        """Nothing: what is not whole is not handed out."""

    def _said(self, problem: str | None = None) -> FluxImagesError:
        """The error that the answer tells of."""
        call, response, body = self._call, self._response, bytes(self._body)
        return status_error(
            response.status_code,
            response.headers,
            body,
            call.key,
            billed=call.billed,
            url=call.request.url,
            problem=problem,
        )


class WholeAnswer(_Kept):
    """Keeps a success in memory, for the generated parser."""

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes."""
        self._body += chunk
        if len(self._body) > MAX_ANSWER:
            raise ValueError(f"the answer is larger than {MAX_ANSWER} bytes")
        return True

    def finish(self) -> httpx.Response:
        """The answer, as one that was not streamed."""
        response, body = self._response, bytes(self._body)
        if carries_error(_json_or_none(body)):
            raise self._said()
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
        return httpx.Response(response.status_code, headers=headers, content=body, request=self._call.request)

    def broken(self, problem: str, *, truncated: bool) -> FluxImagesError:
        """The error for a success that cannot be read."""
        return broken_answer(self._call, self._response, bytes(self._body[:_SHOWN]), problem, truncated=truncated)


class ErrorAnswer(_Kept):
    """Reads the body of an answer whose status says that the call failed."""

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes, as far as they are wanted."""
        self._body += chunk
        return len(self._body) < MAX_ERROR_BODY

    def finish(self) -> NoReturn:
        """Raise the typed error."""
        raise self._said()

    def broken(self, problem: str, *, truncated: bool) -> FluxImagesError:  # noqa: ARG002 -- any error answer has one class
        """The same error, where the body did not come whole."""
        del self._body[_SHOWN:]
        return self._said(problem)


def whole_answer(call: Call, response: httpx.Response) -> Receiver[httpx.Response]:
    """What takes an answer for the generated parser."""
    return WholeAnswer(call, response) if response.is_success else ErrorAnswer(call, response)


def broken_answer(
    call: Call, response: httpx.Response, beginning: bytes, problem: str, *, truncated: bool
) -> FluxImagesError:
    """The error for a success that cannot be read."""
    return unreadable(
        response.status_code,
        response.headers,
        beginning,
        call.key,
        problem,
        billed=call.billed,
        truncated=truncated,
    )


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body) if body.lstrip()[:1] == b"{" else None
    except (ValueError, RecursionError):
        return None  # the generated parser says what is wrong

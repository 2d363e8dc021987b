"""What becomes of an answer's bytes: kept whole, judged as an error, or (in ``_create_image``) split into pictures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import httpx

from flux_images._answer.classify import carries_error, status_error

if TYPE_CHECKING:
    from flux_images._send.call import Call

T_co = TypeVar("T_co", covariant=True)

MAX_ERROR_BODY = 2**20
"""Bytes of an error answer that are read."""
MAX_ANSWER = 512 * 2**20
"""Bytes of a whole answer that are kept in memory."""
_SHOWN = 4000


class Receiver(Protocol[T_co]):
    """Takes the decoded bytes of one answer."""

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes; False if no more are wanted. A ValueError says that they are unreadable."""
        ...

    def finish(self, call: Call, response: httpx.Response) -> T_co:
        """Make something of the answer; a ValueError says that it is unreadable."""
        ...

    def beginning(self) -> bytes:
        """The answer's first bytes, for an error to show."""
        ...

    def close(self) -> None:
        """Drop what was not handed out."""
        ...


class WholeAnswer:
    """Keeps a success in memory, for the generated parser."""

    def __init__(self) -> None:
        self._body = bytearray()

    def feed(self, chunk: bytes) -> bool:
        self._body += chunk
        if len(self._body) > MAX_ANSWER:
            raise ValueError(f"the answer is larger than {MAX_ANSWER} bytes")
        return True

    def finish(self, call: Call, response: httpx.Response) -> httpx.Response:
        body = bytes(self._body)
        raise_if_error(call, response, _json_or_none(body), body)
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
        return httpx.Response(response.status_code, headers=headers, content=body, request=call.request)

    def beginning(self) -> bytes:
        return bytes(self._body[:_SHOWN])

    def close(self) -> None:
        pass


class ErrorAnswer:
    """Reads the body of an answer whose status says that the call failed."""

    def __init__(self) -> None:
        self._body = bytearray()

    def feed(self, chunk: bytes) -> bool:
        self._body += chunk
        return len(self._body) < MAX_ERROR_BODY

    def finish(self, call: Call, response: httpx.Response) -> NoReturn:
        raise status_error(response.status_code, response.headers, bytes(self._body), call.key, billed=call.billed)

    def beginning(self) -> bytes:
        return bytes(self._body[:_SHOWN])

    def close(self) -> None:
        pass


def raise_if_error(call: Call, response: httpx.Response, document: object, body: bytes) -> None:
    """Raise the typed error that a success carries."""
    if carries_error(document):
        raise status_error(response.status_code, response.headers, body, call.key, billed=call.billed)


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body) if body.lstrip()[:1] == b"{" else None
    except (ValueError, RecursionError):
        return None  # the generated parser says what is wrong

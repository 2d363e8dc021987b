"""Play what goes wrong on the wire: what to write, how long to wait, how to end; or its counterpart without a wire."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Literal

from flux_images_mock._answer.answer import Answer, Fault
from flux_images_mock._request.message import Pairs

End = Literal["close", "reset"]

_LONG_HEADER = 1024 * 1024
_UNFINISHED = 1000
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
STATUS_LINES = {code: f"HTTP/1.1 {code} {_PHRASES.get(code, '')}\r\n".encode() for code in range(100, 1000)}


class WireFaultError(ConnectionError):
    """A fault that an application can't play without a connection of its own; `counterpart` names httpx's class."""

    def __init__(self, fault: Fault) -> None:
        self.counterpart = fault.counterpart
        super().__init__(f"{fault.kind}: over a socket, httpx.{fault.counterpart}")


def script(fault: Fault, answer: Answer) -> Iterator[bytes | float | End]:
    """Yield what happens on the connection: bytes to write, seconds to wait, and how it ends."""
    body = answer.body
    half = len(body) // 2
    match fault.kind:
        case "reset-before-headers":
            yield "reset"
        case "reset-after-headers":
            yield from (_head(answer), "reset")
        case "cut-body":
            yield from (_head(answer) + body[:half], "close")
        case "stall-before-headers":
            yield from (b"", fault.seconds, "close")
        case "stall-in-body":
            yield from (_head(answer) + body[:half], fault.seconds, "close")
        case "drip":
            yield _head(answer)
            for index in range(len(body)):
                yield from (body[index : index + 1], fault.seconds)
            yield "close"
        case "length-too-large":
            yield from (_head(answer, len(body) + _UNFINISHED) + body, "close")
        case "length-too-small":
            yield from (_head(answer, half) + body, "close")
        case _:
            answer.headers.append((b"x-padding", b"x" * _LONG_HEADER))
            yield from (_head(answer) + body, "close")


def without_wire(fault: Fault, answer: Answer) -> float:
    """Let an answer be what arrives where there is no connection, and return how many seconds that takes.

    Raises `WireFaultError` where nothing arrives.
    """
    if fault.counterpart is not None:
        raise WireFaultError(fault)
    if fault.kind == "length-too-small":
        answer.body = answer.body[: len(answer.body) // 2]
        answer.headers = _with_length(answer, len(answer.body))
    return fault.seconds * len(answer.body) if fault.kind == "drip" else fault.seconds


def _with_length(answer: Answer, length: int) -> Pairs:
    kept = [(name, value) for name, value in answer.headers if name != b"content-length"]
    return [*kept, (b"content-length", b"%d" % length)]


def _head(answer: Answer, length: int | None = None) -> bytes:
    headers = _with_length(answer, len(answer.body) if length is None else length)
    lines = [name + b": " + value for name, value in headers]
    return STATUS_LINES[answer.status] + b"\r\n".join([*lines, b"connection: close", b"", b""])

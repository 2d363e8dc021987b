"""Play what goes wrong on the wire: what to write, how long to wait, how to end; or its counterpart without a wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Literal

from flux_images_mock._answer.answer import Answer, Fault
from flux_images_mock._request.message import Pairs

End = Literal["close", "reset"]
Step = bytes | float | End

_LONG_HEADER = [(b"x-padding", b"x" * 1024 * 1024)]
_UNFINISHED = 1000
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
STATUS_LINES = {code: f"HTTP/1.1 {code} {_PHRASES.get(code, '')}\r\n".encode() for code in range(100, 1000)}


class WireFaultError(ConnectionError):
    """A fault that an application can't play without a connection of its own; `counterpart` names httpx's class."""

    def __init__(self, fault: Fault) -> None:
        self.counterpart = fault.counterpart
        super().__init__(f"{fault.kind}: over a socket, httpx.{fault.counterpart}")


def script(fault: Fault, answer: Answer) -> Iterable[Step]:
    """Return what happens on the connection: bytes to write, seconds to wait, and how it ends."""
    return _SCRIPTS[fault.kind](fault, answer)


def _drip(fault: Fault, answer: Answer) -> Iterator[Step]:
    yield _head(answer)
    for index in range(len(answer.body)):
        yield from (answer.body[index : index + 1], fault.seconds)
    yield "close"


def without_wire(fault: Fault, answer: Answer) -> float:
    """Let an answer be what arrives where there is no connection, and return how many seconds that takes.

    Raises `WireFaultError` where nothing arrives.
    """
    if fault.counterpart is not None:
        raise WireFaultError(fault)
    if fault.kind == "length-too-small":
        answer.body = _half(answer)
        answer.headers = _with_length(answer, len(answer.body))
    return fault.seconds * len(answer.body) if fault.kind == "drip" else fault.seconds


def _with_length(answer: Answer, length: int) -> Pairs:
    kept = [(name, value) for name, value in answer.headers if name != b"content-length"]
    return [*kept, (b"content-length", b"%d" % length)]


def _head(answer: Answer, length: int | None = None, extra: Pairs | None = None) -> bytes:
    headers = _with_length(answer, len(answer.body) if length is None else length)
    lines = [name + b": " + value for name, value in [*headers, *(extra or [])]]
    return STATUS_LINES[answer.status] + b"\r\n".join([*lines, b"connection: close", b"", b""])


def _half(answer: Answer) -> bytes:
    return answer.body[: len(answer.body) // 2]


_SCRIPTS: dict[str, Callable[[Fault, Answer], Iterable[Step]]] = {
    "reset-before-headers": lambda _, __: ("reset",),
    "reset-after-headers": lambda _, answer: (_head(answer), "reset"),
    "cut-body": lambda _, answer: (_head(answer) + _half(answer), "close"),
    "stall-before-headers": lambda fault, _: (b"", fault.seconds, "close"),
    "stall-in-body": lambda fault, answer: (_head(answer) + _half(answer), fault.seconds, "close"),
    "drip": _drip,
    "length-too-large": lambda _, answer: (_head(answer, len(answer.body) + _UNFINISHED) + answer.body, "close"),
    "length-too-small": lambda _, answer: (_head(answer, len(answer.body) // 2) + answer.body, "close"),
    "long-header": lambda _, answer: (_head(answer, extra=_LONG_HEADER) + answer.body, "close"),
}

"""What can go wrong on the wire after an answer was made: what to write, how long to wait, how to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from anyio import create_task_group

from flux_images_mock._request.message import STATUS_LINES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, MutableMapping

    from anyio import CancelScope

    from flux_images_mock._gateway.clock import Clock
    from flux_images_mock._request.message import Answer

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]

End = Literal["close", "reset"]
_LONG_HEADER = 1024 * 1024
_UNFINISHED = 1000


@dataclass(frozen=True, slots=True)
class Kind:
    """One fault. `counterpart` is the class of httpx that a caller of it meets; none where the answer arrives."""

    counterpart: str | None
    waits: bool = False


KINDS = {
    "reset-before-headers": Kind("ReadError"),
    "reset-after-headers": Kind("ReadError"),
    "cut-body": Kind("RemoteProtocolError"),
    "stall-before-headers": Kind("ReadTimeout", waits=True),
    "stall-in-body": Kind("ReadTimeout", waits=True),
    "drip": Kind(None, waits=True),
    "length-too-large": Kind("RemoteProtocolError"),
    "length-too-small": Kind(None),
    "long-header": Kind("RemoteProtocolError"),
}


class DisconnectedError(ConnectionError):
    """The client left before its request or its answer was whole."""


class WireFaultError(ConnectionError):
    """A fault that an application can't play without a connection of its own; `counterpart` names httpx's class."""

    def __init__(self, fault: Fault) -> None:
        self.counterpart = fault.counterpart
        super().__init__(f"{fault.kind}: over a socket, httpx.{fault.counterpart}")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a scenario. `seconds` is how long a stall lasts, or how long a drip takes for each byte."""

    kind: str
    seconds: float = 0.0

    @property
    def counterpart(self) -> str | None:
        """The class of httpx that a caller meets."""
        return KINDS[self.kind].counterpart

    def script(self, answer: Answer) -> Iterator[bytes | float | End]:
        """Yield what happens on the connection: bytes to write, seconds to wait, and how it ends."""
        body = answer.body
        half = len(body) // 2
        match self.kind:
            case "reset-before-headers":
                yield "reset"
            case "reset-after-headers":
                yield from (_head(answer), "reset")
            case "cut-body":
                yield from (_head(answer) + body[:half], "close")
            case "stall-before-headers":
                yield from (b"", self.seconds, "close")
            case "stall-in-body":
                yield from (_head(answer) + body[:half], self.seconds, "close")
            case "drip":
                yield _head(answer)
                for index in range(len(body)):
                    yield from (body[index : index + 1], self.seconds)
                yield "close"
            case "length-too-large":
                yield from (_head(answer, len(body) + _UNFINISHED) + body, "close")
            case "length-too-small":
                yield from (_head(answer, half) + body, "close")
            case _:
                answer.headers.append((b"x-padding", b"x" * _LONG_HEADER))
                yield from (_head(answer) + body, "close")

    def without_wire(self, answer: Answer) -> Answer:
        """Return what arrives where there is no connection; raises `WireFaultError` where nothing does."""
        if self.counterpart is not None:
            raise WireFaultError(self)
        if self.kind == "length-too-small":
            answer.body = answer.body[: len(answer.body) // 2]
            answer.headers = _with_length(answer, len(answer.body))
        return answer

    def duration(self, answer: Answer) -> float:
        """Return how long the whole fault lasts, in seconds."""
        return self.seconds * len(answer.body) if self.kind == "drip" else self.seconds


async def wait(seconds: float, clock: Clock, receive: Receive) -> bool:
    """Let time pass, and return false when a reset of the clock ends it; raises `DisconnectedError`."""
    async with create_task_group() as tasks:
        tasks.start_soon(_until_client_leaves, receive, tasks.cancel_scope)
        passed = await clock.sleep(seconds)
        tasks.cancel_scope.cancel()
        return passed
    raise DisconnectedError


async def _until_client_leaves(receive: Receive, waiting: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    waiting.cancel()


def _with_length(answer: Answer, length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in answer.headers if name != b"content-length"]
    return [*kept, (b"content-length", b"%d" % length)]


def _head(answer: Answer, length: int | None = None) -> bytes:
    headers = _with_length(answer, len(answer.body) if length is None else length)
    lines = [name + b": " + value for name, value in headers]
    return STATUS_LINES[answer.status] + b"\r\n".join([*lines, b"connection: close", b"", b""])

"""What goes back, and what can go wrong on its way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import orjson

from flux_images_mock._description.schema import Violation
from flux_images_mock._request.message import Pairs

# gateway-family: a gateway charges on success, and the last four say that it stopped waiting for a model that goes on.
BILLED = frozenset([*range(200, 300), 504, 520, 522, 524])
"""Statuses of answers that cost money, where their scenario doesn't say."""


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


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a scenario. `seconds` is how long a stall lasts, or how long a drip takes for each byte."""

    kind: str
    seconds: float = 0.0

    @property
    def counterpart(self) -> str | None:
        """The class of httpx that a caller meets."""
        return KINDS[self.kind].counterpart


@dataclass(slots=True)
class Answer:
    """What goes back: `origin` says what made it, for logs. Its length is added when it is sent."""

    status: int
    headers: Pairs
    body: bytes
    origin: str
    violations: Sequence[Violation] = ()
    """The differences that it tells of."""
    close: bool = False
    """Whether the connection ends with it."""
    delay: float = 0.0
    """Seconds of the mock's clock to wait before it leaves."""
    fault: Fault | None = None
    """What goes wrong on its way."""
    sleep: Callable[[float], Awaitable[bool]] | None = None
    """The clock by which a fault waits: that of the run in which the answer was asked for."""
    later: Callable[[], Answer] | None = None
    """Makes the answer itself, where that takes long; for a thread of its own."""


def problem(status: int, detail: str, origin: str, title: str | None = None) -> Answer:
    """Return an answer as RFC 9457 has it."""
    title = title or HTTPStatus(status).phrase
    value = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Answer(status, [(b"content-type", b"application/problem+json")], orjson.dumps(value), origin)

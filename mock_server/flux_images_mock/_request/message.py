"""What the steps of the pipeline hand to each other: requests, answers and differences."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flux_images_mock._answer.headers import new_request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flux_images_mock._answer.faults import Fault
    from flux_images_mock._answer.operation import Operation
    from flux_images_mock._answer.scenarios import Scenario
    from flux_images_mock._gateway.journal import RecordedRequest

Pair = tuple[bytes, bytes]
Pairs = list[Pair]

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
STATUS_LINES = {code: f"HTTP/1.1 {code} {_PHRASES.get(code, '')}\r\n".encode() for code in range(100, 1000)}

_LONGEST_HEADER = 4000
_LONGEST_PART = 500


class Headers:
    """Header lines as they came, names in lower case."""

    __slots__ = ("_last", "get", "pairs", "repeated")

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self._last = dict(pairs)
        self.get: Callable[[bytes], bytes | None] = self._last.get
        """Returns the (last) value of a header; a dict's own method, as every step of the pipeline asks."""
        self.repeated = len(self._last) != len(pairs)
        """Whether any name came more than once."""

    def all(self, name: bytes) -> list[bytes]:
        """Return every value of a header, in order."""
        return [value for key, value in self.pairs if key == name]


_HOST = re.compile(rb"[A-Za-z0-9._~%-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")


def origin_of(scheme: str, host: bytes | None, server: Sequence[Any] | None) -> str:
    """Return the origin of a server as its client has it: by its Host header, else by the server's own address."""
    if host is not None and _HOST.fullmatch(host):
        return f"{scheme}://{host.decode()}"
    name, port, *_ = server or ("localhost", None)
    return f"{scheme}://{name}" if port is None else f"{scheme}://{name}:{port}"


@dataclass(slots=True)
class Request:
    """A request's line and headers. `path` is as it was sent, percent signs and all."""

    method: str
    path: str
    query: bytes
    headers: Headers
    origin: str


@dataclass(slots=True)
class Answer:
    """What goes back: `origin` says what made it, for logs and for our own 500s."""

    status: int
    headers: Pairs
    body: bytes
    origin: str
    close: bool = False
    delay: float = 0.0
    """Seconds of the mock's clock to wait before it leaves."""
    fault: Fault | None = None
    """What goes wrong on its way."""
    later: Callable[[], Answer] | None = None
    """Makes the answer itself, where that takes long: `Engine.complete` calls it, off the event loop."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One difference between a message and the description.

    `where` is a JSON pointer for a body and a name for everything else.
    """

    place: str
    where: str
    expected: str
    got: str

    def __str__(self) -> str:
        label = self.where or self.place
        if self.place in ("query", "path", "cookie"):
            label = f"{self.place} {self.where}".rstrip()
        return f"{label}: expected {self.expected}, got {self.got}"

    def as_json(self) -> dict[str, str]:
        """Return the difference for programs."""
        return {"in": self.place, "where": self.where, "expected": self.expected, "got": self.got}


class TooLargeError(ValueError):
    """A body is past the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"at most {limit} bytes")


def violations_header(violations: Sequence[Violation]) -> bytes:
    """Return differences as JSON for a header: ASCII, at most about 4 kB, the rest counted."""
    parts: list[str] = []
    size = 0
    for index, violation in enumerate(violations):
        part = json.dumps({key: text[:_LONGEST_PART] for key, text in violation.as_json().items()})
        size += len(part) + 2
        if size > _LONGEST_HEADER:
            parts.append(json.dumps({"omitted": len(violations) - index}))
            break
        parts.append(part)
    return f"[{', '.join(parts)}]".encode("ascii")


@dataclass(slots=True)
class Exchange:
    """One request on its way through the pipeline, and what the steps have learnt of it."""

    request: Request
    request_id: bytes = field(default_factory=new_request_id)
    operation: Operation | None = None
    preferences: dict[str, str] | None = None
    credential: str | None = None
    parameters: dict[tuple[str, str], Any] | None = None
    body: Any = None
    violations: Sequence[Violation] = ()
    picked: Scenario | None = None
    """The scenario that the request asks for, should it come so far."""
    scenario: Scenario | None = None
    """The scenario that it met."""
    path_values: Sequence[tuple[str, str]] = ()
    """The parameters of its path, still encoded."""
    billed: int = 0
    finish: Callable[[], None] | None = None
    """What to call when the answer has left, or nobody waits for it any more."""
    begun: float = 0.0
    """When it came, in seconds since 1970 by the mock's clock."""
    due: float = 0.0
    """When the model has its answer, by the same clock."""
    entry: RecordedRequest | None = None
    """What the journal says of it."""

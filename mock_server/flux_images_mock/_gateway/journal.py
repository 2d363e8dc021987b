"""What was asked and answered: the last requests, within a limit of entries and of bytes. No key is in it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flux_images_mock._request.paths import CONTROL, PICTURES
from flux_images_mock._request.redact import hide, key_of, readable, shortened

if TYPE_CHECKING:
    from flux_images_mock._request.message import Answer, Exchange, Pairs, Violation

MOST_REQUESTS = 1000
_MOST_BYTES = 8 * 1024 * 1024
_ENTRY_BYTES = 1500
_LONGEST_PATH = 500


@dataclass(slots=True)
class RecordedRequest:
    """One request and what became of it. Keys are left out, and image data is replaced by its size."""

    time: float
    """When it came, in seconds since 1970 by the mock's clock."""
    method: str
    path: str
    """Without the query."""
    _pairs: Pairs
    parameters: dict[str, Any]
    """The declared parameters, by name."""
    body: Any
    """The parsed body, `None` if there is none or it wasn't read."""
    operation_id: str | None
    violations: tuple[Violation, ...]
    """Each difference from the description."""
    scenario: str | None
    status: int | None
    """The status that went back; `None` where none has: a fault kept it, or the answer is still under way."""
    billed: int
    """How many pictures the request cost."""
    duration: float | None = None
    """How long the answer took, in seconds by the mock's clock; `None` while it is under way."""
    client_left: bool = False
    """Whether the client hung up before the answer had come."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case; those that may carry a key are `***`."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._pairs}

    def as_json(self) -> dict[str, Any]:
        """Return the entry for programs."""
        return {
            "time": round(self.time, 3),
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "parameters": self.parameters,
            "body": self.body,
            "operation_id": self.operation_id,
            "violations": [violation.as_json() for violation in self.violations],
            "scenario": self.scenario,
            "status": self.status,
            "billed": self.billed,
            "duration": None if self.duration is None else round(self.duration, 6),
            "client_left": self.client_left,
        }

    def __str__(self) -> str:
        facts = [f"{self.method} {self.path} -> {self.status or 'no answer'}"]
        if self.scenario is not None:
            facts.append(f"scenario {self.scenario}")
        if self.client_left:
            facts.append("the client left")
        if self.billed:
            facts.append(f"billed {self.billed}")
        facts += map(str, self.violations)
        return "; ".join(facts) + ("" if self.body is None else f"\n    {self.body!r:.300}")


class Journal:
    """The last requests, oldest first."""

    def __init__(self, most: int = MOST_REQUESTS) -> None:
        self._most = most
        self._entries: deque[tuple[RecordedRequest, int]] = deque()
        self._bytes = 0

    def add(self, exchange: Exchange, answer: Answer) -> RecordedRequest:
        """Write a request down as it is answered."""
        request, operation = exchange.request, exchange.operation
        key = key_of(exchange)
        body, size = shortened(exchange.body, key)
        entry = RecordedRequest(
            exchange.begun,
            request.method,
            hide(request.path, key)[:_LONGEST_PATH],
            readable(request.headers.pairs, key),
            _parameters(exchange.parameters, key) if exchange.parameters else {},
            body,
            None if operation is None else operation.operation_id,
            tuple(exchange.violations),
            None if exchange.scenario is None else exchange.scenario.name,
            None if answer.delay or answer.later is not None else status_sent(answer),
            exchange.billed,
        )
        size += _ENTRY_BYTES
        self._entries.append((entry, size))
        self._bytes += size
        while len(self._entries) > self._most or (self._bytes > _MOST_BYTES and len(self._entries) > 1):
            self._bytes -= self._entries.popleft()[1]
        return entry

    def entries(self) -> list[RecordedRequest]:
        """Return every entry, oldest first."""
        return [entry for entry, _ in self._entries]

    def requests(self) -> list[RecordedRequest]:
        """Return the entries without the fetching of pictures, oldest first."""
        return [entry for entry in self.entries() if not entry.path.startswith(PICTURES)]


def _parameters(parameters: dict[tuple[str, str], Any], key: str) -> dict[str, Any]:
    named, _ = shortened({name: value for (_, name), value in parameters.items()}, key)
    return cast("dict[str, Any]", named)


def status_sent(answer: Answer) -> int | None:
    """Return the status that goes back with an answer, nothing where a fault keeps it."""
    fault = answer.fault
    return None if fault is not None and fault.kind.endswith("before-headers") else answer.status


def is_journaled(path: str) -> bool:
    """Return whether requests for this path are written down: all but those to the control API."""
    return not path.startswith(CONTROL) or path.startswith(PICTURES)

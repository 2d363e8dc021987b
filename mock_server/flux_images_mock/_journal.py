"""What was asked and answered: the last requests, within a limit of entries and of bytes. No key is in it."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flux_images_mock._json import is_array, is_object
from flux_images_mock._paths import CONTROL, PICTURES

if TYPE_CHECKING:
    from flux_images_mock._http import Answer, Exchange, Pair, Pairs, Violation

MOST_REQUESTS = 1000
_MOST_BYTES = 8 * 1024 * 1024
_ENTRY_BYTES = 1500
_BODY_BYTES = 64 * 1024
_LONGEST_PATH = 500
_SHORTEST_IMAGE = 64
_MOST_FIELDS = 50
_SCALARS = (int, float)

_HARMLESS = frozenset(
    b"host accept accept-encoding connection user-agent content-type content-length prefer transfer-encoding".split()
)
_SECRET = re.compile(rb"auth|key|token|secret|cookie|password|session|signature", re.IGNORECASE)
_KEY = re.compile(r"sk-(?!mock-)[\w-]+", re.ASCII)
_IMAGE = re.compile(r"data:|iVBORw0KGgo|/9j/|UklGR|R0lGOD|Qk[0-2]|[A-Za-z0-9+/_-]{200,}={0,2}\Z", re.ASCII)


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
        pairs = request.headers.pairs[:_MOST_FIELDS]
        body, size = shortened(exchange.body)
        entry = RecordedRequest(
            exchange.begun,
            request.method,
            _hidden(request.path)[:_LONGEST_PATH],
            [pair if pair[0] in _HARMLESS and len(pair[1]) < 300 else _clean(pair) for pair in pairs],
            {name: value for (_, name), value in exchange.parameters.items()} if exchange.parameters else {},
            body,
            None if operation is None else operation.operation_id,
            tuple(map(_without_key, exchange.violations)) if exchange.violations else (),
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


def status_sent(answer: Answer) -> int | None:
    """Return the status that goes back with an answer, nothing where a fault keeps it."""
    fault = answer.fault
    return None if fault is not None and fault.kind.endswith("before-headers") else answer.status


def is_journaled(path: str) -> bool:
    """Return whether requests for this path are written down: all but those to the control API."""
    return not path.startswith(CONTROL) or path.startswith(PICTURES)


def _hidden(text: str) -> str:
    return _KEY.sub("sk-***", text) if "sk-" in text else text


def _without_key(violation: Violation) -> Violation:
    return replace(violation, where=_hidden(violation.where), got=_hidden(violation.got))


@lru_cache(maxsize=256)
def _is_secret(name: bytes) -> bool:
    return _SECRET.search(name) is not None


def _clean(pair: Pair) -> Pair:
    name, value = pair
    return name[:100], b"***" if _is_secret(name) else value[:300]


def shortened(body: Any) -> tuple[Any, int]:
    """Return a JSON value without image data and within 64 KiB, and about how many bytes it takes."""
    if is_object(body):
        size = 0
        for value in body.values():
            if isinstance(value, str):
                if len(value) >= _SHORTEST_IMAGE and _IMAGE.match(value):
                    break
                size += 120 + 2 * len(value)
            elif value is None or isinstance(value, _SCALARS):
                size += 120
            else:
                break
        else:
            if size < _BODY_BYTES and len(body) < _MOST_FIELDS:
                return body, size
    left = [_BODY_BYTES]
    return _shortened(body, left), _BODY_BYTES - left[0]


def _shortened(value: Any, left: list[int]) -> Any:
    if isinstance(value, str):
        left[0] -= 60 + len(value)
        if len(value) >= _SHORTEST_IMAGE and _IMAGE.match(value):
            left[0] += len(value)
            return f"<image data, {len(value)} characters>"
        if left[0] < 0:
            return f"<{len(value)} characters>"
        return value
    left[0] -= 60
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if left[0] < 0:
        return "<more>"
    if is_object(value):
        shorter: dict[str, Any] = {}
        for name, item in value.items():
            if left[0] < 0:
                shorter["<more>"] = f"{len(value) - len(shorter)} more"
                break
            shorter[name] = _shortened(item, left)
            left[0] -= len(name)
        return shorter
    if is_array(value):
        items: list[Any] = []
        for item in value:
            if left[0] < 0:
                items.append(f"<{len(value) - len(items)} more>")
                break
            items.append(_shortened(item, left))
        return items
    return value

"""What was asked and answered, as it may be told: no key is in it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from flux_images_mock._description.schema import Violation
from flux_images_mock._gateway.exchange import Exchange
from flux_images_mock._gateway.run import Journal
from flux_images_mock._pictures.gallery import PICTURES
from flux_images_mock._request.parameters import Values, read_parameters
from flux_images_mock._request.redact import hide, key_of, readable, shortened

_LONGEST_PATH = 500


@dataclass(slots=True)
class RecordedRequest:
    """One request and what became of it. Keys are left out, and image data is replaced by its size."""

    time: float
    """When it came, in seconds since 1970 by the mock's clock."""
    method: str
    path: str
    """Without the query."""
    headers: dict[str, str]
    """Names in lower case; those that may carry a key are `***`."""
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

    def as_json(self) -> dict[str, Any]:
        """Return the entry for programs."""
        value = {each.name: getattr(self, each.name) for each in fields(self)}
        value["time"] = round(self.time, 3)
        value["violations"] = [violation.as_json() for violation in self.violations]
        value["duration"] = None if self.duration is None else round(self.duration, 6)
        return value

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


def requests(journal: Journal) -> list[RecordedRequest]:
    """Return what was asked, without the fetching of pictures, oldest first."""
    return [told(exchange) for exchange in journal.entries() if not exchange.request.path.startswith(PICTURES)]


def told(exchange: Exchange) -> RecordedRequest:
    """Return what may be told of an exchange; its parts are read again from what came."""
    request, operation, content = exchange.request, exchange.operation, exchange.content
    key, body = key_of(request), exchange.body
    parameters: Values = {}
    if content is not None and operation is not None:
        body = None if operation.body is None else operation.body.read(request.headers, content)[0]
        parameters, _ = read_parameters(operation.parameters, request, exchange.path_values)
    return RecordedRequest(
        exchange.begun,
        request.method,
        hide(request.path, key)[:_LONGEST_PATH],
        readable(request.headers.pairs, key),
        shortened({name: value for (_, name), value in parameters.items()}, key),
        shortened(body, key),
        None if operation is None else operation.operation_id,
        tuple(exchange.violations),
        None if exchange.scenario is None else exchange.scenario.name,
        exchange.status,
        exchange.billed,
        exchange.duration,
        exchange.client_left,
    )

"""One request on its way through the gateway, and what has been learnt of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flux_images_mock._answer.operation import Operation
from flux_images_mock._answer.scenarios import Scenario
from flux_images_mock._description.schema import Violation
from flux_images_mock._request.message import Request
from flux_images_mock._request.parameters import RawPairs


@dataclass(slots=True)
class Exchange:
    """What the steps tell each other, and what the journal keeps. Times are seconds by the mock's clock."""

    request: Request
    begun: float
    """When it came, since 1970."""
    operation: Operation | None = None
    path_values: RawPairs = field(default_factory=list["tuple[str, str]"])
    """The parameters of its path, still encoded."""
    preferences: dict[str, str] = field(default_factory=dict[str, str])
    taken: str | None = None
    """What the request took from the queue, until it is known whether it struck."""
    picked: Scenario | None = None
    """The scenario that the request asks for, should it come so far."""
    scenario: Scenario | None = None
    """The scenario that it met."""
    content: bytes | None = None
    """The body as it came, its encoding undone."""
    body: Any = None
    """The body as it was read; for as long as the journal can't read it again."""
    violations: Sequence[Violation] = ()
    billed: int = 0
    status: int | None = None
    """What went back."""
    duration: float | None = None
    client_left: bool = False
    finish: Callable[[], None] | None = None
    """What to call when the answer has left, or nobody waits for it any more."""

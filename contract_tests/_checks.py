"""What a check is: one promise of the contract, asked of a client or of a mock by its behaviour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests._client import Client
    from contract_tests._raw_http import Answer
    from flux_images_mock import MockServer


class Broken(NamedTuple):
    """A promise that was not kept."""

    promise: str
    where: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.promise}\n  where:    {self.where}\n  expected: {self.expected}\n  got:      {self.got}"


class Subject(NamedTuple):
    """Who is held to the contract: a client, a mock, or the one against the other."""

    client: Client
    mock: MockServer
    ask: Callable[[bytes], Answer]


class Check(NamedTuple):
    """One promise. `rule` is the pointer of what it stands on in the contract, `keeps` the side of the rule's border
    that it tests, `side` who is asked."""

    side: str
    operation: str
    rule: str
    keeps: bool
    name: str
    run: Callable[[Subject], Broken | None]

    def __str__(self) -> str:
        return f"{self.side}-{self.operation}-{self.name}"

"""What a check is: one promise of the contract, asked of a client or of a mock by its behaviour alone."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract_tests.checks.client import Client
    from contract_tests.checks.raw_http import Answer
    from flux_images_mock import MockServer

_CRASHES = (AttributeError, ImportError, LookupError, TypeError, ValueError, OSError, httpx.HTTPError)
"""What a check runs into on an answer or a client that is not at all what the contract says."""


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


Run = Callable[[Subject], Broken | None]
"""Asks, and says how the promise is broken, if it is."""


class Check(NamedTuple):
    """One promise. `rule` is the pointer of what it stands on in the contract, `keeps` the side of the rule's border
    that it tests, `side` who is asked."""

    side: str
    operation: str
    rule: str
    keeps: bool
    name: str
    run: Run

    def __str__(self) -> str:
        return f"{self.side}-{self.operation}-{self.name}"

    def broken(self, subject: Subject) -> Broken | None:
        """How the promise is broken, if it is; an answer or a client that the check can't make sense of breaks it."""
        errors = (subject.client.sdk.FluxImagesError, subject.client.errors.ResponseError)
        try:
            return self.run(subject)
        except (*_CRASHES, *errors) as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            got = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
            return Broken(self.name, f"{self.operation}, asked of the {self.side}", "what the contract declares", got)


def first_broken(subject: Subject, checks: Iterable[Check]) -> str | None:
    """The first check that fails, and the promise that is broken."""
    for check in checks:
        broken = check.broken(subject)
        if broken is not None:
            return f"{check}: {broken.promise}: got {' '.join(broken.got.split()):.160}"
    return None

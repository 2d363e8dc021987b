"""What the SDK makes of each scenario, found out by asking: the real client, the real mock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from typing import NamedTuple

from flux_images import FluxImages, FluxImagesError
from flux_images_mock import MockServer
from flux_images_mock._catalogue import main as scenarios

_PATIENCE = 2.0


class Outcome(NamedTuple):
    """A scenario, and what a call that meets it comes to.

    ``error`` is the class that was raised, None for pictures. ``deviates`` tells whether the pictures came in a
    shape that the contract does not have.
    """

    scenario: str
    imitates: str
    provenance: str
    status: int | None
    error: str | None
    may_have_been_billed: bool
    deviates: bool


def outcomes() -> list[Outcome]:
    """Try each scenario that the mock has."""
    listed = StringIO()
    with redirect_stdout(listed):
        scenarios(["--json"])
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(_try, json.loads(listed.getvalue())))


def errors_of(found: list[Outcome]) -> Iterator[Outcome]:
    """Yield those that end in an error, by status."""
    yield from sorted((each for each in found if each.error), key=lambda each: (each.status or 0, each.scenario))


def _try(facts: dict[str, str]) -> Outcome:
    error: FluxImagesError | None = None
    deviates = False
    with (
        MockServer(scenario=facts["name"]) as mock,
        FluxImages("sk-any", base_url=mock.url, max_retries=0, timeout=_PATIENCE) as flux,
    ):
        try:
            generation = flux.generate("A medal", aspect_ratio="16:9", n=1)
            deviates = bool(generation.deviations)
            for image in generation.images:
                if (image.url or "").startswith(mock.url):  # an example's address leads nowhere
                    image.read()
        except FluxImagesError as raised:
            error = raised
    return Outcome(
        facts["name"],
        facts["imitates"],
        facts["provenance"],
        getattr(error, "status_code", None),
        type(error).__name__ if error else None,
        error.may_have_been_billed if error else True,
        deviates,
    )

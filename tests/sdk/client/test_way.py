"""The way of one ``generate``, as ARCHITECTURE.md tells it."""

from __future__ import annotations

from flux_images import FluxImages
from flux_images_mock import MockServer
from tests.ways import Trail, followed, told

GENERATED = "flux_images_api/api/images/create_image.py"
"""The step that stands for the generated client."""


def _as_steps(trail: Trail) -> dict[str, set[str]]:
    """The files in order of first entry, with the generated client as one of them."""
    steps: dict[str, set[str]] = {}
    for file, functions in trail.entered.items():
        own = file.removeprefix("src/flux_images/")
        steps.setdefault(GENERATED if own.startswith("generated/") else own, set()).update(functions)
    return steps


def test_a_call_goes_the_way_that_is_told() -> None:
    """A warm synchronous call enters the files that are named, in their order, and no others."""
    steps = told("The way of one generate")
    assert 0 < len(steps) <= 12
    with MockServer() as mock, FluxImages("sk-any", base_url=mock.url) as client:
        client.generate("a lighthouse", aspect_ratio="1:1")
        with followed("", threads=False) as trail:
            client.generate("a lighthouse", aspect_ratio="1:1")
    kept = {file: names for file, names in trail.entered.items() if file.startswith(("src/", "generated/"))}
    trail.entered = kept
    entered = _as_steps(trail)
    assert list(entered) == list(steps)
    assert [file for file, function in steps.items() if function not in entered[file]] == []

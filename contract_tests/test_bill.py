"""Nobody is told that a call was free which the gateway billed: every scenario of the mock, through the SDK."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import flux_images
from contract_tests.contract import document as contract
from flux_images import AsyncFluxImages, FluxImages
from flux_images_mock import app

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_images_mock import MockServer
    from flux_images_mock._testing.respx import FluxMockRespx

    AnyImage = flux_images.Image | flux_images.AsyncImage
    Buy = Callable[[str, float, dict[str, Any]], None]

ROWS = {row["scenario"]: row for row in contract.cases("scenarios")}
EXAMPLES = {example.name for example in contract.examples()}
KEY = "sk-contract-bill"
STALLS = {"drip", "stall-before-headers", "stall-in-body"}
SHORT, LONG = 0.4, 30.0  # seconds; a stall is met by giving up


def catalogue() -> list[str]:
    """Every scenario that the mock knows."""
    return [scenario.name for scenario in app(contract.PATH).engine.scenarios]


def _is_here(image: AnyImage, base_url: str) -> bool:
    """Whether the picture can be fetched without leaving this machine."""
    return image.url is None or image.url.startswith(base_url)


def _buy(base_url: str, timeout: float, wishes: dict[str, Any]) -> None:
    with FluxImages(KEY, base_url=base_url, max_retries=0, timeout=timeout) as flux:
        for image in flux.generate("a medal", **wishes).images:
            if _is_here(image, base_url):
                image.read()


def _abuy(base_url: str, timeout: float, wishes: dict[str, Any]) -> None:
    async def call() -> None:
        async with AsyncFluxImages(KEY, base_url=base_url, max_retries=0, timeout=timeout) as flux:
            for image in (await flux.generate("a medal", **wishes)).images:
                if _is_here(image, base_url):
                    await image.read()

    asyncio.run(call())


@pytest.fixture(params=[_buy, _abuy], ids=["sync", "async"])
def buy(request: pytest.FixtureRequest) -> Buy:
    """Ask for pictures and fetch them, without retries."""
    call: Buy = request.param
    return call


def _outcome(buy: Buy, mock: MockServer | FluxMockRespx, name: str) -> tuple[flux_images.FluxImagesError | None, int]:
    before = mock.bill[KEY]
    wishes = {"n": 2, "aspect_ratio": "16:9", "extra_headers": {"Prefer": f"scenario={name}"}}
    try:
        buy(mock.url, SHORT if name in STALLS else LONG, wishes)
    except flux_images.FluxImagesError as error:
        return error, mock.bill[KEY] - before
    return None, mock.bill[KEY] - before


@pytest.fixture(params=["mock", "flux_mock_respx"], ids=["socket", "respx"])
def either(request: pytest.FixtureRequest) -> MockServer | FluxMockRespx:
    """The mock on a socket, and the one without."""
    mock: MockServer | FluxMockRespx = request.getfixturevalue(request.param)
    return mock


@pytest.mark.parametrize("name", catalogue())
def test_no_billed_call_is_called_free(name: str, buy: Buy, either: MockServer | FluxMockRespx) -> None:
    """An error of a call that was billed says that it may have been; whatever stands in for the network."""
    error, billed = _outcome(buy, either, name)
    free = error is not None and not error.may_have_been_billed
    assert not (billed and free), f"{name}: the mock billed {billed}, the SDK says that it is free: {error!r}"


@pytest.mark.parametrize("name", ROWS)
def test_a_scenario_arrives_as_what_a_caller_branches_on(name: str, buy: Buy, mock: MockServer) -> None:
    """What is no example of the contract arrives as the documented class, and costs what the table says."""
    error, billed = _outcome(buy, mock, name)
    got = (type(error).__name__ if error else None, billed)
    assert got == (ROWS[name]["error"], 2 if ROWS[name]["billed"] else 0), f"{name}: {error!r}"


def test_the_table_has_every_scenario() -> None:
    """A new scenario needs a row."""
    assert set(ROWS) == set(catalogue()) - EXAMPLES


HEALING = ("picture-not-yet", "picture-202")
TASKS = ("task-submitted", "task-accepted")
SHAPED = tuple(scenario.name for scenario in app(contract.PATH).engine.scenarios if scenario.shape)


@pytest.mark.parametrize("name", [*HEALING, *SHAPED])
def test_every_picture_of_an_odd_answer_is_had(name: str, mock: MockServer) -> None:
    """With what a client does by default and a path for tasks: one POST, and as many pictures as were drawn."""
    before, asked = mock.bill[KEY], len(mock.requests)
    with FluxImages(KEY, base_url=mock.url, task_path="/v1/tasks/{task_id}") as flux:
        generation = flux.generate("a medal", n=2, extra_headers={"Prefer": f"scenario={name}"})
        files = [image.read() for image in generation.images]
    assert all(image.check == "whole" for image in generation.images)
    assert len(files) == 2 - generation.missing > 0
    assert generation.deviations or name in HEALING or "base64" in name or name == "white-space-first"
    sent = mock.requests[asked:]
    assert [request.method for request in sent].count("POST") == 1
    assert len(sent) == (3 if name in TASKS else 1)
    assert mock.bill[KEY] - before == 2

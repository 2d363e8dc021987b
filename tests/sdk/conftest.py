"""One way to call, whichever client; and no waiting between attempts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from flux_images import AsyncFluxImages, AsyncGeneration, FluxImages, Generation

KEY = "sk-test-Zm9vYmFy-0123456789"
Buy = Callable[..., tuple[Generation | AsyncGeneration, list[bytes]]]
"""``buy(url, prompt, options=..., read=True, **fields)``: generate, and read every picture."""


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flux_images._send.retry.FIRST_WAIT", 0.0)
    monkeypatch.delenv("FLUX_API_KEY", raising=False)
    monkeypatch.delenv("FLUX_BASE_URL", raising=False)
    monkeypatch.delenv("FLUX_LOG_PROMPTS", raising=False)


def _buy_sync(
    url: str | None, prompt: str = "a medal", *, options: dict[str, Any] | None = None, read: bool = True, **fields: Any
) -> tuple[Generation, list[bytes]]:
    with FluxImages(KEY, base_url=url, **(options or {})) as flux:
        generation = flux.generate(prompt, **fields)
        return generation, [image.read() for image in generation.images] if read else []


def _buy_async(
    backend: str,
    url: str | None,
    prompt: str = "a medal",
    *,
    options: dict[str, Any] | None = None,
    read: bool = True,
    **fields: Any,
) -> tuple[AsyncGeneration, list[bytes]]:
    async def main() -> tuple[AsyncGeneration, list[bytes]]:
        async with AsyncFluxImages(KEY, base_url=url, **(options or {})) as flux:
            generation = await flux.generate(prompt, **fields)
            return generation, [await image.read() for image in generation.images] if read else []

    return anyio.run(main, backend=backend)


BUYERS: dict[str, Buy] = {
    "sync": _buy_sync,
    "asyncio": functools.partial(_buy_async, "asyncio"),
    "trio": functools.partial(_buy_async, "trio"),
}


@pytest.fixture(params=["sync", "asyncio"])
def flavour(request: pytest.FixtureRequest) -> str:
    """Which client: the synchronous one, then the asynchronous one."""
    return str(request.param)


@pytest.fixture
def buy(flavour: str) -> Buy:
    """The same client, to buy with."""
    return BUYERS[flavour]


@pytest.fixture(params=["sync", "asyncio", "trio"])
def buy_anywhere(request: pytest.FixtureRequest) -> Buy:
    """The synchronous client, then the asynchronous one on each event loop."""
    return BUYERS[request.param]


WAYS: dict[str, Buy] = {
    **BUYERS,
    "fast": lambda url, *rest, options=None, **more: BUYERS["asyncio"](
        url, *rest, options={**(options or {}), "fast": True}, **more
    ),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Buy:
    """The synchronous client, the asynchronous one on each event loop, and the fast one."""
    return functools.partial(WAYS[request.param])

"""Every way to send: the three transports, and the default one on both event loops."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from flux_images import AsyncFluxImages, FluxImages
from tests.sdk.conftest import BUYERS, KEY, Buy


def _buy_fast(*arguments: Any, options: dict[str, Any] | None = None, **fields: Any) -> Any:
    pytest.importorskip("aiohttp", reason="the extra `fast` is not installed")
    return BUYERS["asyncio"](*arguments, options={"fast": True, **(options or {})}, **fields)


UNFINISHED = pytest.mark.filterwarnings("ignore:.*ByteStream.__aiter__:pytest.PytestUnraisableExceptionWarning")
"""Trio tells of the generator that httpx makes for a request's body, where the request is not sent to its end."""
WAYS: dict[str, Buy] = {**BUYERS, "fast": _buy_fast}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """The name of each of the ways."""
    return str(request.param)


@pytest.fixture
def buy(way: str) -> Buy:
    """Buy by each of the ways."""
    return WAYS[way]


def buy_twice(way: str, url: str, **options: Any) -> None:
    """Two calls in a row of one client."""
    if way == "sync":
        with FluxImages(KEY, base_url=url, **options) as client:
            client.generate("a medal")
            client.generate("a medal")
        return

    async def main() -> None:
        async with AsyncFluxImages(KEY, base_url=url, fast=way == "fast", **options) as client:
            await client.generate("a medal")
            await client.generate("a medal")

    anyio.run(main, backend="trio" if way == "trio" else "asyncio")

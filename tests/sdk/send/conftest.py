"""Every way to send: the three transports, and the default one on both event loops."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sdk.conftest import BUYERS, Buy


def _buy_fast(*arguments: Any, options: dict[str, Any] | None = None, **fields: Any) -> Any:
    pytest.importorskip("aiohttp", reason="the extra `fast` is not installed")
    return BUYERS["asyncio"](*arguments, options={"fast": True, **(options or {})}, **fields)


WAYS: dict[str, Buy] = {**BUYERS, "fast": _buy_fast}


@pytest.fixture(params=WAYS)
def buy(request: pytest.FixtureRequest) -> Buy:
    """Buy by each of the ways."""
    return WAYS[request.param]

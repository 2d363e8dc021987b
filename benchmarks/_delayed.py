"""The mock with one more responder, which answers after ten seconds."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from flux_images_mock import MockServer

if TYPE_CHECKING:
    from flux_images_mock._http import Answer, Exchange
    from flux_images_mock._operation import Operation

DELAY = 10.0


async def later(exchange: Exchange, operation: Operation) -> Answer | None:
    del exchange, operation
    await asyncio.sleep(DELAY)
    return None


if __name__ == "__main__":
    with MockServer(port=int(sys.argv[1])) as server:
        server.app.engine.sources.insert(0, later)
        sys.stdin.read()

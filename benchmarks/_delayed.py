"""The mock with one more responder, which answers after ten seconds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flux_images_mock import MockServer
from flux_images_mock._answer.respond import declared

if TYPE_CHECKING:
    from flux_images_mock._answer.operation import Operation
    from flux_images_mock._request.message import Answer, Exchange

DELAY = 10.0


def later(exchange: Exchange, operation: Operation) -> Answer | None:
    answer = declared(exchange, operation)
    if answer is not None:
        answer.delay = DELAY
    return answer


if __name__ == "__main__":
    with MockServer(port=int(sys.argv[1])) as server:
        server.app.engine.sources.insert(0, later)
        sys.stdin.read()

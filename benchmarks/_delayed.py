"""The mock with one more responder, which answers after ten seconds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flux_images_mock import MockServer
from flux_images_mock._answer.respond import declared

if TYPE_CHECKING:
    from flux_images_mock._answer.answer import Answer
    from flux_images_mock._answer.respond import Asked

DELAY = 10.0


def later(asked: Asked) -> Answer:
    answer = declared(asked)
    answer.delay = DELAY
    return answer


if __name__ == "__main__":
    with MockServer(port=int(sys.argv[1])) as server:
        server.app.engine.sources["create_image"] = later
        sys.stdin.read()

"""A run of a batch that is killed at a named point: ``killed.py URL FOLDER PROMPTS OPTIONS POINT TURN``.

The point is a row of ``POINTS``; the process kills itself when it comes there for the TURN-th time. Without a point
it runs to its end, and prints what became of the requests.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from typing import Any

POINTS: dict[str, tuple[str, str, str]] = {
    "before `sent` is noted": ("_batch.ledger.writer", "Writer._commit", "before"),
    "after `sent` was noted": ("_answer.pictures", "picture_answer", "before"),
    "when the answer was read": ("_batch.run.collect", "Collector.first", "before"),
    "after an inline picture's part was written": ("_batch.run.collect", "write_part", "after"),
    "after `paid` was noted": ("_batch.run.collect", "Collector._bring", "before"),
    "before the picture gets its name": ("_batch.run.collect", "put_in_place", "before"),
    "after the picture got its name": ("_batch.run.collect", "put_in_place", "after"),
    "after `saved` was noted": ("_batch.run.collect", "Result", "before"),
}


def die_at(point: str, turn: int) -> None:
    module, name, when = POINTS[point]
    holder: Any = importlib.import_module(f"flux_images.{module}")
    *path, attribute = name.split(".")
    for part in path:
        holder = getattr(holder, part)
    original = getattr(holder, attribute)
    left = [turn]

    def stand_in(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if not left[0] and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **named)
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(holder, attribute, stand_in)


def main(url: str, folder: str, prompts: str, options: str, point: str = "", turn: str = "1") -> None:
    from flux_images import FluxImages

    if point:
        die_at(point, int(turn))
    settings = json.loads(options)
    with FluxImages("sk-test-Zm9vYmFy-0123456789", base_url=url, timeout=2) as flux:
        for result in flux.batch(prompts, folder, **settings):
            print(json.dumps([result.id, result.state, result.reason]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

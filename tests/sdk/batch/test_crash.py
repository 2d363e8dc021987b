"""Killed at any moment, and run again: what was billed is here or known to be in doubt, and nothing is billed twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flux_images_mock import MockServer
from tests.sdk.batch import killed
from tests.sdk.batch.books import assert_nothing_lost, books

SCRIPT = Path(killed.__file__)


def start(
    mock: MockServer, folder: Path, prompts: Path, options: dict[str, Any], *death: object
) -> subprocess.Popen[str]:
    arguments = map(str, (SCRIPT, mock.url, folder, prompts, json.dumps(options), *death))
    return subprocess.Popen([sys.executable, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(mock: MockServer, folder: Path, prompts: Path, options: dict[str, Any], *death: object) -> int:
    with start(mock, folder, prompts, options, *death) as process:
        _, errors = process.communicate(timeout=240)
    assert process.returncode in (0, -signal.SIGKILL), errors
    return process.returncode


def write_prompts(path: Path, count: int, **fields: Any) -> Path:
    lines = [json.dumps({"id": f"p{number}", "prompt": f"medal {number}", **fields}) for number in range(count)]
    path.write_text("\n".join(lines))
    return path


AT = [  # where it dies, the turn, inline pictures; what one of six requests has become after the next run, and its bill
    ("before `sent` is noted", 3, False, "saved", 1),
    ("after `sent` was noted", 3, False, "unknown", 0),
    ("when the answer was read", 3, False, "unknown", 1),
    ("after `paid` was noted", 3, False, "saved", 1),
    ("before the picture gets its name", 3, False, "saved", 1),
    ("after the picture got its name", 3, False, "saved", 1),
    ("after `saved` was noted", 3, False, "saved", 1),
    ("after an inline picture's part was written", 3, True, "saved", 1),
    ("after `paid` was noted", 3, True, "saved", 1),
    ("before the picture gets its name", 3, True, "saved", 1),
    ("after the picture got its name", 3, True, "saved", 1),
]


@pytest.mark.parametrize(("point", "turn", "inline", "state", "billed"), AT)
def test_killed_at_a_point(
    flux_mock: MockServer, tmp_path: Path, point: str, turn: int, inline: bool, state: str, billed: int
) -> None:
    """One call at a time, so that exactly one is under way."""
    fields = {"response_format": "b64_json"} if inline else {}
    prompts = write_prompts(tmp_path / "prompts.jsonl", 6, **fields)
    assert run(flux_mock, tmp_path / "out", prompts, {"concurrency": 1}, point, turn) == -signal.SIGKILL
    assert run(flux_mock, tmp_path / "out", prompts, {"concurrency": 1}) == 0
    found = books(tmp_path / "out", flux_mock)
    assert_nothing_lost(found)
    assert found.states == Counter(["saved"] * 5 + [state])
    assert found.billed == 5 + billed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_instants(tmp_path: Path, seed: int) -> None:
    """25 times each, from the moment on in which something is under way; at addresses and inside answers."""
    with MockServer(latency="20ms..200ms", chaos=0.05, seed=seed, journal=100_000) as mock:
        _kill_often(mock, tmp_path, seed)


def _kill_often(mock: MockServer, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    fields = {"response_format": "b64_json"} if seed % 2 else {}
    prompts = write_prompts(tmp_path / "prompts.jsonl", 800, **fields)
    options = {"concurrency": 16, "max_failures": 10_000}
    kills = 0
    while kills < 25:
        with start(mock, tmp_path / "out", prompts, options) as process:
            assert process.stdout is not None
            for _ in range(chance.randint(1, 30)):  # others are under way whenever one is told of
                process.stdout.readline()
            process.kill()
        kills += process.returncode == -signal.SIGKILL
    for _ in range(50):  # an exhausted quota, by chance, ends a run
        run(mock, tmp_path / "out", prompts, options)
        if not books(tmp_path / "out", mock).states["waiting"]:
            break
    found = books(tmp_path / "out", mock)
    assert_nothing_lost(found)
    assert not {"waiting", "sent"} & set(found.states)
    assert found.states.total() == 800

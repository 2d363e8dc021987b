"""The programs in examples/ do what they say, against the mock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flux_images_mock import MockServer

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.slow


def _environment(mock: MockServer) -> dict[str, str]:
    return {**os.environ, "FLUX_API_KEY": "sk-reader-0123456789", "FLUX_BASE_URL": mock.url}


def test_many(flux_mock: MockServer, tmp_path: Path) -> None:
    table = tmp_path / "prompts.csv"
    table.write_text("prompt\nA medal\nA fox\nA harbour\n")
    flux_mock.scenario("sensitive-words", times=1)
    done = subprocess.run(
        [sys.executable, EXAMPLES / "many.py", table, tmp_path / "out"],
        env=_environment(flux_mock),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert len(list((tmp_path / "out").iterdir())) == flux_mock.bill.pictures == 2
    assert "row " in done.stderr


def test_another_language(flux_mock: MockServer) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    folder = EXAMPLES / "another_language"
    done = subprocess.run(
        ["node", "--test", folder / "pictures.test.mjs"],
        env=_environment(flux_mock),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_job_runs_what_is_there() -> None:
    """Its commands are the mock's, and the folder of the tests exists."""
    job = yaml.safe_load((EXAMPLES / "another_language/ci.yml").read_text())["jobs"]["test"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert "flux-images mock &" in commands
    assert (EXAMPLES.parent / commands[-1].split()[-1]).is_dir()

"""The public interface, as type checkers see it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((ROOT / "contract_tests" / "typing").glob("*.py"))


def _run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_mypy_finds_nothing() -> None:
    """Strict; marks that are not needed are findings too, so the mistakes stay mistakes."""
    _run("mypy", "--strict", "--warn-unused-ignores", *map(str, SCRIPTS))


@pytest.mark.slow
def test_pyright_finds_nothing() -> None:
    """Strict, on what a user writes right."""
    _run("pyright", "--pythonpath", sys.executable, str(SCRIPTS[-1]))
    assert SCRIPTS[-1].name == "user_script.py"


@pytest.mark.slow
def test_a_third_checker_finds_nothing() -> None:
    """ty, on the same script."""
    _run("ty", "check", "--python", sys.prefix, str(SCRIPTS[-1]))

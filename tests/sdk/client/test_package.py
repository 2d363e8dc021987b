"""What the package shows, and what importing it brings in."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import flux_images

ROOT = Path(__file__).parents[3]


def test_all_is_what_is_visible() -> None:
    """Nothing public is missing from ``__all__``, and nothing in it is missing."""
    visible = {name for name in vars(flux_images) if not name.startswith("_") and name != "annotations"}
    assert set(flux_images.__all__) - {"__version__"} == visible
    assert flux_images.__all__ == sorted(flux_images.__all__)


def test_the_version_is_the_project_s() -> None:
    """Said twice, so that importing need not look it up."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert flux_images.__version__ == project["version"]


def test_importing_stays_light() -> None:
    """Beyond what httpx brings in by itself, nothing that only a call, or nobody, needs."""
    code = "import sys, httpx; before = set(sys.modules); import flux_images; print(*set(sys.modules) - before)"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    brought = {name.partition(".")[0] for name in output.split()}
    assert "flux_images" in brought
    assert not brought & {"flux_images_api", "anyio", "attr", "attrs", "PIL", "rich", "pytest", "click", "pybase64"}

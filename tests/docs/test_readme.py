"""Every example in README and guides runs as it stands, and every make target that a page names exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flux_images_api.contract import SERVER
from flux_images_mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
]
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = ["\n".join(line[2:] for line in code.splitlines()) for language, code in BLOCKS if language == "console"]
"""The commands of a block follow one another."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """Variables as a user has them, with the mock in the gateway's place."""
    commands = Path(sys.executable).parent
    with MockServer() as mock:
        yield {
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "FLUX_API_KEY": "sk-reader",
            "FLUX_BASE_URL": mock.url,
        }


def _run(command: list[str], environment: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_example(code: str, environment: dict[str, str], tmp_path: Path) -> None:
    """The example runs without an error, by pytest if it is a test, and what it saves is there."""
    example = tmp_path / "test_example.py"
    example.write_text(code, "utf-8")
    runner = ["-m", "pytest", "-q"] if "def test_" in code else ["-W", "error"]
    done = _run([sys.executable, *runner, str(example)], environment, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in re.findall(r'\.save\("(.+?)"\)', code):
        assert list(tmp_path.glob(f"{name}*"))
    _look_at_files(tmp_path)


@pytest.mark.parametrize("commands", SHELL, ids=range(len(SHELL)))
def test_commands(commands: str, environment: dict[str, str], tmp_path: Path) -> None:
    """Each command succeeds, and they say or leave something."""
    done = _run(["bash", "-e", "-c", commands], environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout or list(tmp_path.rglob("*.*"))
    _look_at_files(tmp_path)


def _look_at_files(folder: Path) -> None:
    """A file holds what its suffix says."""
    for suffix, start in ((".png", b"\x89PNG"), (".jpg", b"\xff\xd8")):
        for path in folder.rglob(f"*{suffix}"):
            assert path.read_bytes().startswith(start), path


def test_examples_are_found() -> None:
    """The patterns above still match the page."""
    assert len(PYTHON) >= 3
    assert len(SHELL) >= 4


def test_the_host_that_is_asked_by_default_is_named() -> None:
    """It gets the key of whoever names no other."""
    assert SERVER in PAGES[0].read_text("utf-8")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/batch.md"])
def test_targets_exist(page: str) -> None:
    """A make target that a page names is one of the Makefile's."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / page).read_text("utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.zh-CN.md")), ids=lambda page: page.name)
def test_both_languages_say_the_same(page: Path) -> None:
    """As many headings, the same commands, and the same names in code; nothing else can be compared."""
    chinese = page.read_text("utf-8")
    english = page.with_name(page.name.replace(".zh-CN", "")).read_text("utf-8")

    def skeleton(text: str) -> tuple[int, list[str], list[str], int]:
        blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        rest = re.sub(r"^```\w*\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        code = sorted(set(re.findall(r"`([^`]+)`", rest)))
        return len(re.findall(r"^#+ ", rest, re.MULTILINE)), blocks, code, rest.count("\n|")

    assert skeleton(chinese) == skeleton(english)

"""`make sdk` and `make check-sdk`: reproducible, complete, and no edit too many."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from codegen.__main__ import differences, main
from codegen.edits import EDITS, Edit, EditError
from codegen.generate import HEADER, GenerationError, generate
from contract_tests.contract import document as contract

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "openapi.yaml"
COMMITTED = ROOT / "generated" / "flux_images_api"
SCRIPT = Path(__file__).with_name("user_script.py")
BEHAVIOUR = Path(__file__).with_name("test_generated_client.py")


@pytest.mark.slow
def test_generating_twice_gives_the_committed_bytes(tmp_path: Path) -> None:
    """The committed package is what the contract generates, byte for byte, on any Python and in any folder."""
    generate(SPEC, tmp_path / "flux_images_api")
    assert differences(tmp_path / "flux_images_api", COMMITTED) == []


def test_every_module_says_not_to_edit_it() -> None:
    """The header names the command that writes the file."""
    assert all(module.read_text("utf-8").startswith(HEADER) for module in COMMITTED.rglob("*.py"))
    assert (COMMITTED / "py.typed").exists()


def _rename_property(text: str) -> str:
    return text.replace("revised_prompt", "final_prompt")


def _rename_operation(text: str) -> str:
    return text.replace("create_image", "draw_image")


@pytest.mark.slow
@pytest.mark.parametrize("change", [_rename_property, _rename_operation])
def test_check_fails_on_a_change_of_the_contract(
    change: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` names each file that is out of date and how to mend it."""
    spec = tmp_path / "openapi.yaml"
    spec.write_text(change(SPEC.read_text("utf-8")), "utf-8")
    assert main(["--check", "--spec", str(spec)]) == 1
    assert "run `make sdk`" in capsys.readouterr().err


def test_a_stray_file_is_a_difference(tmp_path: Path) -> None:
    """A file that no longer belongs to the package is found, not only changed ones."""
    fresh, committed = tmp_path / "fresh", tmp_path / "committed"
    for folder in (fresh, committed):
        folder.mkdir()
        (folder / "same.py").write_text("1")
    (committed / "stray.py").write_text("1")
    assert differences(fresh, committed) == [committed / "stray.py"]


def test_what_the_generator_would_drop_stops_it(tmp_path: Path) -> None:
    """A response that the generator can't express is an error, not a function that is silently missing."""
    document = yaml.safe_load(SPEC.read_text("utf-8"))
    operation = document["paths"]["/v1/images/generations"]["post"]
    operation["requestBody"] = {"content": {"text/plain": {"schema": {"type": "string"}}}}
    spec = tmp_path / "openapi.yaml"
    spec.write_text(yaml.safe_dump(document), "utf-8")
    with pytest.raises(GenerationError, match="text/plain"):
        generate(spec, tmp_path / "package")


UNREADABLE = {
    "a missing file": (None, "cannot be read"),
    "a tab that indents": (b'openapi: 3.1.0\ninfo:\n\ttitle: "a"\n', "cannot be read.*line 3"),
    "not UTF-8": (b"info: \xff", "cannot be read"),
    "a list": (b"[]", "its root is not an object"),
}


@pytest.mark.parametrize(("content", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_said_in_a_sentence(
    content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is no contract ends with its name and the reason, not with a traceback."""
    spec = tmp_path / "openapi.yaml"
    if content is not None:
        spec.write_bytes(content)
    assert main(["--spec", str(spec), "--output", str(tmp_path / "package")]) == 2
    assert re.search(f"codegen: .*openapi.yaml.*{said}", capsys.readouterr().err, re.DOTALL)


@pytest.mark.parametrize("text", ["no such line until", "twice twice until", "until twice"])
def test_an_edit_that_no_longer_fits_stops_it(text: str) -> None:
    """A new version of the generator can't make an edit vanish in silence; the message names it."""
    with pytest.raises(EditError, match=r"model\.py\.jinja: 'twice'.*adapt the edit"):
        Edit(template="model.py.jinja", why="a test", find="twice", until="until", put="").apply(text)


@pytest.mark.slow
@pytest.mark.parametrize("why", [why for why, _ in groupby(EDITS, key=lambda edit: edit.why)])
def test_every_edit_is_needed(why: str, tmp_path: Path) -> None:
    """Without any one edit the package doesn't generate, behaves worse or isn't strictly typed."""
    package = tmp_path / "flux_images_api"
    spec = tmp_path / "openapi.yaml"
    spec.write_text(yaml.safe_dump(contract.grown()), "utf-8")
    generate(spec, package, [edit for edit in EDITS if edit.why != why])
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    quiet = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--import-mode=importlib"]
    shutil.copy(SCRIPT, tmp_path)
    settings = tmp_path / "pyrightconfig.json"
    settings.write_text('{"typeCheckingMode": "strict", "pythonVersion": "3.11"}')
    judges = (
        [*quiet, str(BEHAVIOUR)],
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--project", str(settings)],
    )
    verdicts = (
        subprocess.run(judge, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode
        for judge in judges
    )
    assert any(verdicts), f"nothing got worse without the edits for {why!r}: delete them"

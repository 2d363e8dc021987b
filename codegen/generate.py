"""One run of openapi-python-client: its own templates with our edits, our static modules, one format."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import yaml

from codegen.contract_module import contract_module
from codegen.edits import EDITS, Edit

HERE = Path(__file__).parent
HEADER = "# Generated from openapi.yaml. Do not edit: make sdk\n"


class GenerationError(Exception):
    """The client cannot be generated; the message says what to mend and where."""


def generate(spec: Path, output: Path, changes: Sequence[Edit] = EDITS) -> None:
    """Write the client package for a contract into a folder that does not exist yet.

    Args:
        spec: The OpenAPI document.
        output: The package's folder; its name is the package's name.
        changes: The template edits to make.

    Raises:
        GenerationError: The document has something that the generator would drop.
        EditError: An edit no longer fits the generator's template.
    """
    with tempfile.TemporaryDirectory() as scratch:
        templates = Path(scratch)
        _write_templates(templates, changes)
        places = [f"--path={spec}", f"--custom-template-path={templates}", f"--output-path={output}"]
        settings = ["--fail-on-warning", "--meta=none", f"--config={HERE / 'config.yaml'}"]
        run([sys.executable, "-m", "openapi_python_client", "generate", *settings, *places])
    for module in (HERE / "static").glob("*.py"):
        shutil.copy(module, output)
    (output / "contract.py").write_text(contract_module(yaml.safe_load(spec.read_text("utf-8"))), "utf-8")
    (output / "py.typed").touch()
    for module in output.rglob("*.py"):
        module.write_text(HEADER + module.read_text("utf-8"), "utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    settings = ["--isolated", "--no-cache", "--quiet", "--target-version", "py311", str(output)]
    run([*ruff, "check", "--select", "F401,I", "--fix-only", *settings])
    run([*ruff, "format", "--line-length", "120", *settings])


def run(command: list[str]) -> None:
    """Run a step.

    Raises:
        GenerationError: It failed; the message holds what it printed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own commands
    if done.returncode:
        raise GenerationError(f"{' '.join(command[1:4])} failed:\n{done.stdout}{done.stderr}")


def _write_templates(folder: Path, changes: Sequence[Edit]) -> None:
    shutil.copytree(HERE / "templates", folder, dirs_exist_ok=True)
    originals = files("openapi_python_client") / "templates"
    for change in changes:
        path = folder / change.template
        text = path.read_text("utf-8") if path.exists() else (originals / change.template).read_text("utf-8")
        path.parent.mkdir(exist_ok=True)
        path.write_text(change.apply(text), "utf-8")

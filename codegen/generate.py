"""One run of openapi-python-client: its own templates with our edits, our static modules, one format."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import cast

import openapi_python_client as generator
import yaml
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser.errors import GeneratorError, ParseError

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
        _write_templates(Path(scratch), changes)
        with redirect_stdout(StringIO()):  # it tells its progress
            problems = generator.generate(config=_config(spec, output), custom_template_path=Path(scratch))
    if problems:
        told = (f"{problem.header}\n{problem.detail or ''}\n{_at_fault(problem)}" for problem in problems)
        raise GenerationError(f"openapi-python-client would leave something out:\n{chr(10).join(told)}")
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


def _at_fault(problem: GeneratorError) -> str:
    """The part of the contract that a problem is about."""
    data = problem.data if isinstance(problem, ParseError) else None
    return data.model_dump_json(exclude_unset=True, by_alias=True) if data else ""


def _config(spec: Path, output: Path) -> Config:
    """The generator's settings; it leaves out media types that it does not know, so those are files to it."""
    settings = ConfigFile.load_from_path(HERE / "config.yaml")
    document = yaml.safe_load(spec.read_text("utf-8"))
    files = {name: "application/octet-stream" for name in _media_types(document) if not _KNOWN.match(name)}
    settings.content_type_overrides = files
    return Config.from_sources(settings, MetaType.NONE, spec, "utf-8", overwrite=False, output_path=output)


_KNOWN = re.compile(r"text/|multipart/form-data|application/(.*\+)?json|application/x-www-form-urlencoded")


def _media_types(node: object) -> Iterator[str]:
    """The media types of every body; a property that is called `content` has members without a slash."""
    if isinstance(node, dict):
        members = cast("dict[str, object]", node)
        content = members.get("content")
        if isinstance(content, dict):
            yield from (name for name in cast("dict[str, object]", content) if "/" in name)
        for child in members.values():
            yield from _media_types(child)
    elif isinstance(node, list):
        for child in cast("list[object]", node):
            yield from _media_types(child)


def _write_templates(folder: Path, changes: Sequence[Edit]) -> None:
    shutil.copytree(HERE / "templates", folder, dirs_exist_ok=True)
    originals = files("openapi_python_client") / "templates"
    for change in changes:
        path = folder / change.template
        text = path.read_text("utf-8") if path.exists() else (originals / change.template).read_text("utf-8")
        path.parent.mkdir(exist_ok=True)
        path.write_text(change.apply(text), "utf-8")

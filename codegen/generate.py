"""One run of openapi-python-client: its own templates with our edits, our static modules, one format."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib.resources import files
from io import StringIO
from pathlib import Path

import openapi_python_client as generator
import yaml
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser.errors import GeneratorError, ParseError

from codegen.contract_module import contract_module
from codegen.document import DanglingReferenceError, Json, is_object, objects
from codegen.edits import EDITS, Edit

HERE = Path(__file__).parent
_KNOWN = re.compile(r"text/|multipart/form-data|application/(.*\+)?json|application/x-www-form-urlencoded")
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
        GenerationError: The document cannot be read, or has something that the generator would drop.
        EditError: An edit no longer fits the generator's template.
    """
    document = _read(spec)
    with tempfile.TemporaryDirectory() as scratch:
        _write_templates(Path(scratch), changes)
        with redirect_stdout(StringIO()):  # it tells its progress
            problems = generator.generate(config=_config(spec, output, document), custom_template_path=Path(scratch))
    if problems:
        told = (f"{problem.header}\n{problem.detail or ''}\n{_at_fault(problem)}" for problem in problems)
        raise GenerationError(f"openapi-python-client would leave something out:\n{chr(10).join(told)}")
    for module in (HERE / "static").glob("*.py"):
        shutil.copy(module, output)
    try:
        (output / "contract.py").write_text(contract_module(document), "utf-8")
    except DanglingReferenceError as error:
        raise GenerationError(f"{spec}: {error}") from error
    (output / "py.typed").touch()
    for module in output.rglob("*.py"):
        module.write_text(HEADER + module.read_text("utf-8"), "utf-8")
    settings = ["--isolated", "--no-cache", "--quiet", "--target-version", "py311", str(output)]
    for step in (["check", "--select", "F401,I", "--fix-only"], ["format", "--line-length", "120"]):
        command = [sys.executable, "-m", "ruff", *step, *settings]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own commands
        if done.returncode:
            raise GenerationError(f"ruff {step[0]} failed:\n{done.stdout}{done.stderr}")


def _read(spec: Path) -> Json:
    try:
        document = yaml.safe_load(spec.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise GenerationError(f"{spec} cannot be read: {error}") from error
    if not is_object(document):
        raise GenerationError(f"{spec} is no OpenAPI document: its root is not an object")
    return document


def _at_fault(problem: GeneratorError) -> str:
    """The part of the contract that a problem is about."""
    data = problem.data if isinstance(problem, ParseError) else None
    return data.model_dump_json(exclude_unset=True, by_alias=True) if data else ""


def _config(spec: Path, output: Path, document: Json) -> Config:
    """The generator's settings; it leaves out media types that it does not know, so those are files to it.

    A property that is called `content` has members without a slash.
    """
    settings = ConfigFile.load_from_path(HERE / "config.yaml")
    bodies = (node["content"] for node in objects(document) if isinstance(node.get("content"), dict))
    types = {name for body in bodies for name in body if "/" in name and not _KNOWN.match(name)}
    settings.content_type_overrides = dict.fromkeys(types, "application/octet-stream")
    return Config.from_sources(settings, MetaType.NONE, spec, "utf-8", overwrite=False, output_path=output)


def _write_templates(folder: Path, changes: Sequence[Edit]) -> None:
    shutil.copytree(HERE / "templates", folder, dirs_exist_ok=True)
    originals = files("openapi_python_client") / "templates"
    for change in changes:
        path = folder / change.template
        text = path.read_text("utf-8") if path.exists() else (originals / change.template).read_text("utf-8")
        path.parent.mkdir(exist_ok=True)
        path.write_text(change.apply(text), "utf-8")

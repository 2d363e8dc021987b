"""`flux-images scenarios`: list what the mock can imitate, or print one scenario's file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from flux_images_mock._answer.operation import compile_operations
from flux_images_mock._answer.scenarios import Scenario, Scenarios, UnknownScenarioError
from flux_images_mock._description.node import SpecError, load
from flux_images_mock._description.schema import Schemas


def main(argv: Sequence[str] | None = None) -> int:
    """Print; returns 0, or 2 with one line on standard error."""
    options = _parser().parse_args(argv)
    try:
        catalogue = _read(options.spec, options.scenarios)
        if options.name is not None:
            _show(catalogue.get(options.name, "show"), as_json=options.json)
        else:
            _list(catalogue, as_json=options.json)
    except (SpecError, UnknownScenarioError) as error:
        print(f"flux-images scenarios: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flux-images scenarios", description="List what the mock can imitate.")
    _add_options(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    show = commands.add_parser("show", help="print one scenario's file")
    show.add_argument("name", metavar="NAME")
    _add_options(show, default=argparse.SUPPRESS)
    parser.set_defaults(name=None)
    return parser


def _add_options(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    add = parser.add_argument
    add("--json", action="store_true", default=default or False, help="print JSON, for programs")
    add("--spec", type=Path, metavar="FILE", default=default, help="OpenAPI file whose examples are scenarios, too")
    add("--scenarios", type=Path, metavar="DIR", action="append", default=default, help="folder with files of your own")


def _read(spec: Path | None, folders: list[Path] | None) -> Scenarios:
    root = load(spec)
    return Scenarios(compile_operations(root, Schemas(root, "request"), Schemas(root, "response")), folders or ())


def _list(catalogue: Scenarios, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([_facts(scenario) for scenario in catalogue], ensure_ascii=False, indent=2))
        return
    width = max(len(scenario.name) for scenario in catalogue)
    for scenario in catalogue:
        print(f"{scenario.name:{width}}  {scenario.imitates.removesuffix('.')}")


def _show(scenario: Scenario, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**_facts(scenario), "file": scenario.text}, ensure_ascii=False, indent=2))
    else:
        print(scenario.text, end="")


def _facts(scenario: Scenario) -> dict[str, object]:
    return {
        "name": scenario.name,
        "imitates": scenario.imitates,
        "provenance": scenario.provenance,
        "at": scenario.at,
        "fault": None if scenario.fault is None else scenario.fault.kind,
        "billed": scenario.billed,
    }

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
        shown = None if options.name is None else catalogue.get(options.name, "show")
    except (SpecError, UnknownScenarioError) as error:
        print(f"flux-images scenarios: {error}", file=sys.stderr)
        return 2
    if options.json:
        facts = [_facts(each) for each in catalogue] if shown is None else {**_facts(shown), "file": shown.text}
        print(json.dumps(facts, ensure_ascii=False, indent=2))
    elif shown is not None:
        print(shown.text, end="")
    else:
        width = max(len(each.name) for each in catalogue)
        for each in catalogue:
            print(f"{each.name:{width}}  {each.imitates.removesuffix('.')}")
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


def _facts(scenario: Scenario) -> dict[str, object]:
    return {
        "name": scenario.name,
        "imitates": scenario.imitates,
        "provenance": scenario.provenance,
        "at": scenario.at,
        "fault": None if scenario.fault is None else scenario.fault.kind,
        "billed": scenario.billed,
    }

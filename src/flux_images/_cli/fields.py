"""The contract's fields of a request as options of a command."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from flux_images_api import contract

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPES = {"integer": int, "number": float, "string": str}


def add_fields(command: argparse.ArgumentParser) -> None:
    """Declare an option for each field but the prompt."""
    for name, rules in _fields():
        flag = "--" + name.replace("_", "-")
        text = " ".join(rules["description"].split()).replace("%", "%%")
        if rules.get("type") == "boolean":
            command.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
        else:
            kind = _TYPES[rules.get("type", "string")]
            command.add_argument(flag, type=kind, choices=rules.get("enum"), default=None, help=text)


def given_fields(options: argparse.Namespace) -> dict[str, Any]:
    """Those that were given."""
    fields = {name: getattr(options, name) for name, _ in _fields()}
    return {name: value for name, value in fields.items() if value is not None}


def _fields() -> Iterator[tuple[str, Mapping[str, Any]]]:
    body = contract.OPERATIONS["create_image"].body or {}
    schema = contract.SCHEMAS[body["$ref"].rpartition("/")[2]]
    return ((name, rules) for name, rules in schema["properties"].items() if name != "prompt")

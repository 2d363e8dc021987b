"""The fields of a schema, as rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from codegen.document import Json, follow


class Field(NamedTuple):
    """One row. ``range`` says what values it takes."""

    name: str
    type: str
    required: bool
    meaning: str
    range: str
    provenance: str


def fields(document: Json, schema: Json, prefix: str = "") -> Iterator[Field]:
    """Yield the properties of an object, those of the objects in it after each."""
    schema = _merged(document, schema)
    for name, declared in schema.get("properties", {}).items():
        node = _merged(document, declared)
        where = prefix + name
        required = name in schema.get("required", ())
        yield Field(
            where,
            _type(document, node),
            required,
            node.get("description", "").strip(),
            _range(document, node),
            node.get("x-provenance", ""),
        )
        yield from fields(document, node, f"{where}.")
        if "items" in node:
            yield from fields(document, node["items"], f"{where}[].")


def _merged(document: Json, node: Json) -> Json:
    node = follow(document, node)
    merged: Json = {}
    for part in node.get("allOf", ()):
        merged |= _merged(document, part)
    return merged | {key: value for key, value in node.items() if key != "allOf"}


def _type(document: Json, node: Json) -> str:
    if "anyOf" in node:
        return " | ".join(dict.fromkeys(_type(document, follow(document, part)) for part in node["anyOf"]))
    declared: Any = node.get("type", "any JSON")
    return declared if isinstance(declared, str) else " | ".join(declared)


def _range(document: Json, node: Json) -> str:
    said: list[str] = []
    for part in node.get("anyOf", ()):
        if inner := _range(document, follow(document, part)):
            said.append(inner)
    if "enum" in node:
        said.append(", ".join(json.dumps(value) for value in node["enum"]))
    if "x-ratio-range" in node:
        said.append(" … ".join(node["x-ratio-range"]))
    if "minimum" in node or "maximum" in node:
        said.append(f"{node.get('minimum', '')} … {node.get('maximum', '')}")
    if "minLength" in node:
        said.append(f"length ≥ {node['minLength']}")
    if "pattern" in node:
        said.append(node["pattern"])
    return "; ".join(said)

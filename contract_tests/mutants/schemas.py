"""Every single-point change of a schema, keyword by keyword: a name for each, and the changed schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.contract import document as contract
from contract_tests.contract.values import neighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.contract.document import Json

    Changed = Iterator[tuple[str, Json]]

_OTHER_TYPE = {
    "string": "integer",
    "integer": "string",
    "number": "string",
    "boolean": "string",
    "array": "string",
    "object": "array",
}


def changed(node: Json, member: bool) -> Changed:
    """The schema with one keyword changed, dropped or added; `member` says that it is a property or an item."""
    for keyword in node:
        yield from _CHANGES.get(keyword, _nothing)(node)
    if "properties" in node:
        for name in node["properties"]:
            if name not in node.get("required", ()):
                yield f"require {name}", {**node, "required": [*node.get("required", ()), name]}
    if member and isinstance(node.get("type"), str) and "enum" not in node:
        yield "allow null", {**node, "type": [node["type"], "null"]}


def _nothing(_: Json) -> Changed:
    return iter(())


def _without(node: Json, *keywords: str) -> Json:
    return {key: value for key, value in node.items() if key not in keywords}


def _types(node: Json) -> Changed:
    kinds = node["type"]
    if isinstance(kinds, str):
        rest = {} if "enum" not in node else {"enum": [1, 2]}
        yield (
            f"type {_OTHER_TYPE[kinds]}",
            {**_without(node, "properties", "required", "items"), **rest, "type": _OTHER_TYPE[kinds]},
        )
        return
    main = next(kind for kind in kinds if kind != "null")
    yield "forbid null", {**node, "type": main}
    yield f"type {_OTHER_TYPE[main]}", {**_without(node, "items"), "type": [_OTHER_TYPE[main], "null"]}


def _required(node: Json) -> Changed:
    for name in node["required"]:
        yield f"do not require {name}", {**node, "required": [other for other in node["required"] if other != name]}


def _enum(node: Json) -> Changed:
    for value in node["enum"]:
        rest = [other for other in node["enum"] if other != value]
        if rest:
            yield f"drop {value}", {**node, "enum": rest}
    yield "one more choice", {**node, "enum": [*node["enum"], "mutant"]}
    yield "any choice", _without(node, "enum")


def _pattern(node: Json) -> Changed:
    yield "any text", _without(node, "pattern")
    for other in neighbours(node["pattern"]):
        yield f"pattern {other}", {**node, "pattern": other}


def _limit(keyword: str, least: int | None = None) -> Callable[[Json], Changed]:
    def change(node: Json) -> Changed:
        yield f"no {keyword}", _without(node, keyword)
        for value in (node[keyword] - 1, node[keyword] + 1):
            if least is None or value > least:
                yield f"{keyword} {value}", {**node, keyword: value}

    return change


def _additional(node: Json) -> Changed:
    if node["additionalProperties"] is True:
        yield "forbid undeclared properties", {**node, "additionalProperties": False}


def _ratio(node: Json) -> Changed:
    yield "any ratio", _without(node, "x-ratio-range")
    wide, tall = node["x-ratio-range"]
    for other in ([_stretched(wide, 1), tall], [_stretched(wide, -1), tall]):
        yield f"ratios {other}", {**node, "x-ratio-range": other}
    for other in ([wide, _stretched(tall, 1)], [wide, _stretched(tall, -1)]):
        yield f"ratios {other}", {**node, "x-ratio-range": other}


def _stretched(ratio: str, by: int) -> str:
    width, _, height = ratio.partition(":")
    return f"{int(width) + by}:{height}"


def _alternatives(node: Json) -> Changed:
    for index, branch in enumerate(node["anyOf"]):
        rest = [other for other in node["anyOf"] if other is not branch]
        yield f"drop alternative {index}", {**node, "anyOf": rest}


def _items(node: Json) -> Changed:
    yield "any items", {**node, "items": {}}


_CHANGES: dict[str, Callable[[Json], Changed]] = {
    "type": _types,
    "required": _required,
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _limit("minimum"),
    "maximum": _limit("maximum"),
    "minLength": _limit("minLength", least=0),
    "maxLength": _limit("maxLength"),
    "minItems": _limit("minItems", least=0),
    "maxItems": _limit("maxItems"),
    "additionalProperties": _additional,
    "x-ratio-range": _ratio,
    "anyOf": _alternatives,
    "allOf": lambda node: iter([("anything", _without(node, "allOf"))]),
    "items": _items,
}


def renamed(node: Any, old: str, new: str) -> Any:
    """The same data with a key renamed wherever it stands: what a consistent renaming does to examples."""
    if isinstance(node, dict):
        return {new if key == old else key: renamed(value, old, new) for key, value in node.items()}
    return [renamed(entry, old, new) for entry in node] if isinstance(node, list) else node


def walk(node: Json, pointer: str, member: bool = False) -> Iterator[tuple[str, Json, bool]]:
    """Every schema inside a schema, itself included, with its pointer; references are not followed."""
    if "$ref" in node:
        return
    yield pointer, node, member
    for name, child in node.get("properties", {}).items():
        yield from walk(child, f"{pointer}/properties/{contract.escape(name)}", member=True)
    if "items" in node:
        yield from walk(node["items"], f"{pointer}/items", member=True)
    for keyword in ("anyOf", "allOf", "oneOf"):
        for index, child in enumerate(node.get(keyword, ())):
            yield from walk(child, f"{pointer}/{keyword}/{index}")

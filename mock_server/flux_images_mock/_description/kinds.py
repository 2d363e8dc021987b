"""What JSON types a schema takes, so that text from a URL, a header or a form can be read as one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, cast

from flux_images_mock._description.node import Node, is_object

_DEEPEST = 8
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,300})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_LITERALS: dict[str, tuple[str, Any]] = {"true": ("boolean", True), "false": ("boolean", False), "": ("null", None)}
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


@dataclass(slots=True)
class Kinds:
    """The JSON types that a schema names, and those of its parts; no types means any."""

    types: set[str] = field(default_factory=set[str])
    items: Kinds | None = None
    properties: dict[str, Kinds] = field(default_factory=dict[str, "Kinds"])
    rest: Kinds | None = None

    def readings(self, text: str) -> list[Any]:
        """Return what `text` may mean, the likeliest first."""
        found: list[Any] = []
        if self._takes("integer") and _INTEGER.fullmatch(text):
            found.append(int(text))
        elif self._takes("number") and _NUMBER.fullmatch(text):
            found.append(float(text))
        elif text in _LITERALS and self._takes(_LITERALS[text][0]):
            found.append(_LITERALS[text][1])
        if self._takes("string") or not found:
            found.append(text)
        return found

    def read(self, text: str) -> Any:
        """Return the likeliest meaning of `text`."""
        return self.readings(text)[0]

    def read_items(self, texts: list[str]) -> list[Any]:
        """Return the elements of an array."""
        items = self.items or _ANY
        return [items.read(text) for text in texts]

    def read_members(self, members: list[tuple[str, str]]) -> dict[str, Any]:
        """Return the members of an object."""
        return {name: self.properties.get(name, self.rest or _ANY).read(text) for name, text in members}

    def _takes(self, kind: str) -> bool:
        return not self.types or kind in self.types or (kind == "integer" and "number" in self.types)


_ANY = Kinds()


def kinds_of(schema: Node, depth: int = 0) -> Kinds:
    """Return the types that the (plain 2020-12) schema takes, references and alternatives included."""
    kinds = Kinds()
    _gather(kinds, schema, depth)
    return kinds


def _gather(kinds: Kinds, node: Node | None, depth: int) -> None:
    if node is None or not is_object(node.value) or depth > _DEEPEST:
        return
    value = node.mapping()
    declared = value.get("type", [])
    kinds.types |= {declared} if isinstance(declared, str) else set(declared)
    constants = cast("list[Any]", value.get("enum", [])) + ([value["const"]] if "const" in value else [])
    if not declared:
        kinds.types |= {_JSON_TYPES[type(constant)] for constant in constants if type(constant) in _JSON_TYPES}
    if is_object(value.get("items")):
        kinds.items = kinds.items or kinds_of(node.child("items"), depth + 1)
    if is_object(value.get("additionalProperties")):
        kinds.rest = kinds.rest or kinds_of(node.child("additionalProperties"), depth + 1)
    elif value.get("additionalProperties") is True:
        kinds.rest = kinds.rest or _ANY
    if is_object(value.get("properties")):
        owner = node.child("properties")
        kinds.properties |= {name: kinds_of(owner.child(name), depth + 1) for name in owner.mapping()}
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in value:
            parts = node.child(keyword)
            for index in range(len(parts.value)):
                _gather(kinds, parts.child(index), depth + 1)
    _gather(kinds, node.target(), depth + 1)

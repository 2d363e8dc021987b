"""Read path, query, header and cookie parameters in their styles, and check them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema_rs
import orjson

from flux_images_mock._description.kinds import Kinds, kinds_of
from flux_images_mock._description.node import Node
from flux_images_mock._description.schema import Schemas, Violation, differences, shorten
from flux_images_mock._request.message import Request

_DEFAULT_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_STYLES = {
    "path": {"simple", "label", "matrix"},
    "query": {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
    "header": {"simple"},
    "cookie": {"form"},
}
_SEPARATORS = {"spaceDelimited": re.compile(r"%20|\+| "), "pipeDelimited": re.compile(r"%7C|\|", re.IGNORECASE)}
_COMMA = re.compile(",")
_IGNORED_HEADERS = {"accept", "content-type", "authorization"}

RawPairs = list[tuple[str, str]]
Values = dict[tuple[str, str], Any]
"""Parameters by place and name."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter, ready to be read from a request."""

    place: str
    name: str
    key: str
    required: bool
    style: str
    explode: bool
    is_json: bool
    kinds: Kinds
    validator: jsonschema_rs.Validator

    def check(self, raw: RawPairs, others: Sequence[str]) -> tuple[Any, list[Violation]]:
        """Return the parameter's value (nothing if absent) and its differences from the description."""
        try:
            found = self._owned([(_decode(name), text) for name, text in raw], others)
            if not found:
                return None, [self._missing()] if self.required else []
            value = self._value(found)
        except UnicodeDecodeError:
            return None, [Violation(self.place, self.name, "UTF-8", "other bytes")]
        except _UnreadableError as error:
            return None, [Violation(self.place, self.name, error.expected, error.got)]
        return value, differences(self.validator, value, self.place, self.name)

    def _missing(self) -> Violation:
        wanted = (found.expected for found in differences(self.validator, None, self.place))
        return Violation(self.place, self.name, next(wanted, "a value"), "nothing")

    def _owned(self, pairs: RawPairs, others: Sequence[str]) -> RawPairs:
        """Return what belongs to the parameter: what stands under its name, or the members of its object."""
        if self.style == "deepObject":
            start = f"{self.name}["
            return [(name[len(start) : -1], text) for name, text in pairs if name.startswith(start) and name[-1] == "]"]
        if self._is_spread_object():
            known, rest = self.kinds.properties, self.kinds.rest
            return [pair for pair in pairs if pair[0] in known or (rest is not None and pair[0] not in others)]
        return [pair for pair in pairs if pair[0] == self.key]

    def _is_spread_object(self) -> bool:
        return self.style == "form" and self.explode and "object" in self.kinds.types and not self.is_json

    def _value(self, found: RawPairs) -> Any:
        if self.style == "deepObject" or self._is_spread_object():
            return self.kinds.read_members([(name, self._decode(text)) for name, text in found])
        texts = [text for _, text in found]
        if self.is_json:
            try:
                return orjson.loads(_decode(self._one(texts)))
            except orjson.JSONDecodeError as error:
                raise _UnreadableError("JSON", str(error)) from error
        if self._is_array(texts):
            items = self.kinds.read_items([self._decode(text) for text in self._split(texts)])
            return [] if items == [""] and not self.validator.is_valid(items) else items
        if "object" in self.kinds.types:
            return self.kinds.read_members(self._pairs(self._split(texts)))
        readings = self.kinds.readings(self._decode(self._bare(self._one(texts))))
        return next((reading for reading in readings if self.validator.is_valid(reading)), readings[0])

    def _one(self, texts: list[str]) -> str:
        if len(texts) > 1:
            raise _UnreadableError("one value", f"{len(texts)}")
        return texts[0]

    def _bare(self, text: str) -> str:
        if self.style == "label":
            if not text.startswith("."):
                raise _UnreadableError("a dot before the value", shorten(text))
            return text[1:]
        if self.style == "matrix":
            prefix = f";{self.name}"
            if not text.startswith(prefix):
                raise _UnreadableError(f"{prefix}= before the value", shorten(text))
            return text[len(prefix) :].removeprefix("=")
        return text

    def _is_array(self, texts: list[str]) -> bool:
        if "array" not in self.kinds.types:
            return False
        return not self.kinds.types - {"array", "null"} or len(self._split(texts)) > 1

    def _split(self, texts: list[str]) -> list[str]:
        if self.style == "form" and self.explode:
            return texts
        text = self._one(texts)
        if self.style == "matrix" and self.explode:
            return [part.removeprefix(f"{self.name}=") for part in text.removeprefix(";").split(";")]
        separator = re.compile(r"\.") if self.style == "label" and self.explode else _SEPARATORS.get(self.style, _COMMA)
        return separator.split(self._bare(text))

    def _pairs(self, parts: list[str]) -> RawPairs:
        if self.explode:
            pairs = [part.partition("=")[::2] for part in parts]
        else:
            if len(parts) % 2:
                raise _UnreadableError("names and values in turn", shorten(",".join(parts)))
            pairs = list(zip(parts[::2], parts[1::2], strict=True))
        return [(self._decode(name), self._decode(text)) for name, text in pairs]

    def _decode(self, text: str) -> str:
        if self.place == "header":
            return text.strip(" \t")
        return _decode(text, plus=self.place == "query")


class _UnreadableError(ValueError):
    def __init__(self, expected: str, got: str) -> None:
        super().__init__(expected)
        self.expected, self.got = expected, got


def _decode(text: str, *, plus: bool = True) -> str:
    if plus:
        text = text.replace("+", " ")
    return unquote_to_bytes(text.encode("latin-1")).decode("utf-8") if "%" in text or not text.isascii() else text


def read_pairs(text: str, separator: str = "&") -> RawPairs:
    """Return the names and values of a query or a cookie header, still encoded."""
    return [(name, value) for name, _, value in (part.partition("=") for part in text.split(separator) if part)]


def compile_parameters(item: Node, operation: Node, schemas: Schemas) -> list[Parameter]:
    """Return the operation's parameters, those of its path included."""
    nodes: dict[tuple[str, str], Node] = {}
    for node in (*item.elements("parameters"), *operation.elements("parameters")):
        nodes[node.text("in"), node.text("name")] = node
    return [
        _compile(node, schemas)
        for (place, name), node in nodes.items()
        if not (place == "header" and name.lower() in _IGNORED_HEADERS)
    ]


def _compile(node: Node, schemas: Schemas) -> Parameter:
    place = node.text("in")
    if place not in _STYLES:
        raise node.error(f"expected a parameter in path, query, header or cookie, got {place!r}")
    style = node.text("style", _DEFAULT_STYLES[place])
    if style not in _STYLES[place]:
        raise node.error(f"a {place} parameter cannot have the style {style!r}")
    owner, is_json = node, False
    for media_type, media in node.items("content"):
        if not (media_type.endswith("json")):
            raise media.error(f"the mock reads a parameter's content only as JSON, not as {media_type}")
        owner, is_json = media, True
    if "schema" not in owner.mapping():
        raise node.error("a parameter needs a schema or a content")
    schema = owner.child("schema")
    return Parameter(
        place=place,
        name=node.text("name"),
        key=node.text("name").lower() if place == "header" else node.text("name"),
        required=place == "path" or node.mapping().get("required") is True,
        style=style,
        explode=bool(node.mapping().get("explode", style in ("form", "deepObject"))),
        is_json=is_json,
        kinds=kinds_of(schemas.plain(schema)),
        validator=schemas.validator(schema),
    )


def read_parameters(
    parameters: Sequence[Parameter], request: Request, path_values: RawPairs
) -> tuple[Values, list[Violation]]:
    """Return the value of every parameter that came, and what differs from the description."""
    raw = {"path": path_values}
    values: Values = {}
    violations: list[Violation] = []
    names = [parameter.name for parameter in parameters]
    for parameter in parameters:
        if parameter.place not in raw:
            raw[parameter.place] = _raw(parameter.place, request)
        value, differing = parameter.check(raw[parameter.place], names)
        violations += differing
        if value is not None:
            values[parameter.place, parameter.name] = value
    return values, violations


def _raw(place: str, request: Request) -> RawPairs:
    if place == "query":
        return read_pairs(request.query.decode("latin-1"))
    if place == "cookie":
        lines = request.headers.all(b"cookie")
        return [
            (name.strip(), text.strip()) for line in lines for name, text in read_pairs(line.decode("latin-1"), ";")
        ]
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.pairs]

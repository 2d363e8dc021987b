"""Compile a description's schemas, and say in words how a value differs from one."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import jsonschema_rs
import orjson

from flux_images_mock._description.dialect import Direction, convert
from flux_images_mock._description.node import JsonObject, Node, SpecError, escape, is_array, is_object, look_up

if TYPE_CHECKING:
    from flux_images_mock._description.sample import Sampler

_MOST_VIOLATIONS = 100
_LONGEST_VALUE = 80
_LONGEST_HEADER = 4000
_LONGEST_PART = 500
_RATIO = re.compile(r"([1-9][0-9]{0,8}):([1-9][0-9]{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Violation:
    """One difference between a message and the description.

    `where` is a JSON pointer for a body and a name for everything else.
    """

    place: str
    where: str
    expected: str
    got: str

    def __str__(self) -> str:
        label = self.where or self.place
        if self.place in ("query", "path", "cookie"):
            label = f"{self.place} {self.where}".rstrip()
        return f"{label}: expected {self.expected}, got {self.got}"

    def as_json(self) -> dict[str, str]:
        """Return the difference for programs."""
        return {"in": self.place, "where": self.where, "expected": self.expected, "got": self.got}


class Schemas:
    """The compiled schemas of a description, for one direction of travel."""

    def __init__(self, root: Node, direction: Direction) -> None:
        self._files, self.problems = convert(root, direction, {"x-ratio-range": RatioRange.check})
        self._registry = jsonschema_rs.Registry(list(self._files.items()))
        self._sampler: Sampler | None = None
        self._compiled: dict[str, jsonschema_rs.Validator] = {}

    def validator(self, node: Node) -> jsonschema_rs.Validator:
        """Return the validator of the schema at `node`; one that stands in several places is compiled once."""
        node = self.plain(node)
        while is_object(node.value) and node.value.keys() == {"$ref"} and (target := node.target()) is not None:
            node = target
        if node.reference not in self._compiled:
            self._compiled[node.reference] = self._compile(node)
        return self._compiled[node.reference]

    def plain(self, node: Node) -> Node:
        """Return the schema at `node` in plain 2020-12."""
        return Node(self._files, node.uri, node.pointer, look_up(self._files[node.uri], node.pointer))

    def sample(self, node: Node, seed: str) -> Any:
        """Return a value that fits the schema at `node`, the same one for the same seed.

        Where every attempt fails, the last is returned all the same: the check of the answer then says what is wrong.
        """
        if self._sampler is None:
            # Most mocks answer from examples and never need what is imported here.
            from flux_images_mock._description.sample import Sampler

            self._sampler = Sampler(self._files)
        return self._sampler.sample(node.reference, self.validator(node), seed)

    def _compile(self, node: Node) -> jsonschema_rs.Validator:
        try:
            return jsonschema_rs.Draft202012Validator(
                {"$ref": node.reference},
                registry=self._registry,
                validate_formats=True,
                formats={"byte": _is_base64},
                keywords={"x-ratio-range": RatioRange},
                offline=True,
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            raise SpecError(f"{node.location}: not a valid schema: {error.message}") from error


def parse_ratio(text: str) -> tuple[int, int] | None:
    """Return the width and the height of `W:H`; nothing if `text` is no ratio."""
    match = _RATIO.fullmatch(text)
    return None if match is None else (int(match[1]), int(match[2]))


class RatioRange:
    """The contract's own keyword `x-ratio-range`: a `W:H` string between two ratios.

    jsonschema-rs makes one object a schema and calls `validate` for each value.
    """

    def __init__(self, parent_schema: JsonObject, value: Any, schema_path: list[str | int]) -> None:
        del parent_schema, schema_path
        self._expected = f"a ratio between {value[0]} and {value[1]}"
        bounds = [ratio for bound in value if (ratio := parse_ratio(bound)) is not None]
        self._low, self._high = sorted(bounds, key=lambda ratio: ratio[0] / ratio[1])

    @staticmethod
    def check(value: Any, node: Node) -> None:
        """Raise `SpecError` if the keyword's value isn't two ratios."""
        bounds = value if is_array(value) else []
        if len(bounds) != 2 or not all(isinstance(bound, str) and parse_ratio(bound) for bound in bounds):
            raise node.error(f"expected two ratios such as ['21:9', '9:21'], got {value!r}")

    def validate(self, instance: Any) -> None:
        """Raise `ValueError` if a string isn't a ratio in the range."""
        if not isinstance(instance, str):
            return
        width, height = parse_ratio(instance) or (0, 1)
        low, high = self._low, self._high
        if low[0] * height > width * low[1] or width * high[1] > high[0] * height:
            raise ValueError(self._expected)


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def differences(validator: jsonschema_rs.Validator, value: Any, place: str, where: str = "") -> list[Violation]:
    """Return how `value` differs from a schema, the first hundred differences; none if it is valid.

    `where` is put before each difference's JSON pointer (a parameter's name, say).
    """
    if validator.is_valid(value):
        return []
    return [
        violation
        for error in islice(validator.iter_errors(value), _MOST_VIOLATIONS)
        for violation in _explain(error, place, where)
    ][:_MOST_VIOLATIONS]


def violations_header(violations: Sequence[Violation]) -> bytes:
    """Return differences as JSON for a header: ASCII, at most about 4 kB, the rest counted."""
    parts: list[str] = []
    size = 0
    for index, violation in enumerate(violations):
        part = json.dumps({key: text[:_LONGEST_PART] for key, text in violation.as_json().items()})
        size += len(part) + 2
        if size > _LONGEST_HEADER:
            parts.append(json.dumps({"omitted": len(violations) - index}))
            break
        parts.append(part)
    return f"[{', '.join(parts)}]".encode("ascii")


def shorten(value: Any) -> str:
    """Return a value as JSON, cut to what a message can hold."""
    try:
        text = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _explain(error: jsonschema_rs.ValidationError, place: str, where: str) -> Iterator[Violation]:
    pointer = where + "".join(f"/{escape(str(step))}" for step in error.instance_path)
    name, value = error.kind.name, error.kind.value
    if name == "required":
        yield Violation(place, f"{pointer}/{escape(value)}", "a value", "nothing")
    elif name in ("additionalProperties", "unevaluatedProperties"):
        instance = cast("dict[str, Any]", error.instance)
        for unexpected in value:
            got = shorten(instance.get(unexpected))
            yield Violation(place, f"{pointer}/{escape(unexpected)}", "no property of this name", got)
    else:
        yield Violation(place, pointer, _expected(error), shorten(error.instance))


def _expected(error: jsonschema_rs.ValidationError) -> str:
    name, value = error.kind.name, error.kind.value
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Custom):
        return error.kind.message
    if name in ("anyOf", "oneOf"):
        return _alternatives(error)
    phrase = _PHRASES.get(name)
    return error.message if phrase is None else phrase(value)


def _alternatives(error: jsonschema_rs.ValidationError) -> str:
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.OneOfMultipleValid):
        return "exactly one of the alternatives to fit"
    branches = cast("list[list[jsonschema_rs.ValidationError]]", error.kind.value)
    base = len(error.instance_path)
    phrases = dict.fromkeys(
        " and ".join(
            " ".join(["/".join(map(str, inner.instance_path[base:])), _expected(inner)]).strip() for inner in branch[:3]
        )
        for branch in branches
    )
    return " or ".join(phrase for phrase in phrases if phrase)


def _types(types: Any) -> str:
    articles = {"null": "null", "integer": "an integer", "object": "an object", "array": "an array"}
    return " or ".join(articles.get(kind, f"a {kind}") for kind in ([types] if isinstance(types, str) else types))


_PHRASES: dict[str, Callable[[Any], str]] = {
    "type": _types,
    "enum": lambda options: f"one of {', '.join(map(shorten, options))}",
    "const": shorten,
    "minimum": lambda limit: f"{limit} or more",
    "maximum": lambda limit: f"{limit} or less",
    "exclusiveMinimum": lambda limit: f"more than {limit}",
    "exclusiveMaximum": lambda limit: f"less than {limit}",
    "multipleOf": lambda step: f"a multiple of {step}",
    "minLength": lambda limit: f"{limit} or more characters",
    "maxLength": lambda limit: f"{limit} or fewer characters",
    "minItems": lambda limit: f"{limit} or more items",
    "maxItems": lambda limit: f"{limit} or fewer items",
    "minProperties": lambda limit: f"{limit} or more properties",
    "maxProperties": lambda limit: f"{limit} or fewer properties",
    "uniqueItems": lambda _: "no item twice",
    "pattern": lambda pattern: f"text that matches {pattern}",
    "format": lambda name: f"a string in the format {name}",
    "not": lambda schema: f"anything but {shorten(schema)}",
    "contains": lambda _: "some items, neither too few nor too many, that fit",
    "unevaluatedItems": lambda _: "no further items",
    "propertyNames": lambda error: f"names of properties that fit: {str(error).splitlines()[0]}",
    "falseSchema": lambda _: "nothing here",
}

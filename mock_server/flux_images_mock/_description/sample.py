"""Make a value that fits a schema, from its canonical form; the same seed makes the same value."""

from __future__ import annotations

import math
import random
import string
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import jsonschema_rs
import rstr
from jsonschema_rs import CanonicalSchema
from jsonschema_rs import canonical as views

from flux_images_mock._description.node import is_array, is_object

_ATTEMPTS = 100
_DEEPEST = 6
_TRIES = 50
_FORMATS = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T09:30:15Z",
    "time": "09:30:15Z",
    "duration": "PT10S",
    "email": "someone@example.com",
    "idn-email": "someone@example.com",
    "hostname": "pictures.example",
    "idn-hostname": "pictures.example",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://pictures.example/1",
    "uri-reference": "/pictures/1",
    "iri": "https://pictures.example/1",
    "iri-reference": "/pictures/1",
    "uri-template": "/pictures/{id}",
    "uuid": "0194f3d2-9c1e-7a3b-8f00-5e2d1c0b4a69",
    "json-pointer": "/data/0",
    "relative-json-pointer": "1/data",
    "regex": "^[a-z]+$",
    "byte": "bW9jaw==",
}


class Sampler:
    """Values for the schemas of some files."""

    def __init__(self, trees: Mapping[str, Any]) -> None:
        self._registry = jsonschema_rs.Registry([(uri, _with_plain_ratios(tree)) for uri, tree in trees.items()])
        self._canonical: dict[str, CanonicalSchema] = {}

    def sample(self, reference: str, validator: jsonschema_rs.Validator, seed: str) -> Any:
        """Return a value of the schema at `reference`, or of so many attempts the last."""
        canonical = self._canonical.get(reference)
        if canonical is None:
            canonical = self._canonical[reference] = jsonschema_rs.canonicalize(
                {"$ref": reference}, registry=self._registry, validate_formats=True, offline=True
            )
        value = None
        for attempt in range(_ATTEMPTS):
            rng = random.Random(f"{seed} {attempt}")  # noqa: S311 -- sample data, not a secret
            with suppress(UnsatisfiableError):
                value = Generator(canonical, rng).value(canonical)
                if validator.is_valid(value):
                    break
        return value


def _with_plain_ratios(tree: Any) -> Any:
    """Return a copy of a file in which a ratio between two bounds is one of them, which any generator understands."""
    if is_object(tree):
        if "x-ratio-range" in tree:
            return {"const": tree["x-ratio-range"][0]}
        return {key: _with_plain_ratios(value) for key, value in tree.items()}
    return [_with_plain_ratios(value) for value in tree] if is_array(tree) else tree


class UnsatisfiableError(ValueError):
    """No value that fits the schema was found."""


class Generator:
    """Values for one schema and what it refers to."""

    def __init__(self, root: CanonicalSchema, rng: random.Random) -> None:
        self._root = root
        self._rng = rng
        self._strings = rstr.Rstr(rng)

    def value(self, schema: CanonicalSchema, depth: int = 0) -> Any:
        """Return a value for one of the schemas; raises `UnsatisfiableError`."""
        match schema.view():
            case views.TrueView() | views.RawView():
                return self._word()
            case views.MultiTypeView(types):
                return self._simple(self._rng.choice(types))
            case views.TypedGroupView(_, body) | views.AllOfView([body, *_]):
                return self.value(body, depth)
            case views.ConstView(value):
                return value
            case views.EnumView(values):
                return self._rng.choice(values)
            case views.AnyOfView(branches) | views.OneOfView(branches):
                return self.value(branches[0] if depth > _DEEPEST else self._rng.choice(branches), depth)
            case views.ReferenceView(uri):
                return self._referred(uri, depth)
            case views.StringView() as text:
                return self._string(text)
            case views.IntegerView(low, high, multiples):
                return self._number(low, high, multiples)
            case views.NumberView(low, _, high, _, multiples):
                return self._number(low, high, multiples)
            case views.ArrayView() as array:
                return self._array(array, depth)
            case views.ObjectView() as members:
                return self._object(members, depth)
            case other:
                raise UnsatisfiableError(f"no value fits {type(other).__name__}")

    def _simple(self, kind: str) -> Any:
        whole = self._rng.randint(1, 100)
        samples: dict[str, Any] = {
            "null": None,
            "boolean": True,
            "integer": whole,
            "number": whole / 2,
            "array": [],
            "object": {},
        }
        return samples[kind] if kind in samples else self._word()

    def _word(self) -> str:
        return "".join(self._rng.choices(string.ascii_lowercase, k=self._rng.randint(4, 8)))

    def _referred(self, uri: str, depth: int) -> Any:
        target = self._root.definition(uri)
        if target is None or depth > 2 * _DEEPEST:
            raise UnsatisfiableError(f"the reference {uri} goes on without an end")
        return self.value(target, depth + 1)

    def _string(self, text: views.StringView) -> str:
        if text.patterns:
            return self._strings.xeger(text.patterns[0])
        if text.formats and text.formats[0] in _FORMATS:
            return _FORMATS[text.formats[0]]
        shortest = text.min_length or 0
        longest = text.max_length if text.max_length is not None else max(shortest, 8)
        length = self._rng.randint(max(shortest, min(4, longest)), max(shortest, min(longest, shortest + 12)))
        return "".join(self._rng.choices(string.ascii_lowercase, k=length))

    def _number(self, low: Any, high: Any, multiples: list[Any]) -> int | float:
        first = low if low is not None else (min(0, high) if high is not None else 1)
        last = high if high is not None else max(first, 0) + 100
        if not multiples:
            lowest, highest = math.ceil(first), math.floor(last)
            return self._rng.randint(lowest, highest) if lowest <= highest else float(first + (last - first) / 2)
        step = math.lcm(*map(int, multiples)) if all(part == int(part) for part in multiples) else multiples[0]
        count = self._rng.randint(math.ceil(first / step), max(math.floor(last / step), math.ceil(first / step)))
        found = count * step
        return int(found) if found == int(found) else float(found)

    def _array(self, array: views.ArrayView, depth: int) -> list[Any]:
        fewest = array.min_items or 0
        wanted = max(fewest, 0 if depth > _DEEPEST else min(2, array.max_items if array.max_items is not None else 2))
        items: list[Any] = [self.value(schema, depth + 1) for schema in array.prefix_items[: max(wanted, fewest)]]
        for contains in array.contains:
            items += [self.value(contains.schema, depth + 1) for _ in range(contains.min_contains or 1)]
        for _ in range(_TRIES):
            if len(items) >= wanted:
                break
            item = self._word() if array.items is None else self.value(array.items, depth + 1)
            if str(array.distinctness) != "distinct" or item not in items:
                items.append(item)
        return items

    def _object(self, members: views.ObjectView, depth: int) -> dict[str, Any]:
        required = set(members.required)
        made: dict[str, Any] = {}
        for name, schema in members.properties.items():
            if name in required or depth <= _DEEPEST:
                try:
                    made[name] = self.value(schema, depth + 1)
                except UnsatisfiableError:
                    if name in required:
                        raise
        for name in sorted(required - made.keys()):
            made[name] = self._undeclared(members, depth)
        for _ in range(_TRIES):
            if len(made) >= (members.min_properties or 0):
                break
            name = self.value(members.property_names, depth + 1) if members.property_names else self._word()
            made[name] = self._undeclared(members, depth)
        return made

    def _undeclared(self, members: views.ObjectView, depth: int) -> Any:
        extra = members.additional_properties
        return self._word() if extra is None else self.value(extra, depth + 1)

"""Values on both sides of a schema's keywords. Here they are only proposed: the oracle says which is where."""

from __future__ import annotations

import json
import math
import random
import re
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import rstr

from contract_tests.contract import document as contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.contract.document import Json

_ONE_OF_EACH_TYPE: dict[str, Any] = {
    "string": "text",
    "integer": 7,
    "number": 0.5,
    "boolean": True,
    "null": None,
    "array": [],
    "object": {},
}
_AWKWARD_TEXTS = (
    "  spaces  ",
    "line\nbreak\ttab",
    '"quotes" \\ back',
    "雪 🎉 e\u0301 \u2028",
    "\u0000",
    "$HOME {x} %s",
)
_FORMATS = {
    "date-time": "2026-11-22T09:30:15Z",
    "date": "2026-11-22",
    "uuid": "0194f3d2-9c1e-4a3b-8f00-5e2d1c0b4a69",
    "email": "someone@example.com",
    "uri": "https://pictures.example/a.png",
    "byte": "bW9jaw==",
}
_NEAR_FORMATS = {
    "date-time": (
        *("2026-11-22T09:30:15.25+05:30", "2026-11-22T09:30:15-00:00", "2024-02-29T23:59:59Z"),
        *("2026-11-22", "2026-11-22T09:30:15", "20261122T093015Z", "2026-11-22T09:30Z", "2026-11-22T09:30:15+0530"),
        *("2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z", "2026-W47-7T09:30:15Z", "1789978215"),
    ),
    "date": ("2024-02-29", "2026-02-30", "20261122", "2026-W47-7", "2026-11-22T00:00:00Z", "22.11.2026"),
    "uuid": (
        "0194F3D2-9C1E-4A3B-8F00-5E2D1C0B4A69",
        *("0194f3d29c1e4a3b8f005e2d1c0b4a69", "{0194f3d2-9c1e-4a3b-8f00-5e2d1c0b4a69}", "0194f3d2-9c1e-4a3b-8f00"),
    ),
}
"""Texts in and almost in a format, which parsers of the field take and refuse differently."""
_TRIES = 150
_QUANTIFIER = re.compile(r"\{(\d+)(,?)(\d*)\}")
_RANGE = re.compile(r"(\w)-(\w)")


def sample(schema: Json) -> Any:
    """A valid value, as small as its schema allows."""
    node = contract.resolve(schema)
    for candidate in (*node.get("examples", ()), *node.get("enum", ()), *([node["const"]] if "const" in node else ())):
        if not contract.violations(candidate, schema):
            return candidate
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in node:
            return sample(node[keyword][0])
    return _SAMPLES[_types(node)[0]](node)


def _types(node: Json) -> list[str]:
    kind = node.get("type", "object" if "properties" in node else "string")
    return [kind] if isinstance(kind, str) else kind


def _text(node: Json) -> str:
    if "pattern" in node:
        return next(text for text in matching(node["pattern"]) if not contract.violations(text, node))
    text = str(_FORMATS.get(node.get("format", ""), "text"))
    return text[: node.get("maxLength")].ljust(node.get("minLength", 0), "x")


def _number(node: Json) -> float:
    low, high = node.get("minimum", node.get("exclusiveMinimum")), node.get("maximum", node.get("exclusiveMaximum"))
    step = node.get("multipleOf", 1)
    value: float = 7 if low is None and high is None else (low if low is not None else high - step)
    return value + step if value == node.get("exclusiveMinimum") else value


_SAMPLES: dict[str, Callable[[Json], Any]] = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "boolean": lambda _: True,
    "null": lambda _: None,
    "array": lambda node: [sample(node.get("items", {})) for _ in range(node.get("minItems", 1))],
    "object": lambda node: {name: sample(node["properties"][name]) for name in node.get("required", ())},
}


def whole(schema: Json, depth: int = 8) -> Any:
    """A valid value with everything in it that the schema names; one that holds itself does so for some steps only."""
    node = contract.resolve(schema)
    if not depth:
        return sample(schema)
    if "allOf" in node:
        return whole(node["allOf"][0], depth)
    if "object" in _types(node) and "properties" in node:
        return {name: whole(child, depth - 1) for name, child in node["properties"].items()}
    if "array" in _types(node):
        return [whole(node.get("items", {}), depth - 1)]
    return sample(schema)


def around(keyword: str, node: Json) -> Iterator[Any]:
    """Values near the border that a keyword of a schema draws."""
    yield from _PROPOSALS[keyword](node)


def _around_type(node: Json) -> Iterator[Any]:
    yield sample(node)
    yield from _ONE_OF_EACH_TYPE.values()
    if "string" not in _types(node):
        yield json.dumps(sample(node))
    elif not {"enum", "pattern", "format", "maxLength"} & node.keys():
        yield from _AWKWARD_TEXTS


def _around_enum(node: Json) -> Iterator[Any]:
    yield from node["enum"]
    first = node["enum"][0]
    if isinstance(first, str):
        yield from (first + "x", first.upper(), f" {first}", "")
    else:
        yield "none of them"


def _around_bound(keyword: str) -> Callable[[Json], Iterator[Any]]:
    def around_bound(node: Json) -> Iterator[Any]:
        limit, whole_numbers = node[keyword], "integer" in _types(node)
        step = node.get("multipleOf", 1 if whole_numbers else 0.5)
        yield from (limit - step, limit, limit + step)

    return around_bound


def _around_length(keyword: str) -> Callable[[Json], Iterator[Any]]:
    def around_length(node: Json) -> Iterator[Any]:
        limit = node[keyword]
        yield from (letter * size for size in (limit - 1, limit, limit + 1) if size >= 0 for letter in ("x", "🎉"))

    return around_length


def _around_count(keyword: str) -> Callable[[Json], Iterator[Any]]:
    def around_count(node: Json) -> Iterator[Any]:
        limit = node[keyword]
        yield from ([sample(node.get("items", {}))] * size for size in (limit - 1, limit, limit + 1) if size >= 0)

    return around_count


def _around_format(node: Json) -> Iterator[Any]:
    yield from (sample(node), "not in that format", "", *_NEAR_FORMATS.get(node["format"], ()))


def _around_required(node: Json) -> Iterator[Any]:
    full = sample(node)
    yield full
    yield {}
    yield from ({key: value for key, value in full.items() if key != name} for name in node["required"])


def _around_additional(node: Json) -> Iterator[Any]:
    full, others = sample(node), node["additionalProperties"]
    yield full
    if not isinstance(others, bool):
        yield {**full, "undeclared": sample(others)}
    yield from ({**full, "undeclared": value} for value in ("text", 7, {"nested": [None]}, math.nan))


def _around_ratio(node: Json) -> Iterator[Any]:
    for bound in node["x-ratio-range"]:
        width, height = map(int, bound.split(":"))
        scale = 9999 // max(width, height)
        yield from (bound, f"{width * scale}:{height * scale}")
        for off in (-1, 1):
            yield from (f"{width * scale + off}:{height * scale}", f"{width + off}:{height}", f"{width}:{height + off}")


def _around_branches(keyword: str) -> Callable[[Json], Iterator[Any]]:
    def around_branches(node: Json) -> Iterator[Any]:
        yield from (sample(branch) for branch in node[keyword])
        yield from _ONE_OF_EACH_TYPE.values()

    return around_branches


def _around_pattern(node: Json) -> Iterator[Any]:
    """For each pattern that differs in one step, texts on which the two disagree; then what people get wrong."""
    yield from _near_pattern(node["pattern"])


@cache
def _near_pattern(pattern: str) -> tuple[str, ...]:
    texts = matching(pattern)
    pool = sorted(
        {*texts, *(edit for text in texts for edit in _edits(text, pattern))},
        key=lambda text: (_unevenness(text), text),
    )
    found = texts[:3]
    for other in neighbours(pattern):
        apart = (text for text in pool if _search(pattern, text) != _search(other, text))
        found += islice(apart, 4)
    first = texts[0]
    return tuple(
        dict.fromkeys([*found, "", f"{first}\n", f" {first}", first.translate(_FULL_WIDTH), first.replace(":", "x")])
    )


def _edits(text: str, pattern: str) -> Iterator[str]:
    """The text with one character put in, or another in the place of one."""
    ends = {end for pair in _RANGE.findall(pattern) for end in pair}
    letters = sorted(ends | {chr(ord(end) + step) for end in ends for step in (-1, 1)} | {"x"})
    for place in range(len(text) + 1):
        yield from (text[:place] + letter + text[place:] for letter in letters)
        yield from (text[:place] + letter + text[place + 1 :] for letter in letters)


_FULL_WIDTH = {ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789"}


def _unevenness(text: str) -> float:
    """How far the numbers of a text are from each other: what fits a range of ratios comes first."""
    numbers = [int(number) or 1 for number in re.findall("[0-9]+", text)] or [1]
    return max(numbers) / min(numbers)


def _search(pattern: str, text: str) -> bool:
    return re.search(pattern.replace("$", r"\Z"), text) is not None


@cache
def matching(pattern: str) -> list[str]:
    """Texts that match a pattern, the same ones each time."""
    texts = rstr.Rstr(random.Random(pattern))
    return list(dict.fromkeys(texts.xeger(pattern) for _ in range(_TRIES)))


def neighbours(pattern: str) -> Iterator[str]:
    """The patterns that differ in one count, one end of a range of characters, or one anchor."""
    for match in _QUANTIFIER.finditer(pattern):
        low, comma, high = int(match[1]), match[2], match[3]
        options = [f"{{{low + 1}{comma}{high}}}"] if not comma or not high or low < int(high) else []
        options += [f"{{{low - 1}{comma}{high}}}"] if low else []
        options += [f"{{{low},{int(high) + step}}}" for step in (-1, 1) if high and int(high) + step >= low]
        yield from (pattern[: match.start()] + option + pattern[match.end() :] for option in options)
    for match in _RANGE.finditer(pattern):
        first, last = match.groups()
        options = [f"{chr(ord(first) + 1)}-{last}", f"{chr(ord(first) - 1)}-{last}", f"{first}-{chr(ord(last) - 1)}"]
        yield from (pattern[: match.start()] + option + pattern[match.end() :] for option in options)
    for anchor, near in (("^", "x"), ("$", "x")):
        if anchor in pattern:
            yield pattern.replace(anchor, near, 1)


_PROPOSALS: dict[str, Callable[[Json], Iterator[Any]]] = {
    "type": _around_type,
    "enum": _around_enum,
    "const": lambda node: iter((node["const"], "another")),
    "pattern": _around_pattern,
    "minLength": _around_length("minLength"),
    "maxLength": _around_length("maxLength"),
    "minimum": _around_bound("minimum"),
    "maximum": _around_bound("maximum"),
    "exclusiveMinimum": _around_bound("exclusiveMinimum"),
    "exclusiveMaximum": _around_bound("exclusiveMaximum"),
    "multipleOf": lambda node: iter((node["multipleOf"], node["multipleOf"] * 1.5)),
    "minItems": _around_count("minItems"),
    "maxItems": _around_count("maxItems"),
    "uniqueItems": lambda node: iter(([sample(node["items"])], [sample(node["items"])] * 2)),
    "format": _around_format,
    "required": _around_required,
    "additionalProperties": _around_additional,
    "anyOf": _around_branches("anyOf"),
    "oneOf": _around_branches("oneOf"),
    "x-ratio-range": _around_ratio,
}

NO_RULES = frozenset(
    {
        *(
            "$ref",
            "properties",
            "items",
            "allOf",
            "description",
            "title",
            "summary",
            "default",
            "deprecated",
            "example",
            "examples",
        ),
        *("x-provenance", "readOnly", "writeOnly", "externalDocs"),
    }
)
"""Keywords without a border of their own: they name or describe, or their members are walked."""
KEYWORDS = frozenset(_PROPOSALS)

"""The contract as these tests read it: by libraries of their own, sharing nothing with the client or the mock."""

from __future__ import annotations

import json
import math
import os
import re
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import yaml
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PATH = Path(os.environ.get("FLUX_CONTRACT", ROOT / "openapi.yaml"))
"""The contract under test; the drift tests set the variable to a changed copy."""
CASES = Path(__file__).parents[1] / "cases"

Json = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Example(NamedTuple):
    """A declared example of a body: `status` is None for a request."""

    operation_id: str
    status: str | None
    name: str
    value: Any
    schema: Json

    def __str__(self) -> str:
        return f"{self.operation_id}-{self.status or 'request'}-{self.name}"


@cache
def document() -> Json:
    """The contract, parsed."""
    parsed: Json = yaml.safe_load(PATH.read_text("utf-8"))
    return parsed


def cases(name: str) -> Any:
    """A table of cases, from `cases/NAME.yaml`."""
    return yaml.safe_load((CASES / f"{name}.yaml").read_text("utf-8"))


def grown() -> Json:
    """The contract with operations that a later version might add, from `cases/new_operations.yaml`."""
    more, here = cases("new_operations"), document()
    schemas = {**here["components"]["schemas"], **more["components"]["schemas"]}
    components = {**here["components"], "schemas": schemas}
    return {**here, "paths": {**here["paths"], **more["paths"]}, "components": components}


def resolve(node: Json) -> Json:
    """What a node stands for, behind any references."""
    return follow("", node)[1]


def follow(pointer: str, node: Json) -> tuple[str, Json]:
    """The same, with the pointer to where it really stands in the contract."""
    while "$ref" in node:
        pointer = node["$ref"].removeprefix("#")
        target: Any = document()
        for part in pointer.removeprefix("/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return pointer, node


def escape(name: str) -> str:
    """A name as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def operations() -> Iterator[tuple[str, str, Json]]:
    """Path, method and operation, for each operation."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def operation(operation_id: str) -> tuple[str, str, Json]:
    """Path, method and operation of an operationId."""
    return next(found for found in operations() if found[2]["operationId"] == operation_id)


def code(status: str) -> int:
    """A status that a pattern of the contract stands for; 418 for `default`, as no operation names it."""
    return 418 if status == "default" else int(status.replace("X", "0"))


def undeclared_success(declared: Json) -> int | None:
    """A 2xx status that an operation does not declare, if there is one."""
    responses = declared["responses"]
    return None if "2XX" in responses else next(code for code in range(299, 199, -1) if str(code) not in responses)


def is_json(media_type: str) -> bool:
    """Whether bodies of a media type are JSON."""
    return media_type == "application/json" or media_type.endswith("+json")


def body(media_type: str, schema: Json, instance: Any) -> Any:
    """An instance as a body holds it: the bytes of a file are no text."""
    is_text = is_json(media_type) or (media_type.startswith("text/") and resolve(schema).get("format") != "binary")
    return instance if is_text else str(instance).encode() + bytes(range(256))


def json_schema(content: Json) -> Json:
    """The schema of a JSON body."""
    schema: Json = content["application/json"]["schema"]
    return schema


class Violation(NamedTuple):
    """Where an instance breaks a schema, by which keyword, in words."""

    pointer: str
    keyword: str
    message: str


def violations(instance: Any, schema: Json, *, only_types: bool = False) -> list[Violation]:
    """Where an instance breaks a schema of the contract, alternatives taken apart; or breaks what a type can say."""
    errors = _validator(schema, only_types=only_types).iter_errors(instance)
    found = [found for error in errors for found in _flat(error)]
    return [*found, *_not_json(instance, "")]


def differences(instance: Any, schema: Json) -> list[str]:
    """Where an instance breaks a schema of the contract, as `pointer: message`; empty if nowhere."""
    errors = _validator(schema).iter_errors(instance)
    return sorted(f"{_pointer(error.absolute_path)}: {error.message}" for error in errors)


def same(one: Any, other: Any, schema: Json) -> bool:
    """Whether two instances of a schema say the same: a time may be written in two ways, and 1.0 for 1."""
    node = resolve(schema)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key], _member(node, key)) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        items = node.get("items", {})
        return len(one) == len(other) and all(same(*pair, items) for pair in zip(one, other, strict=True))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    branches = [branch for keyword in ("anyOf", "oneOf") for branch in node.get(keyword, ())]
    if any(same(one, other, branch) for branch in branches if not violations(other, branch)):
        return True
    read = _READERS.get(node.get("format", "")) if isinstance(one, str) and isinstance(other, str) else None
    return bool(read(one) == read(other) if read else one == other)


def said(text: str) -> str:
    """A text by what it says: of the ways to write a time, one."""
    return text if differences(text, {"format": "date-time"}) else str(_READERS["date-time"](text).astimezone(UTC))


def _member(node: Json, name: str) -> Json:
    """The schema of one member of an object, in whichever branch it is declared."""
    branches = [resolve(branch) for keyword in ("allOf", "anyOf", "oneOf") for branch in node.get(keyword, ())]
    for place in (node, *branches):
        if name in place.get("properties", {}):
            return place["properties"][name]  # type: ignore[no-any-return]  # a schema is JSON
    others = node.get("additionalProperties")
    return others if isinstance(others, dict) else {}


def undeclared(instance: Json, schema: Json) -> set[str]:
    """The keys of an object that its schema does not name."""
    return set(instance) - set(resolve(schema).get("properties", {}))


def examples() -> Iterator[Example]:
    """Every declared example of a body, of requests and responses."""
    for _, _, declared in operations():
        operation_id = declared["operationId"]
        if "requestBody" in declared:
            content = resolve(declared["requestBody"])["content"]
            yield from _examples(operation_id, None, content)
        for status, response in declared["responses"].items():
            yield from _examples(operation_id, status, resolve(response).get("content", {}))


def _examples(operation_id: str, status: str | None, content: Json) -> Iterator[Example]:
    for media in content.values():
        for name, value in media_examples(media):
            yield Example(operation_id, status, name, value, media["schema"])


def media_examples(media: Json) -> Iterator[tuple[str, Any]]:
    """The examples of a body by their names; a single one has none."""
    if "example" in media:
        yield "", media["example"]
    for name, example in media.get("examples", {}).items():
        yield name, resolve(example)["value"]


def _registry(entry: Json) -> Registry[Any]:
    """The whole contract under a name that its own `#/components/...` references resolve against."""
    whole = {**document(), "entry": entry}
    contents: Resource[Any] = Resource.from_contents(whole, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("contract:/whole", contents)
    return registry


def _validator(schema: Json, *, only_types: bool = False) -> Any:
    return _compiled(json.dumps(schema), id(document()), only_types)


@cache
def _compiled(schema: str, _document: int, only_types: bool) -> Any:
    registry = _registry(json.loads(schema))
    kind, formats = (_TypesOnly, FormatChecker(_READERS)) if only_types else (_Validator, FormatChecker())
    return kind({"$ref": "contract:/whole#/entry"}, registry=registry, format_checker=formats)


def _not_json(value: Any, pointer: str) -> Iterator[Violation]:
    """NaN and the infinities, which schemas let through and JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        yield Violation(pointer.rpartition("/")[0], "additionalProperties", f"{value} is not JSON")
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from _not_json(member, f"{pointer}/{escape(str(key))}")


def _flat(error: ValidationError) -> Iterator[Violation]:
    yield Violation(_pointer(error.absolute_path), str(error.validator), error.message)
    for inner in error.context:
        yield from _flat(inner)


def _pointer(path: Any) -> str:
    return "".join(f"/{escape(str(part))}" for part in path)


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """As JSON Schema has it: `$` is the end of the text, where Python's also stands before a last line break."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _ratio_range(_: Any, bounds: list[str], instance: Any, __: Any) -> Iterator[ValidationError]:
    """The contract's own keyword."""
    if isinstance(instance, str) and re.fullmatch("0*[1-9][0-9]*:0*[1-9][0-9]*", instance):
        low, high = sorted(map(ratio, bounds))
        if not low <= ratio(instance) <= high:
            yield ValidationError(f"{instance!r} is not between {bounds[0]} and {bounds[1]}")


def ratio(text: str) -> Fraction:
    """Width over height."""
    width, _, height = text.partition(":")
    return Fraction(int(width), int(height))


_READERS: dict[str, Any] = {
    "date-time": lambda text: datetime.fromisoformat(text.upper()),
    "date": date.fromisoformat,
    "uuid": UUID,
}
"""The formats that are types of their own in a client, and what their texts say."""

_Validator: Any = extend(  # type: ignore[no-untyped-call]  # the library types no such thing
    Draft202012Validator, {"pattern": _pattern, "x-ratio-range": _ratio_range}
)


def _members(validator: Any, rule: Any, instance: Any, schema: Json) -> Iterator[ValidationError]:
    """The types of undeclared members, not whether there are any: a new field in an answer breaks no reader."""
    if isinstance(rule, dict):
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, rule, instance, schema)


_BOUNDS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "x-ratio-range"),
)
"""Keywords that say more than types do."""

_TypesOnly: Any = extend(  # type: ignore[no-untyped-call]  # the library types no such thing
    _Validator, {**dict.fromkeys(_BOUNDS, lambda *_: ()), "additionalProperties": _members}
)

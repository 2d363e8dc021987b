"""From arguments to the HTTP request of ``create_image``, whose body is what the contract allows; it holds no key.

The contract's schemas come from the generated package as data; a keyword that is not known here is an error of ours,
never a rule that is passed over.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import httpx

from flux_images._errors import InvalidRequestError
from flux_images._request.options import check_headers
from flux_images._text import one_line
from flux_images_api.api.images import create_image
from flux_images_api.contract import OPERATIONS, SCHEMAS
from flux_images_api.models import CreateImageRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Sized

    Schema = Mapping[str, Any]
    Check = Callable[[Any, Any, str, Schema, Schema], Sequence[str]]
    """Takes the value, the keyword's rule, where the value stands, the schema around the rule, and all schemas.

    Returns the problems: lists, as making a generator takes longer than most checks, and this is a tenth of a call.
    """

    from flux_images._request.options import Options

_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "null": ("null", lambda value: value is None),
    "array": ("a list", lambda value: isinstance(value, list | tuple)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "integer": (
        "a whole number",
        lambda value: (
            (isinstance(value, int) and not isinstance(value, bool))
            or (isinstance(value, float) and value.is_integer())
        ),
    ),
}


def build_request(
    options: Options,
    fields: Mapping[str, Any],
    extra_body: Mapping[str, Any] | None,
    extra_headers: Mapping[str, str] | None,
) -> httpx.Request:
    """The request; a field that is None is left out.

    Raises:
        InvalidRequestError: the contract refuses it, or ``extra_body`` holds a field that has an argument.
        ConfigurationError: a header cannot be sent.
    """
    body = {name: value for name, value in fields.items() if value is not None}
    for name in extra_body or ():
        if name in CreateImageRequest.JSON_NAMES.values():
            raise InvalidRequestError(f"extra_body: {name!r} has an argument of its own; pass {name}=... instead")
    check_body(body, OPERATIONS["create_image"].body, SCHEMAS)
    model = CreateImageRequest(**body)
    model.additional_properties = dict(extra_body or {})
    arguments = create_image.build_request(body=model)
    own_headers = arguments.pop("headers", {})
    try:
        # Client.build_request() would merge what is merged here, at twice the cost of all else.
        request = httpx.Request(
            arguments.pop("method"),
            _url(str(options.base_url), arguments.pop("url")),
            headers=options.headers,
            **arguments,
        )
    except (TypeError, ValueError, RecursionError):
        raise _unwritable(arguments["json"]) from None
    for name, value in (*own_headers.items(), *(check_headers(extra_headers).items() if extra_headers else ())):
        request.headers[name] = value
    return request


@cache
def _url(base: str, path: str) -> httpx.URL:
    return httpx.URL(base.rstrip("/") + path)


def _unwritable(body: Mapping[str, Any]) -> InvalidRequestError:
    """The error for a body that cannot be written as JSON; names the field."""
    for name, value in body.items():
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            return InvalidRequestError(f"{name}: cannot be written as JSON: {one_line(str(error), 100)}")
    return InvalidRequestError("the body cannot be written as JSON")


def check_body(body: Any, schema: Schema | None, schemas: Schema) -> None:
    """Refuse a body that the contract refuses.

    Raises:
        InvalidRequestError: names the field, what the contract expects there, and what it got.
    """
    if schema is not None and (problems := _problems(body, schema, "", schemas)):
        raise InvalidRequestError("; ".join(problems))


def _problems(value: Any, schema: Schema, where: str, schemas: Schema) -> list[str]:
    problems: list[str] = []
    for keyword, rule in schema.items():
        if keyword in _CHECKS:
            problems += _CHECKS[keyword](value, rule, where, schema, schemas)
        elif keyword not in _NOT_RULES:
            raise NotImplementedError(f"the contract's keyword {keyword!r} has no check in flux_images._request.build")
    return problems


def _wrong(where: str, expected: str, value: Any) -> str:
    return f"{where or 'the body'}: expected {expected}, got {one_line(repr(value), 60)}"


def _ref(value: Any, rule: str, where: str, _: Schema, schemas: Schema) -> Sequence[str]:
    return _problems(value, schemas[rule.rpartition("/")[2]], where, schemas)


def _type(value: Any, rule: str | list[str], where: str, _: Schema, _schemas: Schema) -> Sequence[str]:
    kinds = [rule] if isinstance(rule, str) else rule
    for kind in kinds:
        if _TYPES[kind][1](value):
            return ()
    return [_wrong(where, " or ".join(_TYPES[kind][0] for kind in kinds), value)]


def _enum(value: Any, rule: list[Any], where: str, _: Schema, _schemas: Schema) -> Sequence[str]:
    if any(type(value) is type(choice) and value == choice for choice in rule):
        return ()
    return [_wrong(where, "one of " + ", ".join(map(str, rule)), value)]


def _any_of(value: Any, rule: list[Schema], where: str, _: Schema, schemas: Schema) -> Sequence[str]:
    problems: list[str] = []
    for option in rule:
        problems = _problems(value, option, where, schemas)
        if not problems:
            break
    return problems[:1]


def _one_of(value: Any, rule: list[Schema], where: str, _: Schema, schemas: Schema) -> Sequence[str]:
    tries = [_problems(value, option, where, schemas) for option in rule]
    if sum(not problems for problems in tries) == 1:
        return ()
    return tries[-1][:1] if all(tries) else [_wrong(where, "exactly one of the declared shapes", value)]


def _all_of(value: Any, rule: list[Schema], where: str, _: Schema, schemas: Schema) -> Sequence[str]:
    return [problem for part in rule for problem in _problems(value, part, where, schemas)]


def _required(value: Any, rule: list[str], where: str, _: Schema, _schemas: Schema) -> Sequence[str]:
    if not isinstance(value, dict):
        return ()
    return [f"{_join(where, name)}: is required" for name in rule if name not in value]


def _properties(value: Any, rule: Mapping[str, Schema], where: str, _: Schema, schemas: Schema) -> Sequence[str]:
    problems: list[str] = []
    if isinstance(value, dict):
        for name, part in rule.items():
            if name in value:
                problems += _problems(value[name], part, _join(where, name), schemas)
    return problems


def _additional(value: Any, rule: bool | Schema, where: str, schema: Schema, schemas: Schema) -> Sequence[str]:
    if rule is True or not isinstance(value, dict):
        return ()
    problems: list[str] = []
    for name in cast("dict[str, Any]", value).keys() - schema.get("properties", {}).keys():
        if rule is False:
            problems.append(f"{_join(where, name)}: the contract does not know this field")
        else:
            problems += _problems(value[name], rule, _join(where, name), schemas)
    return problems


def _items(value: Any, rule: Schema, where: str, _: Schema, schemas: Schema) -> Sequence[str]:
    problems: list[str] = []
    if isinstance(value, list | tuple):
        for index, item in enumerate(cast("list[Any]", value)):
            problems += _problems(item, rule, f"{where}[{index}]", schemas)
    return problems


def _pattern(value: Any, rule: str, where: str, schema: Schema, _: Schema) -> Sequence[str]:
    if not isinstance(value, str) or _compiled(rule).search(value):
        return ()
    example = " such as 16:9" if "x-ratio-range" in schema else ""
    return [_wrong(where, f"text like {rule}{example}", value)]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # In a JSON Schema, $ is the end of the text; in Python it also stands before a last line break.
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))


def _ratio_range(value: Any, rule: list[str], where: str, _: Schema, _schemas: Schema) -> Sequence[str]:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,4}:[0-9]{1,4}", value):
        return ()  # the pattern says so already
    width, height = map(int, value.split(":"))
    (wide, wide_to), (tall, tall_to) = ([int(part) for part in end.split(":")] for end in rule)
    if width * wide_to <= wide * height and width * tall_to >= tall * height:
        return ()
    return [_wrong(where, f"a ratio between {rule[0]} and {rule[1]}", value)]


def _bound(fits: Callable[[Any, Any], bool], words: str) -> Check:
    def check(value: Any, rule: Any, where: str, _: Schema, _schemas: Schema) -> Sequence[str]:
        if not isinstance(value, int | float) or isinstance(value, bool) or fits(value, rule):
            return ()
        return [_wrong(where, f"{words} {rule}", value)]

    return check


def _size(kinds: type | tuple[type, ...], fits: Callable[[int, int], bool], words: str) -> Check:
    def check(value: Any, rule: int, where: str, _: Schema, _schemas: Schema) -> Sequence[str]:
        if not isinstance(value, kinds) or fits(len(cast("Sized", value)), rule):
            return ()
        return [_wrong(where, words.format(rule), value)]

    return check


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


_NOT_RULES = {"description", "title", "examples", "example", "default", "deprecated", "format", "x-provenance"}
_CHECKS: dict[str, Check] = {
    "$ref": _ref,
    "type": _type,
    "enum": _enum,
    "const": lambda value, rule, where, schema, schemas: _enum(value, [rule], where, schema, schemas),
    "anyOf": _any_of,
    "oneOf": _one_of,
    "allOf": _all_of,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "pattern": _pattern,
    "x-ratio-range": _ratio_range,
    "minimum": _bound(lambda value, limit: value >= limit, "at least"),
    "maximum": _bound(lambda value, limit: value <= limit, "at most"),
    "exclusiveMinimum": _bound(lambda value, limit: value > limit, "more than"),
    "exclusiveMaximum": _bound(lambda value, limit: value < limit, "less than"),
    "minLength": _size(str, lambda size, limit: size >= limit, "text of at least {} characters"),
    "maxLength": _size(str, lambda size, limit: size <= limit, "text of at most {} characters"),
    "minItems": _size((list, tuple), lambda size, limit: size >= limit, "a list of at least {}"),
    "maxItems": _size((list, tuple), lambda size, limit: size <= limit, "a list of at most {}"),
}

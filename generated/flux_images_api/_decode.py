# Generated from openapi.yaml. Do not edit: make sdk
"""From JSON to the declared types, strictly: what is not of its type is a DecodeError that says where."""

from __future__ import annotations

import datetime
import importlib
import re
import types
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import (
    Any,
    Literal,
    NamedTuple,
    TypeGuard,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

import attrs

from .errors import DecodeError
from .types import UNSET, Unset

Decoder = Callable[[Any, str], Any]
"""Takes a JSON value and the JSON pointer to it, returns the typed value."""

M = TypeVar("M")

_SCALARS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    str: ("a string", lambda value: isinstance(value, str)),
    bool: ("true or false", lambda value: isinstance(value, bool)),
    int: ("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    float: ("a number", lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)),
    None: ("null", lambda value: value is None),
    types.NoneType: ("null", lambda value: value is None),
}
_FROM_TEXT: dict[Any, tuple[str, str, Callable[[str], Any]]] = {
    datetime.datetime: (
        "a date and time with its offset",
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
        datetime.datetime.fromisoformat,
    ),
    datetime.date: ("a date", r"\d{4}-\d\d-\d\d", datetime.date.fromisoformat),
    UUID: ("a UUID", r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", UUID),
}
"""What a text must look like in capitals, as Python's parsers take more than the formats allow."""


class _Field(NamedTuple):
    name: str
    json_name: str
    pointer: str
    required: bool
    decode: Decoder


class _Shape(NamedTuple):
    fields: tuple[_Field, ...]
    additional: Decoder | None


def decode_model(model: Callable[..., M], document: object, where: str = "") -> M:
    """The model that a JSON object describes.

    Raises:
        DecodeError: The document, or a value at any depth of it, is not of the declared type.
    """
    if not isinstance(document, Mapping):
        raise DecodeError(where, "an object", _describe(document))
    rest = dict(cast("Mapping[str, Any]", document))
    shape = _shape(model)
    values: dict[str, Any] = {}
    for field in shape.fields:
        pointer = where + field.pointer
        if field.json_name in rest:
            values[field.name] = field.decode(rest.pop(field.json_name), pointer)
        elif field.required:
            raise DecodeError(pointer, "a value", "nothing")
        else:
            values[field.name] = UNSET
    decoded: Any = model(**values)
    if shape.additional is not None:
        decoded.additional_properties = {
            key: shape.additional(value, f"{where}/{_escape(key)}") for key, value in rest.items()
        }
    return cast("M", decoded)


@cache
def decoder(annotation: Any) -> Decoder:
    """The strict decoder of a type that the generator writes."""
    if annotation is Any or annotation is object:
        return lambda value, _: value
    if annotation in _SCALARS:
        return _scalar(annotation)
    if annotation in _FROM_TEXT:
        return _text(annotation)
    origin = get_origin(annotation)
    if origin is Literal:
        return _literal(get_args(annotation))
    if origin in (Union, types.UnionType):
        return _union(tuple(decoder(member) for member in get_args(annotation) if member is not Unset))
    if origin is list:
        return _list(decoder(get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _literal(tuple(member.value for member in annotation), annotation)
    if isinstance(annotation, type) and attrs.has(annotation):
        return lambda value, where: decode_model(annotation, value, where)
    raise NotImplementedError(f"no decoder for {annotation!r}: add one to codegen/static/_decode.py")


@cache
def _shape(model: Any) -> _Shape:
    """What a generated model takes. Its lazy imports are looked up among its sibling models."""
    siblings = importlib.import_module(model.__module__.rpartition(".")[0])
    hints = get_type_hints(model, localns=vars(siblings))
    fields: list[_Field] = []
    additional: Decoder | None = None
    for attribute in attrs.fields(model):
        hint = hints[attribute.name]
        if attribute.name == "additional_properties" and not attribute.init:
            additional = decoder(get_args(hint)[1])
            continue
        required = Unset not in get_args(hint)
        json_name = model.JSON_NAMES[attribute.name]
        fields.append(_Field(attribute.alias, json_name, f"/{_escape(json_name)}", required, decoder(hint)))
    return _Shape(tuple(fields), additional)


def _scalar(annotation: Any) -> Decoder:
    expected, fits = _SCALARS[annotation]

    def decode(value: Any, where: str) -> Any:
        if annotation is int and isinstance(value, float) and value.is_integer():
            return int(value)
        if not fits(value):
            raise DecodeError(where, expected, _describe(value))
        return value

    return decode


def _text(annotation: Any) -> Decoder:
    expected, pattern, parse = _FROM_TEXT[annotation]
    look = re.compile(pattern, re.ASCII)

    def decode(value: Any, where: str) -> Any:
        if not isinstance(value, str) or not look.fullmatch(value.upper()):
            raise DecodeError(where, expected, _describe(value))
        try:
            return parse(value.upper())
        except ValueError as error:
            raise DecodeError(where, expected, _describe(value)) from error

    return decode


def _literal(choices: tuple[Any, ...], make: Callable[[Any], Any] = lambda value: value) -> Decoder:
    def decode(value: Any, where: str) -> Any:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise DecodeError(where, "one of " + ", ".join(map(repr, choices)), _describe(value))
        return make(value)

    return decode


def _list(item: Decoder) -> Decoder:
    def decode(value: Any, where: str) -> Any:
        if not _is_list(value):
            raise DecodeError(where, "a list", _describe(value))
        return [item(entry, f"{where}/{index}") for index, entry in enumerate(value)]

    return decode


def _union(members: tuple[Decoder, ...]) -> Decoder:
    def decode(value: Any, where: str) -> Any:
        failures: list[DecodeError] = []
        for member in members:
            try:
                return member(value, where)
            except DecodeError as error:
                failures.append(error)
        deepest = max(failures, key=lambda failure: failure.where.count("/"))
        if deepest.where != where:
            raise deepest
        raise DecodeError(where, " or ".join(failure.expected for failure in failures), _describe(value))

    return decode


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _describe(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

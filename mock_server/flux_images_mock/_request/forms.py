"""Read forms, urlencoded and multipart, into the object that their schema describes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from flux_images_mock._description.kinds import Kinds
from flux_images_mock._description.node import escape
from flux_images_mock._description.violation import Violation
from flux_images_mock._request.message import essence_of, is_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from python_multipart.multipart import MultipartCallbacks

_MOST_FIELDS = 10_000
_ANY = Kinds()

logging.getLogger("python_multipart").addHandler(logging.NullHandler())  # it warns of what is told to the caller


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form, with its media type if it has one of its own."""

    name: str
    content: bytes
    media_type: str | None = None


def read_urlencoded(content: bytes) -> tuple[list[Field], list[Violation]]:
    """Return the fields of an `application/x-www-form-urlencoded` body."""
    try:
        pairs = parse_qsl(
            content.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        return [], [Violation("body", "", "urlencoded fields in UTF-8", "something else")]
    return [Field(name, text.encode()) for name, text in pairs], []


def read_multipart(content_type: str, content: bytes) -> tuple[list[Field], list[Violation]]:
    """Return the fields of a `multipart/form-data` body; with its Content-Type."""
    parts = _Parts()
    try:
        parser = MultipartParser(parse_options_header(content_type)[1].get(b"boundary", b""), parts.callbacks())
        parser.write(content)
        got = "" if parts.whole else "one that is cut short"
    except FormParserError as error:
        got = str(error)
    if got:
        return [], [Violation("body", "", "a whole multipart body with the boundary of its Content-Type", got)]
    fields: list[Field] = []
    for headers, payload in parts.found:
        name = parse_options_header(headers.get(b"content-disposition", b""))[1].get(b"name")
        if name is None:
            return [], [Violation("body", "", "parts with a name in Content-Disposition", "one without")]
        line = headers.get(b"content-type", b"").decode("latin-1")
        fields.append(Field(name.decode(errors="replace"), payload, essence_of(line) or None))
    return fields, []


class _Parts:
    """The parts of a multipart body, as its parser tells of them."""

    def __init__(self) -> None:
        self.found: list[tuple[dict[bytes, bytes], bytes]] = []
        self.whole = False
        self._begin()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_part_data": lambda data, start, end: self._payload.append(data[start:end]),
            "on_part_end": lambda: self.found.append((self._headers, b"".join(self._payload))),
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._name, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._payload: list[bytes] = []

    def _end_header(self) -> None:
        self._headers[bytes(self._name.lower())] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _end(self) -> None:
        self.whole = True


def assemble(
    fields: list[Field], kinds: Kinds, media_types: Mapping[str, list[str]]
) -> tuple[dict[str, Any], list[Violation]]:
    """Return the object that the fields make, and what can't be read; `media_types` are those that a field may have."""
    groups: dict[str, list[Field]] = {}
    for field in fields:
        groups.setdefault(field.name, []).append(field)
    value: dict[str, Any] = {}
    violations: list[Violation] = []
    for name, group in groups.items():
        pointer = f"/{escape(name)}"
        kind = kinds.properties.get(name) or kinds.rest or _ANY
        is_list = "array" in kind.types or (not kind.types and len(group) > 1)
        if len(group) > 1 and not is_list:
            violations.append(Violation("body", pointer, "one field of this name", str(len(group))))
        allowed = media_types.get(name)
        items: list[Any] = []
        for field in group:
            if allowed and field.media_type not in (None, *allowed):
                violations.append(Violation("body", pointer, f"the type {' or '.join(allowed)}", str(field.media_type)))
            item, unreadable = _read(field, (kind.items or _ANY) if is_list else kind, pointer)
            items.append(item)
            violations += unreadable
        value[name] = items if is_list else items[0]
    return value, violations


def _read(field: Field, kind: Kinds, pointer: str) -> tuple[Any, list[Violation]]:
    if is_json(essence_of(field.media_type or "")) or kind.types == {"object"}:
        try:
            return orjson.loads(field.content), []
        except orjson.JSONDecodeError as error:
            return None, [Violation("body", pointer, "JSON", error.msg)]
    try:
        return kind.read(field.content.decode()), []
    except UnicodeDecodeError:
        return field.content.decode("latin-1"), []

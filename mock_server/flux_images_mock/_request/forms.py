"""Read forms, urlencoded and multipart, into the object that their schema describes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field as Part
from python_multipart.multipart import File, FormParser, parse_options_header

from flux_images_mock._description.kinds import Kinds
from flux_images_mock._description.node import escape
from flux_images_mock._description.schema import Violation
from flux_images_mock._request.message import essence_of, is_json

_MOST_FIELDS = 10_000
_ANY = Kinds()
_MULTIPART = "multipart/form-data"
_IN_MEMORY = {"MAX_MEMORY_FILE_SIZE": sys.maxsize}

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
    """Return the fields of a `multipart/form-data` body with this Content-Type."""
    found: list[Part | File] = []
    boundary, ends = parse_options_header(content_type)[1].get(b"boundary"), list[bool]()
    try:
        parser = FormParser(
            _MULTIPART, found.append, found.append, lambda: ends.append(True), boundary, config=_IN_MEMORY
        )
        parser.write(content)
        parser.finalize()
        got = "" if ends else "one that is cut short"
    except FormParserError as error:
        got = str(error)
    if got:
        return [], [Violation("body", "", "a whole multipart body with the boundary of its Content-Type", got)]
    return [_field(part) for part in found], []


def _field(part: Part | File) -> Field:
    if isinstance(part, File):
        part.file_object.seek(0)
    content = part.file_object.read() if isinstance(part, File) else part.value
    media_type = essence_of(part.content_type or "") or None
    return Field((part.field_name or b"").decode(errors="replace"), content or b"", media_type)


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

"""Read forms, urlencoded and multipart, into the object that their schema describes."""

from __future__ import annotations

from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from flux_images_mock._description.kinds import Kinds
from flux_images_mock._description.node import escape
from flux_images_mock._request.media_types import essence_of, is_json
from flux_images_mock._request.message import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_FIELDS = 10_000
_ANY = Kinds()


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


def read_multipart(line: str, content: bytes) -> tuple[list[Field], list[Violation]]:
    """Return the fields of a `multipart/form-data` body; `line` is its Content-Type."""
    head = f"Content-Type: {line}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + content)
    if not message.is_multipart() or message.defects:
        got = ", ".join(type(defect).__name__ for defect in message.defects) or "something else"
        return [], [Violation("body", "", "a whole multipart body with the boundary of its Content-Type", got)]
    fields: list[Field] = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(payload, bytes):
            return [], [Violation("body", "", "parts with a name in Content-Disposition", "one without")]
        fields.append(Field(name, payload, part.get_content_type() if "content-type" in part else None))
    return fields, []


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

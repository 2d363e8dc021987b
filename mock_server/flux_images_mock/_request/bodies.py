"""Read a request's body as one of the media types that an operation takes, and check it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import jsonschema_rs
import orjson

from flux_images_mock._description.kinds import Kinds, kinds_of
from flux_images_mock._description.node import JsonObject, Node, escape, is_array, is_object
from flux_images_mock._description.schema import Schemas, Violation, differences
from flux_images_mock._request.forms import assemble, read_multipart, read_urlencoded
from flux_images_mock._request.message import Headers, essence_of, is_json, is_xml, parameter_of

_CHARSETS = {"", "utf-8", "utf8", "us-ascii"}
_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Media:
    """One media type (or range of them) that a body may have."""

    validator: jsonschema_rs.Validator | None
    kinds: Kinds
    field_types: dict[str, list[str]]

    def read(self, essence: str, line: str, content: bytes) -> tuple[Any, list[Violation]]:
        """Return the body's value and its differences from the description."""
        if is_json(essence):
            value, violations = read_json(content)
        elif essence in (_URLENCODED, _MULTIPART):
            fields, violations = read_urlencoded(content) if essence == _URLENCODED else read_multipart(line, content)
            value, unreadable = assemble(fields, self.kinds, self.field_types)
            violations = violations + unreadable
        else:
            value, violations = _read_text(essence, content)
        if not violations and self.validator is not None:
            violations = differences(self.validator, value, "body")
        return value, violations


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation takes as a body."""

    required: bool
    media: dict[str, Media]

    def read(self, headers: Headers, content: bytes) -> tuple[Any, list[Violation]]:
        """Return the body's value, nothing if there is none, and its differences from the description."""
        line = (headers.get(b"content-type") or b"").decode("latin-1")
        essence = essence_of(line)
        if not content and (not essence or is_json(essence) or essence == _MULTIPART):
            return None, [Violation("body", "", "a body", "nothing")] if self.required else []
        media = self._find(essence)
        if media is None:
            expected = " or ".join(self.media)
            return None, [Violation("header", "Content-Type", expected, essence[:80] or "nothing")]
        charset = parameter_of(line, "charset")
        if charset not in _CHARSETS:
            return None, [Violation("header", "Content-Type", "charset=utf-8", f"charset={charset[:40]}")]
        return media.read(essence, line, content)

    def _find(self, essence: str) -> Media | None:
        return self.media.get(essence) or self.media.get(f"{essence.partition('/')[0]}/*") or self.media.get("*/*")


def compile_body(node: Node, schemas: Schemas) -> Body:
    """Return the compiled request body."""
    media: dict[str, Media] = {}
    for name, item in node.items("content"):
        essence = essence_of(name)
        schema = item.child("schema") if "schema" in item.mapping() else None
        if schema is not None and is_xml(essence):
            schemas.problems.append(f"{schema.location}: the mock can't check a body of type {name}")
            schema = None
        encodings = list(item.items("encoding"))
        schemas.problems += [problem for _, encoding in encodings for problem in _unhonoured(encoding)]
        media[essence] = Media(
            validator=None if schema is None else schemas.validator(schema),
            kinds=Kinds() if schema is None else kinds_of(schemas.plain(schema)),
            field_types={
                key: [essence_of(part) for part in encoding.text("contentType").split(",")]
                for key, encoding in encodings
                if "contentType" in encoding.mapping()
            },
        )
    return Body(required=node.mapping().get("required") is True, media=media)


def _unhonoured(encoding: Node) -> Iterator[str]:
    """Yield what an encoding asks of a part or a field that the mock doesn't read so."""
    usual: dict[str, Any] = {"style": "form", "explode": True, "headers": {}}
    for key, value in encoding.mapping().items():
        if key in usual and value != usual[key]:
            yield f"{encoding.location}/{key}: the mock can't honour this of a form's field"


def _read_text(essence: str, content: bytes) -> tuple[str, list[Violation]]:
    """Return text as it is, and bytes as characters of the same number."""
    if not essence.startswith("text/"):
        return content.decode("latin-1"), []
    try:
        return content.decode(), []
    except UnicodeDecodeError:
        return "", [Violation("body", "", "text in UTF-8", "other bytes")]


def members(value: Any) -> JsonObject:
    """Return the members of a value that is an object; none of any other."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


class _Doubled(dict[str, Any]):
    """An object in which a key stood more than once."""

    keys_found: list[str]


def _note_doubled(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(members := dict(pairs)) == len(pairs):
        return members
    noted = _Doubled(members)
    noted.keys_found = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    return noted


def _count_keys(value: Any) -> int:
    count, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if is_object(item):
            count += len(item)
            waiting += [inner for inner in item.values() if type(inner) in _CONTAINERS]
        elif is_array(item):
            waiting += [inner for inner in item if type(inner) in _CONTAINERS]
    return count


_CONTAINERS = (dict, list)
_KEY_END = re.compile(rb'"\s*:')
_STRICT = json.JSONDecoder(object_pairs_hook=_note_doubled)


def read_json(content: bytes) -> tuple[Any, list[Violation]]:
    """Return the JSON value in `content`; what isn't strict JSON, and a key that stands twice, is a difference."""
    try:
        value = orjson.loads(content)
        # orjson keeps the last of two equal keys; if keys may be missing, read again with a parser that tells.
        ends = len(_KEY_END.findall(content))
        if ends == len(members(value)) or ends == _count_keys(value):
            return value, []
        doubled = list(_doubled_keys(_STRICT.decode(content.decode())))
    except orjson.JSONDecodeError as error:
        return None, [Violation("body", "", "JSON", f"{error.msg} at line {error.lineno}, column {error.colno}")]
    except RecursionError:
        return None, [Violation("body", "", "JSON", "nesting too deep to read")]
    return value, doubled


def _doubled_keys(value: Any, pointer: str = "") -> Iterator[Violation]:
    if isinstance(value, _Doubled):
        yield from (
            Violation("body", f"{pointer}/{escape(key)}", "each key once", "it twice") for key in value.keys_found
        )
    if is_object(value):
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                yield from _doubled_keys(item, f"{pointer}/{escape(key)}")
    elif is_array(value):
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from _doubled_keys(item, f"{pointer}/{index}")

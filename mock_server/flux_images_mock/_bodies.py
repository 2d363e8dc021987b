"""Read a request's body as one of the media types that an operation takes, and check it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from flux_images_mock._http import Violation
from flux_images_mock._json import is_array, is_object
from flux_images_mock._schema import differences, shorten
from flux_images_mock._spec import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    import jsonschema_rs

    from flux_images_mock._http import Headers
    from flux_images_mock._schema import Schemas
    from flux_images_mock._spec import Node

_CHARSETS = {"", "utf-8", "utf8", "us-ascii"}


@dataclass(frozen=True, slots=True)
class Media:
    """One media type (or range of them) that a body may have."""

    name: str
    validator: jsonschema_rs.Validator | None

    def read(self, content: bytes) -> tuple[Any, list[Violation]]:
        """Return the body's value and its differences from the description."""
        value, violations = read_json(content)
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
        if not content:
            return None, [Violation("body", "", "a body", "nothing")] if self.required else []
        lines = headers.all(b"content-type")
        line = b", ".join(lines).decode("latin-1")
        media_type, _, parameters = line.partition(";")
        media_type = media_type.strip().lower()
        media = self._find(media_type)
        if media is None:
            expected = " or ".join(self.media)
            return None, [Violation("header", "Content-Type", expected, shorten(media_type) if line else "nothing")]
        charset = _charset(parameters)
        if charset not in _CHARSETS:
            return None, [Violation("header", "Content-Type", "charset=utf-8", f"charset={charset[:40]}")]
        return media.read(content)

    def _find(self, media_type: str) -> Media | None:
        major = media_type.partition("/")[0]
        return self.media.get(media_type) or self.media.get(f"{major}/*") or self.media.get("*/*")


def _charset(parameters: str) -> str:
    for parameter in parameters.lower().split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return value.strip().strip('"')
    return ""


def compile_body(node: Node, schemas: Schemas) -> Body:
    """Return the compiled request body."""
    media: dict[str, Media] = {}
    for name, item in node.items("content"):
        validator = schemas.validator(item.child("schema")) if "schema" in item.mapping() else None
        media[name.lower()] = Media(name, validator)
    return Body(required=node.mapping().get("required") is True, media=media)


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
    if is_object(value):
        nested = [item for item in value.values() if isinstance(item, (dict, list))]
        return len(value) + (sum(map(_count_keys, nested)) if nested else 0)
    if is_array(value):
        return sum(map(_count_keys, value))
    return 0


_KEY_END = re.compile(rb'"\s*:')
_STRICT = json.JSONDecoder(object_pairs_hook=_note_doubled)


def read_json(content: bytes) -> tuple[Any, list[Violation]]:
    """Return the JSON value in `content`; what isn't strict JSON, and a key that stands twice, is a difference."""
    try:
        value = orjson.loads(content)
        # orjson keeps the last of two equal keys; if keys may be missing, read again with a parser that tells.
        if len(_KEY_END.findall(content)) == _count_keys(value):
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

"""What others wrote: text made safe for terminals and logs, JSON told apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_ID_IN_TEXT = r"\s*\(request id: ([\w.-]{1,128})\)"
"""How gateways of this family end a message."""

_UNSAFE = r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"


def one_line(text: str, limit: int = 500) -> str:
    """Give ``text`` on one line of at most ``limit`` characters.

    Control characters, terminal escapes, line and paragraph separators, direction overrides and lone
    surrogates become one space.
    """
    line = re.sub(_UNSAFE, " ", text[: 4 * limit]).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def request_id(headers: Mapping[str, str], message: str | None = None) -> str | None:
    """The gateway's id of the request: its own header, OpenAI's, or the end of the message."""
    found = headers.get("x-oneapi-request-id") or headers.get("x-request-id")
    if not found and message and (match := re.search(REQUEST_ID_IN_TEXT, message)):
        found = match[1]
    return one_line(found, 128) if found else None


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a decoded value is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a decoded value is a JSON array."""
    return isinstance(value, list)

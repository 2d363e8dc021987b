"""What others wrote: text made safe for terminals and logs, JSON told apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_ID_IN_TEXT = r"\s*\(request id: ([\w.-]{1,128})\)"
"""How gateways of this family end a message."""

_ID_HEADERS = (
    *("x-oneapi-request-id", "x-request-id"),
    *("x-litellm-call-id", "x-portkey-trace-id", "x-trace-id", "cf-ray"),
)
"""Where a request's id stands, what names it best first."""

_USER = r"(\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)[^/?#\s]{1,500}@"
_QUERY = r"(\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^?#\s]{1,2000})\?[^\s'\"]+"
_UNSAFE = r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"


def one_line(text: str, limit: int = 500) -> str:
    """Give ``text`` on one line of at most ``limit`` characters.

    Control characters, terminal escapes, line and paragraph separators, direction overrides and lone
    surrogates become one space.
    """
    line = re.sub(_UNSAFE, " ", text[: 4 * limit]).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def bare_addresses(text: str) -> str:
    """Give ``text`` with no credentials and no query in any address that it names: both can be secrets."""
    return re.sub(_QUERY, r"\1?***", re.sub(_USER, r"\1***@", text))


def request_id(headers: Mapping[str, str], message: str | None = None) -> str | None:
    """The gateway's id of the request: its own header, another known one, or the end of the message."""
    found = next((found for name in _ID_HEADERS if (found := headers.get(name))), None)
    if not found and message and (match := re.search(REQUEST_ID_IN_TEXT, message)):
        found = match[1]
    return one_line(found, 128) if found else None


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a decoded value is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a decoded value is a JSON array."""
    return isinstance(value, list)

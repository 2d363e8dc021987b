"""What may be told of a request: no key, no image data, and not too much of anything."""

from __future__ import annotations

import re
from typing import Any

from flux_images_mock._description.node import is_array, is_object
from flux_images_mock._request.message import Pairs, Request

NO_KEY = "\udfff no key"
"""Stands in no text that came in UTF-8."""

MOST_BYTES = 64 * 1024
"""Bytes of a body that are told."""

_SHORTEST_KEY = 8  # shorter ones could be words
_SHORTEST_IMAGE = 64
_MOST_FIELDS = 50
_DEEPEST = 100
_LONGEST_HEADER = 300
_HIDDEN = "***"
_TELLING = 4
"""Characters of a key that are told at most."""
_LONGEST_CUT = 512
"""Characters that are left of a text that was cut, at most."""
_CUT = "….'\" "
"""Where a text may have been cut."""

_HARMLESS = frozenset(b"host accept accept-encoding connection content-type content-length transfer-encoding".split())
_SECRET_HEADER = re.compile(rb"auth|key|token|secret|cookie|password|session|signature|referer", re.IGNORECASE)
_SECRET_FIELD = re.compile(
    r"(?:x[-_])?(?:api[-_]?key|(?:access|auth)[-_]?token|authorization|password|(?:client[-_]?)?secret)", re.IGNORECASE
)
_KEY = re.compile(r"(?<![A-Za-z0-9])sk-(?!mock-)[\w-]{8,}", re.ASCII)
_IMAGE = re.compile(r"data:|iVBORw0KGgo|/9j/|UklGR|R0lGOD|Qk[0-2]|[A-Za-z0-9+/_-]{200,}={0,2}\Z", re.ASCII)


def key_of(request: Request) -> str:
    """Return the key that came with a request, taken or not, else a text that stands nowhere."""
    key = request.credential
    if key is None:
        line = request.headers.get(b"authorization") or b""
        key = line.strip().rpartition(b" ")[2].decode("latin-1")
    return key if len(key) >= _SHORTEST_KEY else NO_KEY


def hide(text: str, key: str) -> str:
    """Return a text without the caller's own key, and without what looks like one."""
    if key in text:
        text = text.replace(key, _HIDDEN)
    if (cut := text.rstrip(_CUT)) and (begun := _begun(cut, key)):
        text = f"{cut[:-begun]}{_HIDDEN}{text[len(cut) :]}"
    return _KEY.sub("sk-***", text) if "sk-" in text else text


def _begun(text: str, key: str) -> int:
    """Return how many characters of a key a text ends with, which was cut in the middle of it."""
    longest = min(len(key), len(text), _LONGEST_CUT)
    return next((size for size in range(longest, _TELLING - 1, -1) if text.endswith(key[:size])), 0)


def readable(pairs: Pairs, key: str) -> dict[str, str]:
    """Return a request's headers, those that may carry a key as `***`."""
    return {
        name.decode("latin-1")[:_LONGEST_HEADER]: _readable(name, value, key) for name, value in pairs[:_MOST_FIELDS]
    }


def _readable(name: bytes, value: bytes, key: str) -> str:
    if name not in _HARMLESS and _SECRET_HEADER.search(name):
        return _HIDDEN
    return hide(value.decode("latin-1"), key)[:_LONGEST_HEADER]


def shortened(value: Any, key: str = NO_KEY) -> Any:
    """Return a JSON value without keys and image data, and within 64 KiB."""
    return _Shortener(key).shorten(value)


class _Shortener:
    """Makes one value shorter, until nothing is `left` of the bytes that it may take."""

    def __init__(self, key: str) -> None:
        self.left = MOST_BYTES
        self._key = key

    def shorten(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, str):
            return self._text(value)
        self.left -= 60
        if self.left < 0 or depth > _DEEPEST:
            return "<more>"
        if is_object(value):
            return self._object(value, depth + 1)
        if is_array(value):
            return self._array(value, depth + 1)
        return value

    def _text(self, text: str) -> str:
        self.left -= 60
        if len(text) >= _SHORTEST_IMAGE and _IMAGE.match(text):
            return f"<image data, {len(text)} characters>"
        self.left -= len(text)
        return f"<{len(text)} characters>" if self.left < 0 else hide(text, self._key)

    def _object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        shorter: dict[str, Any] = {}
        for name, item in value.items():
            if self.left < 0:
                shorter["<more>"] = f"{len(value) - len(shorter)} more"
                break
            secret = _SECRET_FIELD.fullmatch(name) or _KEY.search(name)
            shorter[hide(name, self._key)] = _HIDDEN if secret else self.shorten(item, depth)
            self.left -= len(name)
        return shorter

    def _array(self, value: list[Any], depth: int) -> list[Any]:
        items: list[Any] = []
        for item in value:
            if self.left < 0:
                items.append(f"<{len(value) - len(items)} more>")
                break
            items.append(self.shorten(item, depth))
        return items

"""What may be told of a request: no key, no image data, and not too much of anything."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flux_images_mock._description.json import is_array, is_object

if TYPE_CHECKING:
    from flux_images_mock._request.message import Exchange, Pair, Pairs

NO_KEY = "\udfff no key"
"""Stands in no text that came in UTF-8."""

_BODY_BYTES = 64 * 1024
_SHORTEST_KEY = 8  # shorter ones could be words
_SHORTEST_IMAGE = 64
_MOST_FIELDS = 50
_DEEPEST = 100
_LONGEST_HEADER = 300
_SCALARS = (int, float)
_HIDDEN = "***"

_HARMLESS = frozenset(b"host accept accept-encoding connection content-type content-length transfer-encoding".split())
_SECRET_HEADER = re.compile(rb"auth|key|token|secret|cookie|password|session|signature|referer", re.IGNORECASE)
_SECRET_FIELD = re.compile(
    r"(?:x[-_])?(?:api[-_]?key|(?:access|auth)[-_]?token|authorization|password|(?:client[-_]?)?secret)", re.IGNORECASE
)
_KEY = re.compile(r"(?<![A-Za-z0-9])sk-(?!mock-)[\w-]{8,}", re.ASCII)
_IMAGE = re.compile(r"data:|iVBORw0KGgo|/9j/|UklGR|R0lGOD|Qk[0-2]|[A-Za-z0-9+/_-]{200,}={0,2}\Z", re.ASCII)


def key_of(exchange: Exchange) -> str:
    """Return the key that came with a request, taken or not, else a text that stands nowhere."""
    key = exchange.credential
    if key is None:
        line = exchange.request.headers.get(b"authorization") or b""
        key = line.strip().rpartition(b" ")[2].decode("latin-1")
    return key if len(key) >= _SHORTEST_KEY else NO_KEY


def hide(text: str, key: str) -> str:
    """Return a text without the caller's own key, and without what looks like one."""
    if key in text:
        text = text.replace(key, _HIDDEN)
    return _KEY.sub("sk-***", text) if "sk-" in text else text


def readable(pairs: Pairs, key: str) -> Pairs:
    """Return a request's headers, those that may carry a key as `***`."""
    return [
        pair if pair[0] in _HARMLESS else _hidden_pair(pair[0]) or _clean(pair, key) for pair in pairs[:_MOST_FIELDS]
    ]


def _clean(pair: Pair, key: str) -> Pair:
    name, value = pair
    return name[:_LONGEST_HEADER], hide(value.decode("latin-1"), key)[:_LONGEST_HEADER].encode("latin-1")


@lru_cache(maxsize=256)
def _hidden_pair(name: bytes) -> Pair | None:
    return (name[:_LONGEST_HEADER], _HIDDEN.encode()) if _SECRET_HEADER.search(name) else None


def shortened(value: Any, key: str = NO_KEY) -> tuple[Any, int]:
    """Return a JSON value without keys and image data and within 64 KiB, and about how many bytes it takes."""
    size = _size_of_plain(value, key) if is_object(value) else None
    if size is not None:
        return value, size
    shortener = _Shortener(key)
    return shortener.shorten(value), _BODY_BYTES - shortener.left


def _size_of_plain(value: dict[str, Any], key: str) -> int | None:
    """Return about how many bytes an object takes; nothing if it isn't one that can be told as it is."""
    size = 0
    for name, item in value.items():
        if _is_secret(name):
            return None
        if isinstance(item, str):
            if len(item) >= _SHORTEST_IMAGE and _IMAGE.match(item):
                return None
            if "sk-" in item or key in item:
                return None
            size += 120 + 2 * len(item)
        elif item is None or isinstance(item, _SCALARS):
            size += 120
        else:
            return None
    return size if size < _BODY_BYTES and len(value) < _MOST_FIELDS else None


@lru_cache(maxsize=256)
def _is_secret(name: str) -> bool:
    return _SECRET_FIELD.fullmatch(name) is not None or _KEY.search(name) is not None


class _Shortener:
    """Makes one value shorter, until nothing is `left` of the bytes that it may take."""

    def __init__(self, key: str) -> None:
        self.left = _BODY_BYTES
        self._key = key

    def shorten(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, str):
            return self._text(value)
        self.left -= 60
        if isinstance(value, bytes):
            return f"<{len(value)} bytes>"
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
            shorter[hide(name, self._key)] = _HIDDEN if _is_secret(name) else self.shorten(item, depth)
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

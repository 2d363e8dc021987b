"""Takes the pictures out of a JSON answer as it streams in.

``PictureSplitter`` is fed the answer's bytes, however they were cut. Any long string that is base64, wherever it
stands, is decoded straight into ``Kept`` bytes and replaced by a short placeholder; everything else is kept for the
JSON parser, which also judges whether the document is JSON at all. No large picture is ever whole in memory.
"""

from __future__ import annotations

import binascii
import contextlib
import importlib
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from flux_images._answer.repair import completed
from flux_images._picture.store import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DOCUMENT = 64 * 2**20
"""Bytes of JSON beside the pictures."""
MAX_PICTURE = 256 * 2**20
"""Bytes of one decoded picture."""
LONG = 2**14
"""Characters from which on a string is looked at: it may be a picture."""
_LONGEST_ESCAPE = len(rb"\u0000")
_STRING = re.compile(rb'(?:[^"\\]+|\\u[0-9a-fA-F]{4}|\\[^u])*')
_PREFIX = re.compile(rb"\s*data:[^,]{0,256},", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_=\s-]*")
_USUAL = bytes.maketrans(b"-_", b"+/")
_WHITE = b" \t\r\n\f\v"


class SplitError(ValueError):
    """The answer is too large, or cannot be JSON."""


class PictureSplitter:
    """Feed it an answer, then take its ``document``, and ``pictures`` by their placeholders, counted from ``first``."""

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self.pictures: dict[str, Base64] = {}
        """What was taken out of the document, by what stands there instead."""
        self._rest = bytearray()
        self._unread = b""  # an escape that the last chunk cut
        self._in_string = False
        self._string_start = 0
        self._looked_at = 0  # how much of the string that is open was found to be no picture
        self._picture: Base64 | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the answer.

        Raises:
            SplitError: it is larger than can be kept, or holds an escape that JSON does not know.
        """
        data = self._unread + chunk if self._unread else chunk
        position = 0
        while position < len(data):
            if not self._in_string:
                position = self._structure(data, position)
            elif (reached := self._string(data, position)) >= 0:
                position = reached
            else:
                break
        self._unread = data[position:]
        if len(self._rest) > MAX_DOCUMENT:
            raise SplitError(f"the answer is larger than {MAX_DOCUMENT} bytes, pictures apart")

    def _cut(self) -> None:
        """Take the answer as it is, though its end is missing: a string that is open is a picture, or nothing."""
        if self._in_string and self._picture is None:
            self._look()
        if self._picture is not None:
            self._picture.cut = True
            self._end_string()

    def document(self) -> tuple[Any, str | None]:
        """The document, and what is wrong with its text: then it is what came before.

        Raises:
            ValueError: the text is not JSON from its beginning.
        """
        try:
            return _parsed(self._rest.decode()), None
        except ValueError as error:
            self._cut()
            with contextlib.suppress(ValueError):  # then it was no JSON from the start
                return _parsed(completed(self._rest.decode(errors="replace"))), f"the answer is not whole JSON: {error}"
            raise ValueError(f"the answer is not JSON: {error}") from error

    def beginning(self) -> bytes:
        """The first bytes of the answer, with placeholders."""
        return bytes(self._rest[:4000])

    def _structure(self, data: bytes, position: int) -> int:
        """Consume up to the start of a string; give the position reached."""
        quote = data.find(b'"', position)
        end = quote + 1 if quote >= 0 else len(data)
        self._rest += data[position:end]
        if quote >= 0:
            self._in_string = True
            self._string_start, self._looked_at = len(self._rest), 0
        return end

    def _string(self, data: bytes, position: int) -> int:
        """Consume what is inside a string; give the position reached, or -1 where an escape needs more bytes."""
        quote = data.find(b'"', position)
        end = quote if quote >= 0 else len(data)
        escaped = data.find(b"\\", position, end) >= 0
        if escaped:
            match = _STRING.match(data, position)
            end = match.end() if match else position
        piece = data[position:end]
        if self._picture is not None:
            self._picture.feed(_unescaped(piece) if escaped else piece)
        elif piece:
            self._rest += piece
            if not self._looked_at and len(self._rest) - self._string_start >= LONG:
                self._look()
        if data[end : end + 1] == b'"':
            self._end_string()
            return end + 1
        if len(data) - end >= _LONGEST_ESCAPE:
            raise SplitError("the answer holds an escape that is not JSON")
        return end if end > position else -1

    def _look(self) -> None:
        """Whether the string that is open is a picture; if so, take it out."""
        text = bytes(self._rest[self._string_start :])
        self._looked_at = len(text)
        text = _unescaped(text) if b"\\" in text else text
        prefix = _PREFIX.match(text)
        if _BASE64.fullmatch(text, prefix.end() if prefix else 0):
            del self._rest[self._string_start :]
            self._picture = Base64()
            self._picture.feed(text)

    def _end_string(self) -> None:
        if self._picture is not None:
            self._picture.finish()
            placeholder = f"<picture {self._first + len(self.pictures)}: {self._picture.kept.size} bytes>"
            self.pictures[placeholder] = self._picture
            self._rest += placeholder.encode()
            self._picture = None
        self._rest += b'"'
        self._in_string = False


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_unknown)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _unknown(_: str) -> None:
    """What NaN and Infinity become, which JSON does not have: no value, so that its place is told as a deviation."""


class Base64:
    """Decodes base64 piece by piece, as it is found: in lines, URL-safe, without padding, behind a ``data:`` prefix."""

    def __init__(self) -> None:
        self.kept = Kept()
        """The bytes, as far as they could be decoded."""
        self.problem: str | None = None
        """What is wrong with the text, if anything is."""
        self.cut = False
        """Whether the text's end is missing."""
        self._decode = _decoder()
        self._undecoded = b""
        self._at_start = True
        self._padded = False

    def feed(self, piece: bytes) -> None:
        """Take the next characters."""
        if self.problem:
            return
        text = self._undecoded + piece if self._undecoded else piece
        if self._at_start:
            prefix = _PREFIX.match(text)
            text = text[prefix.end() :] if prefix else text
            self._at_start = False
        whole = len(text) & ~3
        self._undecoded = text[whole:]
        if whole:
            self._write(text[:whole])

    def finish(self) -> None:
        """There are no more characters."""
        if self._undecoded and not self.problem:
            rest = self._undecoded.translate(_USUAL, _WHITE).rstrip(b"=")
            if len(rest) % 4 == 1 and not self.cut:
                self.problem = "base64 that is cut short"
                return
            rest = rest[: len(rest) - (len(rest) % 4 == 1)]
            if rest:
                self._write(rest + b"=" * (-len(rest) % 4))

    def _write(self, text: bytes) -> None:
        if self._padded and text.strip(_WHITE + b"="):
            self.problem = "base64 that goes on after its end"
            return
        try:
            decoded = self._decode(text)
        except ValueError:
            text = text.translate(_USUAL, _WHITE)
            whole = len(text) & ~3
            self._undecoded = text[whole:] + self._undecoded
            text = text[:whole]
            try:
                decoded = self._decode(text)
            except ValueError:
                self.problem = "something that is not base64"
                return
        self._padded = text.endswith(b"=")
        self.kept.write(decoded)
        if self.kept.size > MAX_PICTURE:
            self.problem = f"a picture of more than {MAX_PICTURE} bytes"


def decoded(text: str) -> Base64:
    """The same for a text that is whole in memory."""
    found = Base64()
    try:
        found.feed(text.encode("ascii"))
        found.finish()
    except UnicodeEncodeError:
        found.problem = "something that is not base64"
    return found


@cache
def _decoder() -> Callable[[bytes], bytes]:
    """A strict base64 decoder: pybase64 where it is installed, which is some four times faster."""
    try:
        decode: Callable[..., bytes] = importlib.import_module("pybase64").b64decode
    except ImportError:
        return lambda text: binascii.a2b_base64(text, strict_mode=True)
    return lambda text: decode(text, validate=True)


def _unescaped(piece: bytes) -> bytes:
    """Resolve the JSON escapes in a piece of a string; what is not ASCII becomes a character that is not base64."""
    try:
        return str(json.loads(b'"' + piece + b'"', strict=False)).encode("ascii", "replace")
    except ValueError:
        return b"?"

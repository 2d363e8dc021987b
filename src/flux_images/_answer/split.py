"""Takes the pictures out of a JSON answer as it streams in.

``PictureSplitter`` is fed the answer's bytes, however they were cut. The strings at ``data[*].b64_json`` are
decoded straight into files and replaced by short placeholders; everything else is kept for the JSON parser,
which also judges whether the document is JSON at all. No large string is ever whole in memory.
"""

from __future__ import annotations

import binascii
import codecs
import importlib
import json
import re
import tempfile
from functools import cache
from typing import IO, TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DOCUMENT = 16 * 2**20
"""Bytes of JSON beside the pictures."""
MAX_DEPTH = 128
MAX_PICTURE = 256 * 2**20
"""Bytes of one decoded picture."""
IN_MEMORY = 2**19
"""Bytes up to which a picture waits in memory instead of in a temporary file."""
_LONGEST_PREFIX = 256
_QUOTE = ord('"')

_PICTURE_PATH = [b"data", None, b"b64_json"]
_TOKEN = re.compile(rb'"[^"\\]*"|["{}\[\],]')
"""A string without escapes, or a character that structures the document; a quote alone opens any other string."""
_STRING = re.compile(rb'(?:[^"\\]+|\\u[0-9a-fA-F]{4}|\\[^u])*')
_LONGEST_ESCAPE = len(rb"\u0000")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_PARSER = json.JSONDecoder(parse_constant=_refuse_constant)


class SplitError(ValueError):
    """The answer is cut short, too large, or holds something that is not base64."""


class PictureSplitter:
    """Feed it an answer, then take ``document()``, and the pictures by their placeholders."""

    def __init__(self) -> None:
        self._pictures: dict[str, tuple[IO[bytes], int]] = {}
        self._rest = bytearray()
        self._unread = b""  # an escape that the last chunk cut
        self._path: list[bytes | None] = []  # of each open container: the current key, or None in an array
        self._expects_key = False
        self._in_string = False
        self._string_start = 0
        self._picture: _Base64File | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the answer.

        Raises:
            SplitError: a limit is passed, or a picture is not base64.
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

    def document(self) -> Any:
        """The JSON document, with a placeholder in the place of each picture.

        Raises:
            ValueError: it is not JSON, perhaps because it was cut short.
        """
        return _PARSER.decode(self._rest.removeprefix(codecs.BOM_UTF8).decode())

    def beginning(self) -> bytes:
        """The first bytes of the answer, with placeholders."""
        return bytes(self._rest[:4000])

    def take(self, placeholder: str) -> tuple[IO[bytes], int]:
        """The file behind a placeholder, at its start, and its size in bytes. Whoever takes it closes it."""
        return self._pictures.pop(placeholder)

    def close(self) -> None:
        """Throw away the pictures that nobody took."""
        if self._picture is not None:
            self._picture.file.close()
        for file, _ in self._pictures.values():
            file.close()

    def _structure(self, data: bytes, position: int) -> int:
        """Consume up to the start of a string that must be looked into; give the position reached."""
        path = self._path
        for match in _TOKEN.finditer(data, position):
            token = match[0]
            if token[0] == _QUOTE:
                is_picture = not self._expects_key and path == _PICTURE_PATH
                if len(token) == 1 or is_picture:
                    start = match.start() + 1
                    self._rest += data[position:start]
                    self._in_string = True
                    self._string_start = len(self._rest)
                    self._picture = _Base64File() if is_picture else None
                    return start
                if self._expects_key:
                    path[-1] = token[1:-1]
                    self._expects_key = False
            elif token == b",":
                self._expects_key = path[-1:] != [None]
            elif token in b"{[":
                if len(path) == MAX_DEPTH:
                    raise SplitError(f"the answer is nested deeper than {MAX_DEPTH} levels")
                path.append(b"" if token == b"{" else None)
                self._expects_key = token == b"{"
            else:
                del path[-1:]
                self._expects_key = False
        self._rest += data[position:]
        return len(data)

    def _string(self, data: bytes, position: int) -> int:
        """Consume what is inside a string; give the position reached, or -1 where an escape needs more bytes."""
        quote = data.find(b'"', position)
        end = quote if quote >= 0 else len(data)
        escaped = data.find(b"\\", position, end) >= 0
        if escaped:
            match = _STRING.match(data, position)
            end = match.end() if match else position
        piece = data[position:end]
        if self._picture is None:
            self._rest += piece
        elif piece:
            self._picture.feed(_unescape(piece) if escaped else piece)
        if data[end : end + 1] == b'"':
            self._end_string()
            return end + 1
        if len(data) - end >= _LONGEST_ESCAPE:
            raise SplitError("the answer holds an escape that is not JSON")
        return end if end > position else -1

    def _end_string(self) -> None:
        if self._picture is not None:
            if size := self._picture.finish():
                placeholder = f"picture {len(self._pictures)}"
                self._pictures[placeholder] = self._picture.file, size
                self._rest += placeholder.encode()
            self._picture = None
        elif self._expects_key and self._path:
            self._path[-1] = _unescape_key(bytes(self._rest[self._string_start :]))
            self._expects_key = False
        self._rest += b'"'
        self._in_string = False


class _Base64File:
    """Decodes base64 into a file, piece by piece; a ``data:`` prefix is dropped."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 -- handed out by finish()
        self._decode = _decoder()
        self._undecoded = b""
        self._at_start = True
        self._padded = False
        self._size = 0

    def feed(self, piece: bytes) -> None:
        text = self._undecoded + piece if self._undecoded else piece
        if self._at_start:
            text = self._without_prefix(text)
        if not self._at_start:
            self._undecoded = text[len(text) & ~3 :]
            self._write(text[: len(text) & ~3])

    def finish(self) -> int:
        """Rewind the file and give its size in bytes; a file without any is closed."""
        if self._at_start and len(self._undecoded) < len("data:"):  # the beginning of a prefix, but it was none
            self._at_start = False
            self.feed(b"")
        if self._undecoded:
            raise SplitError("the answer holds base64 that is cut short")
        if self._size:
            self.file.seek(0)
        else:
            self.file.close()
        return self._size

    def _without_prefix(self, text: bytes) -> bytes:
        if not b"data:".startswith(text[:5].lower()):
            self._at_start = False
            return text
        comma = text.find(b",", 0, _LONGEST_PREFIX)
        if comma < 0:
            if len(text) > _LONGEST_PREFIX:
                raise SplitError("the answer holds a data: prefix without a comma")
            self._undecoded = text
            return b""
        self._at_start = False
        return text[comma + 1 :]

    def _write(self, text: bytes) -> None:
        if not text:
            return
        if self._padded:
            raise SplitError("the answer holds base64 that goes on after its end")
        try:
            decoded = self._decode(text)
        except ValueError as error:
            raise SplitError("the answer holds something that is not base64") from error
        self._padded = text.endswith(b"=")
        self._size += len(decoded)
        if self._size > MAX_PICTURE:
            raise SplitError(f"the answer holds a picture of more than {MAX_PICTURE} bytes")
        self.file.write(decoded)


@cache
def _decoder() -> Callable[[bytes], bytes]:
    """A strict base64 decoder: pybase64 where it is installed, which is some four times faster."""
    try:
        decode: Callable[..., bytes] = importlib.import_module("pybase64").b64decode
    except ImportError:
        return lambda text: binascii.a2b_base64(text, strict_mode=True)
    return lambda text: decode(text, validate=True)


def _unescape(piece: bytes) -> bytes:
    """Resolve the JSON escapes in a piece of base64, and drop white space that was written as escapes."""
    try:
        return "".join(json.loads(b'"' + piece + b'"').split()).encode("ascii")
    except ValueError as error:
        raise SplitError("the answer holds something that is not base64") from error


def _unescape_key(raw: bytes) -> bytes:
    try:
        return str(json.loads(b'"' + raw + b'"')).encode(errors="replace")
    except ValueError:
        return b""  # the parser of the whole document will say what is wrong

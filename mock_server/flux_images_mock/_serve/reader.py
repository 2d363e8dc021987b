"""Read HTTP/1.1 requests from bytes, within limits of size.

httptools refuses what is ambiguous: two lengths, a length beside chunks, bad syntax.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httptools

from flux_images_mock._request.message import Headers, Request, origin_of

MOST_HEAD_BYTES = 64 * 1024
"""Bytes of a request line and its headers."""


@dataclass(slots=True)
class Turn:
    """One request on a connection, which may still be arriving."""

    request: Request
    keep_alive: bool
    expects_continue: bool
    knows_interim: bool
    """Whether it speaks HTTP/1.1, which has interim answers."""
    parts: list[bytes] = field(default_factory=lambda: [])
    size: int = 0
    """Bytes of the body that have come."""
    whole: bool = False


class Reader:
    """The reading side of one connection; its methods are what httptools calls.

    `take` gets each request when its head is whole. `most_body` is how many bytes of a body are kept, and `server` the
    address of the listening socket, for a client that names no host.
    """

    def __init__(
        self,
        take: Callable[[Turn], None],
        most_body: int,
        now: Callable[[], float],
        server: Sequence[Any] | None,
    ) -> None:
        self.refusal: tuple[int, str] | None = None
        """Why nothing more is read, as a status and a sentence."""
        self.arriving = False
        """Whether a request has begun and not ended."""
        self.since = now()
        """When the last request began to arrive."""
        self.turn: Turn | None = None
        """The last request."""
        self._take = take
        self._most_body = most_body
        self._now = now
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._url = b""
        self._pairs: list[tuple[bytes, bytes]] = []
        self._host: bytes | None = None
        self._origin = ""
        self._in_head = True
        self._head_bytes = 0

    def feed(self, data: bytes) -> None:
        """Read what came; refuse a head that grows without an end."""
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.refusal = self.refusal or (400, "This is not HTTP/1.1.")
        if self._in_head and self._head_bytes > MOST_HEAD_BYTES:
            self.refusal = self.refusal or (431, "The request's head is too large.")

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._url = b""
        self._pairs = []
        self.arriving = True
        self.since = self._now()

    def on_url(self, url: bytes) -> None:
        """Take a part of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._pairs.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Line the request up, whose answer may go out before its body is here."""
        self._in_head = False
        parser, headers = self._parser, Headers(self._pairs)
        if self._head_bytes > MOST_HEAD_BYTES:
            size = len(self._url) + sum(len(name) + len(value) + 4 for name, value in self._pairs)
            if size > MOST_HEAD_BYTES:
                self._stop(431, "The request's head is too large.")
        version = parser.get_http_version()
        host = headers.get(b"host")
        if version == "1.1" and (host is None or (headers.repeated and len(headers.all(b"host")) > 1)):
            self._stop(400, "A request has exactly one Host header.")
        path, _, query = self._url.partition(b"?")
        if path[:1] != b"/" or b"#" in self._url:
            url = httptools.parse_url(self._url)
            path, query = url.path, url.query or b""
        if host is None or host != self._host:
            self._host, self._origin = host, origin_of("http", host, self._server)
        request = Request(parser.get_method().decode("ascii"), path.decode("ascii"), query, headers, self._origin)
        self.turn = Turn(
            request,
            keep_alive=version != "1.0" and parser.should_keep_alive() and not parser.should_upgrade(),
            knows_interim=version != "1.0",
            expects_continue=version != "1.0" and (headers.get(b"expect") or b"").lower() == b"100-continue",
        )
        self._take(self.turn)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, as far as it may go."""
        if self.turn is not None:
            self.turn.size += len(body)
            if self.turn.size <= self._most_body:
                self.turn.parts.append(body)

    def on_message_complete(self) -> None:
        """End a request, unless the parser has only lost sight of its body."""
        if self._parser.should_upgrade() and self._framing():
            return
        if self.turn is not None:
            self.turn.whole = True
        self.arriving = False
        self._in_head = True
        self._head_bytes = 0

    def _stop(self, status: int, text: str) -> None:
        """Give the request up from within the parser."""
        self.refusal = status, text
        raise ValueError(text)

    def _framing(self) -> list[tuple[bytes, bytes]]:
        return [(name, value) for name, value in self._pairs if name in (b"content-length", b"transfer-encoding")]

    def _decline_upgrade(self, rest: bytes) -> None:
        """Read the body of a request that offers another protocol: its parser takes the bytes for that protocol's."""
        framing = self._framing()
        if framing:
            self._parser = httptools.HttpRequestParser(_BodyOf(self))
            lines = b"".join(b"%b: %b\r\n" % header for header in framing)
            self._parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n%b" % (lines, rest))


class _BodyOf:
    """What a second parser tells of a request: the body alone."""

    def __init__(self, reader: Reader) -> None:
        self.on_body = reader.on_body
        self.on_message_complete = reader.on_message_complete

"""HTTP/1.1 on the wire: limits in size and time on what a client sends, and endings that it can still read.

uvicorn's protocol on httptools already refuses what is ambiguous: two lengths, a length beside chunks, bad syntax.
"""

from __future__ import annotations

import asyncio
import struct
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from flux_images_mock._faults import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn._types import ASGI3Application, ASGIReceiveEvent, ASGISendEvent, HTTPResponseStartEvent
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from flux_images_mock._faults import End

MOST_HEAD_BYTES = 64 * 1024
"""Bytes of a request line and its headers."""

_LINGER = 2.0
"""Seconds in which a client that was answered early may go on sending."""

_SLOWEST = 1024 * 1024
"""Bytes a second at which a body may take its time."""


_NO_LINGER = struct.pack("ii", 1, 0)  # closing then resets the connection
_EXTENSIONS: dict[str, dict[object, object]] = {EXTENSION: {}}


class _Cycle(RequestResponseCycle):
    """One request and its answer; a whole answer leaves in one write."""

    def __init__(self, linger: Callable[[], None], **parts: Any) -> None:
        super().__init__(**parts)
        self._linger = linger
        self._start: HTTPResponseStartEvent | None = None
        self._has_body = False
        self._input_ended = False

    def end_input(self) -> None:
        """Note that the client has ended its side: whoever still waits for it waits in vain."""
        self._input_ended = True
        if self._has_body:
            self.message_event.set()

    async def receive(self) -> ASGIReceiveEvent:
        """Receive a part of the body or, after it, that the client has left; one that has ended its side has."""
        if not (self._has_body and self._input_ended):
            message = await super().receive()
            if not (self._has_body and self._input_ended):
                self._has_body = message["type"] == "http.request" and not message["more_body"]
                return message
        self.disconnected = True
        self.transport.close()
        return {"type": "http.disconnect"}

    async def send(self, message: ASGISendEvent) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] == EXTENSION:  # pyright: ignore[reportUnnecessaryComparison]  # as below
            wire = cast("dict[str, Any]", message)  # uvicorn's type names the standard messages only
            self._send_raw(wire["data"], wire["end"])
            return
        start, self._start = self._start, None
        if start is None or message["type"] != "http.response.body" or message.get("more_body"):
            if start is not None:
                await super().send(start)
            await super().send(message)
            return
        if self.disconnected:
            return
        self._send_whole(start, message.get("body", b""))

    def _send_raw(self, data: bytes, end: End | None) -> None:
        """Write bytes that the application has put together by itself, and end the connection as it says."""
        self.response_started = True
        self.response_complete = end is not None
        if self.disconnected:
            return
        self.transport.write(data)
        if end == "reset":
            self.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _NO_LINGER)
            self.transport.abort()
        elif end == "close":
            self.transport.close()

    def _send_whole(self, start: HTTPResponseStartEvent, body: bytes) -> None:
        early = self.more_body
        lines = [STATUS_LINE[start["status"]]]
        for name, value in (*self.default_headers, *start.get("headers", ())):
            lines += (name, b": ", value, b"\r\n")
            if name == b"connection" and value == b"close":
                self.keep_alive = False
        if early:
            self.keep_alive = False
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        if self.scope["method"] != "HEAD":
            lines.append(body)
        self.transport.write(b"".join(lines))
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.message_event.set()
        if early:
            self._linger()
        elif not self.keep_alive:
            self.transport.close()
        self.on_response()


class _BodyOf:
    """What a second parser tells of a connection: the body alone."""

    def __init__(self, connection: MockProtocol) -> None:
        self.on_body = connection.on_body
        self.on_message_complete = connection.on_message_complete


class MockProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        header_timeout: float = 10.0,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._header_timeout = header_timeout
        self._watch: asyncio.TimerHandle | None = None
        self._begun: float | None = None
        self._started = False
        self._in_head = True
        self._head_bytes = 0
        self._body_bytes = 0
        self._lingering = False
        self._refusal: tuple[int, str] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start to watch the time: a connection on which nothing comes is closed as well."""
        super().connection_made(transport)
        self._begun = self.loop.time()
        self._watch = self.loop.call_later(self._header_timeout, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; refuse a head that grows without an end."""
        if self._lingering:
            return
        if self._in_head:
            self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("This is not HTTP/1.1.")
        if self._in_head and self._head_bytes > MOST_HEAD_BYTES and not self._lingering:
            self._refuse(431, "The request's head is too large.")

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's never keeps the connection
        """Keep the connection of a client that has said everything, if it is answered at once."""
        if self._lingering or not self._unanswered() or self.cycle.more_body or self.cycle.response_started:
            return False
        self.cycle.keep_alive = False
        cast("_Cycle", self.cycle).end_input()
        return True

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._started = True
        self._begun = self.loop.time()
        self._body_bytes = 0

    def on_headers_complete(self) -> None:
        """Hand the request to the application, whose answer may come before the body does."""
        self._in_head = False
        if self._head_bytes > MOST_HEAD_BYTES:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > MOST_HEAD_BYTES:
                self._refusal = 431, "The request's head is too large."
                raise ValueError(self._refusal[1])
        parser: httptools.HttpRequestParser = self.parser  # pyright: ignore[reportAssignmentType]  # here while connected
        version = parser.get_http_version()
        if version == "1.1" and sum(name == b"host" for name, _ in self.headers) != 1:
            self._refusal = 400, "A request has exactly one Host header."
            raise ValueError(self._refusal[1])
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["method"] = parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = url.path
        self.scope["query_string"] = url.query or b""
        self.scope["extensions"] = _EXTENSIONS
        waiting = self._unanswered()
        self.cycle = _Cycle(
            self._linger,
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and parser.should_keep_alive() and not parser.should_upgrade(),
            on_response=self.on_response_complete,
        )
        app = cast("ASGI3Application", self.app)  # pyright: ignore[reportUnknownMemberType]  # a union in uvicorn
        if waiting:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, app))
        else:
            self._start_asgi_task(self.cycle, app)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request, unless the parser has only lost sight of its body."""
        if self.parser.should_upgrade() and self._framing():
            return
        super().on_message_complete()
        self._started = False
        self._begun = None
        self._in_head = True
        self._head_bytes = 0

    def on_response_complete(self) -> None:
        """Go on with the next request, or say what was wrong with what came after this one."""
        last = not self.pipeline
        super().on_response_complete()
        if last and self._refusal is not None:
            self._refuse(*self._refusal)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser couldn't read."""
        status, text = self._refusal or (400, msg)
        self._refuse(status, text)

    def _framing(self) -> list[tuple[bytes, bytes]]:
        return [(name, value) for name, value in self.headers if name in (b"content-length", b"transfer-encoding")]

    def _decline_upgrade(self, rest: bytes) -> None:
        """Read the body of a request that offers another protocol: its parser takes the bytes for that protocol's."""
        framing = self._framing()
        if framing:
            self.parser = httptools.HttpRequestParser(_BodyOf(self))
            lines = b"".join(b"%b: %b\r\n" % header for header in framing)
            self.parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n%b" % (lines, rest))

    def _unanswered(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _look(self) -> None:
        """Close the connection if a request has taken too long to arrive; look again later if not."""
        now = self.loop.time()
        due = now + self._header_timeout
        if self._begun is not None and not self.flow.read_paused:
            due = self._begun + self._header_timeout + self._body_bytes / _SLOWEST
        if now < due:
            self._watch = self.loop.call_at(due, self._look)
        elif not self._started:
            self.transport.close()
        else:
            self._refuse(408, "The request took too long to arrive.")

    def _refuse(self, status: int, text: str) -> None:
        """Answer in place of the application, after those requests that came whole, and close."""
        self._lingering = True
        if self._unanswered():
            if not self.cycle.more_body:
                self._refusal = status, text
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        body = f"{text}\n".encode()
        self.transport.write(
            STATUS_LINE[status]
            + b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % len(body)
            + b"connection: close\r\n\r\n"
            + body
        )
        self._linger()

    def _linger(self) -> None:
        """Close for writing, and read on for a while: closing at once would destroy the answer on its way."""
        self._lingering = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(_LINGER, self.transport.close)

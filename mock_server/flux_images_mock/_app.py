"""The mock as a raw ASGI application: bytes in, bytes out, nothing in between."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import quote

from anyio import get_cancelled_exc_class

from flux_images_mock._control import Control
from flux_images_mock._engine import Engine
from flux_images_mock._faults import EXTENSION, DisconnectedError, play, wait
from flux_images_mock._http import Answer, Exchange, Headers, Request, TooLargeError
from flux_images_mock._journal import is_journaled
from flux_images_mock._options import MAX_BODY, Options
from flux_images_mock._paths import CONTROL, PICTURES
from flux_images_mock._spec import load
from flux_images_mock._state import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from pathlib import Path

    from flux_images_mock._faults import Fault
    from flux_images_mock._journal import RecordedRequest
    from flux_images_mock._log import AccessLog

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

_HOST = re.compile(rb"[A-Za-z0-9._~%-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")


class MockApp:
    """An ASGI application that plays one description."""

    def __init__(self, engine: Engine, state: State, options: Options, log: AccessLog | None = None) -> None:
        self.engine = engine
        self.state = state
        self._max_body = options.get("max_body", MAX_BODY)
        self._log = log
        self._control = Control(engine, state, options)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the mock speaks HTTP only, not {scope['type']}")
        exchange, state = Exchange(_request(scope)), self.state
        begun, entry = state.clock.now(), None
        try:
            answer = await self.answer(exchange, lambda: self._read(exchange.request.headers, receive))
            if is_journaled(exchange.request.path):
                entry = state.journal.add(exchange, answer, begun)
            if entry is not None and (answer.delay or answer.fault is not None):
                await self._play(answer, entry, scope, receive, send)
            else:
                await _send(answer, send)
        except DisconnectedError:
            return
        finally:
            duration = state.clock.now() - begun
            if entry is not None:
                entry.duration = duration
            if exchange.finish is not None:
                exchange.finish()
        if self._log is not None:
            self._log(exchange, answer, duration * 1000)

    async def answer(self, exchange: Exchange, read_body: Callable[[], Awaitable[bytes]]) -> Answer:
        """Return the answer to a request, and what is to be done with it on the way."""
        path = exchange.request.path
        if not path.startswith(CONTROL):
            return await self.engine.answer(exchange, read_body)
        if path.startswith(PICTURES):
            return await self.state.gallery.serve(exchange)
        return await self._control.answer(exchange, read_body)

    async def _play(
        self, answer: Answer, entry: RecordedRequest, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        """Take the time that an answer takes, and break it as it is to be broken, while the client is there."""
        status, entry.status = entry.status, None
        try:
            if answer.delay:
                await wait(answer.delay, self.state.clock, receive)
            entry.status = status
            if answer.fault is None:
                await _send(answer, send)
            else:
                await self._break(answer, answer.fault, scope, receive, send)
        except DisconnectedError:
            entry.client_left = True
            answer.origin = "the client left"
        except get_cancelled_exc_class():
            entry.client_left = True
            raise

    async def _break(
        self, answer: Answer, fault: Fault, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        if EXTENSION in scope.get("extensions", ()):
            await play(fault, answer, self.state.clock, send, receive)
            return
        arrived = fault.without_wire(answer)
        await self.state.clock.sleep(fault.duration(answer))
        await _send(arrived, send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        length = headers.get(b"content-length")
        if length is not None and length.isdigit() and int(length) > self._max_body:
            raise TooLargeError(self._max_body)
        message = await receive()
        content: bytes = message.get("body", b"")
        if message["type"] == "http.request" and not message.get("more_body"):
            return content
        parts, size = [content], len(content)
        while message["type"] == "http.request" and message.get("more_body"):
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_body:
                raise TooLargeError(self._max_body)
        if message["type"] != "http.request":
            raise DisconnectedError
        return b"".join(parts)


async def _send(answer: Answer, send: Send) -> None:
    headers = [*answer.headers, (b"connection", b"close")] if answer.close else answer.headers
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _request(scope: MutableMapping[str, Any]) -> Request:
    headers = Headers(scope["headers"])
    raw_path: bytes | None = scope.get("raw_path")
    path = quote(scope["path"]) if raw_path is None else raw_path.decode("latin-1").partition("?")[0]
    host = headers.get(b"host")
    if host is None or not _HOST.fullmatch(host):
        server = scope.get("server") or ("localhost", None)
        host = (server[0] if server[1] is None else f"{server[0]}:{server[1]}").encode()
    return Request(scope["method"], path, scope["query_string"], headers, f"{scope['scheme']}://{host.decode()}")


def app(spec: str | Path | None = None, **options: Unpack[Options]) -> MockApp:
    """Return the mock of a description (this project's own, if none is given) as an ASGI application.

    Works in-process with `httpx.ASGITransport`. Raises `ValueError` where the description can't be served.
    """
    state = State(options)
    return MockApp(Engine(load(spec), state, options), state, options)

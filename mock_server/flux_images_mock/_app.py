"""The mock as a raw ASGI application: bytes in, bytes out, nothing in between."""

from __future__ import annotations

import re
from time import perf_counter
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import quote

from flux_images_mock._engine import Engine, State
from flux_images_mock._http import Answer, Exchange, Headers, Request, TooLargeError
from flux_images_mock._options import MAX_BODY, Options
from flux_images_mock._pictures import PREFIX
from flux_images_mock._spec import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from pathlib import Path

    from flux_images_mock._log import AccessLog

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

_HOST = re.compile(rb"[A-Za-z0-9._~%-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")


class DisconnectedError(ConnectionError):
    """The client left before its request was whole."""


class MockApp:
    """An ASGI application that plays one description."""

    def __init__(self, engine: Engine, state: State, options: Options, log: AccessLog | None = None) -> None:
        self.engine = engine
        self.state = state
        self._max_body = options.get("max_body", MAX_BODY)
        self._log = log

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the mock speaks HTTP only, not {scope['type']}")
        exchange = Exchange(_request(scope))
        begun = 0.0 if self._log is None else perf_counter()
        try:
            answer = await self._answer(exchange, receive)
        except DisconnectedError:
            return
        headers = [*answer.headers, (b"connection", b"close")] if answer.close else answer.headers
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        if self._log is not None:
            self._log(exchange, answer, (perf_counter() - begun) * 1000)

    async def _answer(self, exchange: Exchange, receive: Receive) -> Answer:
        if exchange.request.path.startswith(PREFIX):
            return await self.state.gallery.serve(exchange)
        return await self.engine.answer(exchange, lambda: self._read(exchange.request.headers, receive))

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
    state = State()
    return MockApp(Engine(load(spec), state, options), state, options)

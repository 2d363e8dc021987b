"""The mock whole: the engine, the pictures and the control API behind one door, for every way of reaching it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import quote

from anyio import get_cancelled_exc_class, to_thread

from flux_images_mock._answer.faults import DisconnectedError, wait
from flux_images_mock._description.node import load
from flux_images_mock._gateway.control import Control
from flux_images_mock._gateway.engine import Engine
from flux_images_mock._gateway.journal import is_journaled, status_sent
from flux_images_mock._gateway.state import State
from flux_images_mock._request.message import Exchange, Headers, Request, TooLargeError, origin_of
from flux_images_mock._request.paths import CONTROL, PICTURES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from pathlib import Path

    from flux_images_mock._options import Options
    from flux_images_mock._request.message import Answer
    from flux_images_mock._serve.log import AccessLog

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]


class MockApp:
    """What plays one description: step by step for a server of its own, and as an ASGI application.

    Each request is begun, admitted by its head, answered with its body, completed where that takes long, recorded,
    and finished when its answer has left. Only `complete` takes long; none of the steps waits.
    """

    def __init__(self, engine: Engine, state: State, options: Options, log: AccessLog | None = None) -> None:
        self.engine = engine
        self.state = state
        self._log = log
        self._control = Control(engine, state, options)

    def begin(self, request: Request) -> Exchange:
        """Return the exchange that a request begins."""
        return Exchange(request, begun=self.state.clock.now())

    def admit(self, exchange: Exchange) -> Answer | None:
        """Judge a request by its head; return nothing if its body may come."""
        path = exchange.request.path
        if not path.startswith(CONTROL):
            return self.engine.admit(exchange)
        if path.startswith(PICTURES):
            return self.state.gallery.serve(exchange)
        return self._control.admit(exchange)

    def answer(self, exchange: Exchange, content: bytes) -> Answer:
        """Return the answer to a request that was admitted."""
        if exchange.request.path.startswith(CONTROL):
            return self._control.engine.answer(exchange, content)
        return self.engine.answer(exchange, content)

    def complete(self, exchange: Exchange, answer: Answer) -> Answer:
        """Make an answer that takes long; for a thread of its own."""
        return self.engine.complete(exchange, answer)

    def record(self, exchange: Exchange, answer: Answer) -> None:
        """Write down what a request is answered, before time passes."""
        if is_journaled(exchange.request.path):
            exchange.entry = self.state.journal.add(exchange, answer)

    def send_off(self, exchange: Exchange, answer: Answer) -> None:
        """Write down what goes back, now that its delay is over."""
        if exchange.entry is not None:
            exchange.entry.status = status_sent(answer)

    def miss(self, exchange: Exchange, answer: Answer) -> None:
        """Write down that the client left before its answer had come."""
        answer.origin = "the client left"
        if exchange.entry is None:
            self.record(exchange, answer)
        if exchange.entry is not None:
            exchange.entry.client_left = True

    def finish(self, exchange: Exchange, answer: Answer) -> None:
        """End an exchange: its answer has left, or nobody waits for it any more."""
        if exchange.finish is not None:
            exchange.finish()
        duration = self.state.clock.now() - exchange.begun
        if exchange.entry is not None:
            exchange.entry.duration = duration
        if self._log is not None:
            self._log(exchange, answer, duration * 1000)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request of ASGI."""
        if scope["type"] != "http":
            raise RuntimeError(f"the mock speaks HTTP only, not {scope['type']}")
        exchange = self.begin(_request(scope))
        answer = self.admit(exchange)
        if answer is None:
            try:
                answer = self.answer(exchange, await self._read(receive))
            except DisconnectedError:
                return
            except TooLargeError:
                answer = self.engine.too_large(exchange)
        try:
            if answer.later is not None:
                answer = await to_thread.run_sync(self.complete, exchange, answer)
            self.record(exchange, answer)
            await self._deliver(exchange, answer, send, receive)
        except DisconnectedError:
            self.miss(exchange, answer)
        except get_cancelled_exc_class():
            self.miss(exchange, answer)
            raise
        finally:
            self.finish(exchange, answer)

    async def _deliver(self, exchange: Exchange, answer: Answer, send: Send, receive: Receive) -> None:
        clock, fault = self.state.clock, answer.fault
        if answer.delay:
            await wait(answer.delay, clock, receive)
            self.send_off(exchange, answer)
        if fault is not None:
            answer = fault.without_wire(answer)
            await clock.sleep(fault.duration(answer))
        headers = [*answer.headers, (b"connection", b"close")] if answer.close else answer.headers
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _read(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise DisconnectedError
            part: bytes = message.get("body", b"")
            parts.append(part)
            size += len(part)
            if size > self.engine.max_body:
                raise TooLargeError(self.engine.max_body)
            more = message.get("more_body", False)
        return b"".join(parts)


def _request(scope: MutableMapping[str, Any]) -> Request:
    headers = Headers(scope["headers"])
    raw_path: bytes | None = scope.get("raw_path")
    path = quote(scope["path"]) if raw_path is None else raw_path.decode("latin-1").partition("?")[0]
    origin = origin_of(scope["scheme"], headers.get(b"host"), scope.get("server"))
    return Request(scope["method"], path, scope["query_string"], headers, origin)


def app(spec: str | Path | None = None, **options: Unpack[Options]) -> MockApp:
    """Return the mock of a description (this project's own, if none is given) as an ASGI application.

    Works in-process with `httpx.ASGITransport`. Raises `ValueError` where the description can't be served.
    """
    state = State(options)
    return MockApp(Engine(load(spec), state, options), state, options)

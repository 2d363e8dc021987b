"""The mock as an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import quote

from anyio import CancelScope, create_task_group, to_thread

from flux_images_mock._answer.answer import Answer
from flux_images_mock._description.node import load
from flux_images_mock._gateway.delivery import Gateway, NeedBody, Play, Wait, Work
from flux_images_mock._options import Options
from flux_images_mock._request.message import Headers, Request, origin_of
from flux_images_mock._serve.faults import without_wire

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class MockApp(Gateway):
    """A gateway that is an application of ASGI."""

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"the mock speaks HTTP only, not {scope['type']}")
        play = self.play(_request(scope))
        try:
            answer = await self._carry_out(play, receive)
            if answer.fault is not None and answer.sleep is not None:
                await answer.sleep(without_wire(answer.fault, answer))
            headers = [*answer.headers, (b"connection", b"close")] if answer.close else answer.headers
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer.body})
            next(play, None)
        except _DisconnectedError:
            pass
        finally:
            play.close()

    async def _carry_out(self, play: Play, receive: Receive) -> Answer:
        step = next(play)
        while True:
            match step:
                case NeedBody():
                    step = play.send(await self._read(receive))
                case Work(make):
                    step = play.send(await to_thread.run_sync(make, abandon_on_cancel=True))
                case Wait():
                    step = play.send(await _wait(step, receive))
                case answer:
                    return answer

    async def _read(self, receive: Receive) -> bytes | None:
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise _DisconnectedError
            part: bytes = message.get("body", b"")
            parts.append(part)
            size += len(part)
            if size > self.engine.max_body:
                return None
            more = message.get("more_body", False)
        return b"".join(parts)


class _DisconnectedError(ConnectionError):
    """The client left before its request or its answer was whole."""


async def _live(receive: Receive, send: Send) -> None:
    """Tell a server that this application has nothing to do at its start and at its end."""
    ended = False
    while not ended:
        kind = (await receive())["type"]
        ended = kind == "lifespan.shutdown"
        await send({"type": f"{kind}.complete"})


async def _wait(step: Wait, receive: Receive) -> bool:
    async with create_task_group() as tasks:
        tasks.start_soon(_until_client_leaves, receive, tasks.cancel_scope)
        passed = await step.sleep(step.seconds)
        tasks.cancel_scope.cancel()
        return passed
    raise _DisconnectedError


async def _until_client_leaves(receive: Receive, waiting: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    waiting.cancel()


def _request(scope: MutableMapping[str, Any]) -> Request:
    headers = Headers(scope["headers"])
    raw_path: bytes | None = scope.get("raw_path")
    path = quote(scope["path"]) if raw_path is None else raw_path.decode("latin-1").partition("?")[0]
    root = quote(scope.get("root_path", "")).rstrip("/")
    origin = origin_of(scope["scheme"], headers.get(b"host"), scope.get("server")) + root
    path = path.removeprefix(root) if root else path
    return Request(scope["method"], path, scope["query_string"], headers, origin)


def app(spec: str | Path | None = None, **options: Unpack[Options]) -> MockApp:
    """Return the mock of a description (this project's own, if none is given) as an ASGI application.

    Works in-process with `httpx.ASGITransport`. Raises `ValueError` where the description can't be served.
    """
    return MockApp(load(spec), options)

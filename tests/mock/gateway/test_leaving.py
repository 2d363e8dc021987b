"""Answers that take time: on asyncio and trio, and for clients that don't wait for them. No test waits, either."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import httpx
import pytest
import trio
from anyio import create_task_group, to_thread

from flux_images_mock import MockServer, app
from flux_images_mock._gateway.journal import requests
from flux_images_mock._pictures.draw import Picture, draw
from flux_images_mock._testing.respx import FluxMockRespx
from tests.mock.asking import BODY, KEY, PATH, ask, url_of
from tests.mock.wire import JSON, connect, exchange, post

if TYPE_CHECKING:
    from flux_images_mock._serve.asgi import MockApp

    Main = Callable[[], Awaitable[None]]

HEADERS = {"Authorization": f"Bearer {KEY}"}
HEAD = f"Authorization: Bearer {KEY}\r\n".encode() + JSON
REQUEST = post(b'{"model": "m", "prompt": "p", "n": 2}', HEAD)


def _run_on_asyncio(main: Main) -> None:
    async def run() -> None:
        await main()

    asyncio.run(run())


def _run_on_trio(main: Main) -> None:
    trio.run(main)


RUN = [_run_on_asyncio, _run_on_trio]


def _let_pass(mock: MockApp) -> None:
    assert mock.state.run.wait_for_sleepers(1)
    mock.state.run.advance(301)


def _client(mock: MockApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(mock), base_url="http://mock", headers=HEADERS)


@pytest.mark.parametrize("run", RUN)
def test_the_application_runs_on_asyncio_and_trio(run: Callable[[Main], None]) -> None:
    """Its latency ends when another thread moves the clock; pictures come as addresses and as base64."""
    mock, answers = app(latency="5min"), list[httpx.Response]()

    async def main() -> None:
        async with _client(mock) as client:
            async with create_task_group() as tasks:
                tasks.start_soon(to_thread.run_sync, _let_pass, mock)
                answers.append(await client.post(PATH, json=BODY))
            del client.headers["Authorization"]
            assert (await client.get(url_of(answers[0]))).headers["content-type"] == "image/jpeg"
            mock.state.reset({"latency": 0})
            answer = await client.post(PATH, json={**BODY, "response_format": "b64_json"}, headers=HEADERS)
            assert answer.json()["data"][0]["b64_json"]

    run(main)


@pytest.mark.parametrize("run", RUN)
def test_a_cancelled_call_is_one_whose_client_left(run: Callable[[Main], None]) -> None:
    """In-process, giving up means to cancel the application itself: it is billed all the same."""
    mock = app(latency="1h", concurrency=1)

    async def main() -> None:
        async with _client(mock) as client, create_task_group() as tasks:
            tasks.start_soon(partial(client.post, PATH, json=BODY))
            assert await to_thread.run_sync(mock.state.run.wait_for_sleepers, 1)
            tasks.cancel_scope.cancel()

    run(main)
    (entry,) = requests(mock.state.run.journal)
    assert (entry.client_left, entry.status, entry.billed) == (True, None, 1)
    assert mock.state.run.traffic.before_the_model(KEY, 1) is None


def _close(connection: socket.socket) -> None:
    connection.close()


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


@pytest.mark.parametrize("leave", [_close, _reset])
def test_a_client_that_leaves_is_noticed_at_once(leave: Callable[[socket.socket], None]) -> None:
    """Not when the hour of its answer is over: it is billed, and the journal says that nothing was sent."""
    with MockServer(latency="1h", concurrency=1) as mock:
        connection = connect(mock.url)
        connection.sendall(REQUEST)
        assert mock.app.state.run.wait_for_sleepers(1)
        leave(connection)
        assert mock.app.state.run.wait_for_sleepers(0)
    (entry,) = mock.requests
    assert (entry.client_left, entry.status, entry.billed, mock.bill[KEY]) == (True, None, 2, 2)
    assert (entry.duration or 0) < 60
    assert str(entry).startswith(f"POST {PATH} -> no answer; the client left; billed 2")
    assert mock.app.state.run.traffic.before_the_model(KEY, 1) is None


def test_a_client_that_leaves_its_picture_undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place becomes free while the picture is still being drawn; it is billed all the same."""
    begun, release = Event(), Event()

    def draw_slowly(picture: Picture) -> bytes:
        begun.set()
        assert release.wait(30)
        return draw(picture)

    monkeypatch.setattr("flux_images_mock._pictures.gallery.draw", draw_slowly)
    with MockServer(concurrency=1) as mock:
        connection = connect(mock.url)
        connection.sendall(post(b'{"model": "m", "prompt": "p", "response_format": "b64_json"}', HEAD))
        assert begun.wait(30)
        assert ask(mock).status_code == 429
        _reset(connection)
        assert 200 in (ask(mock).status_code for _ in range(200))
        release.set()
    (entry,) = (entry for entry in mock.requests if entry.client_left)
    assert (entry.status, entry.billed) == (None, 1)


def test_a_client_that_ends_only_its_side_is_answered(mock: MockServer) -> None:
    """Where nothing takes time, it can't be told from one that stays."""
    assert [reply.status for reply in exchange(mock.url, REQUEST)] == [200]
    assert not mock.requests[0].client_left


def test_without_a_socket_a_read_timeout_is_a_client_that_left() -> None:
    """The journal says so, as it would over a socket."""
    with FluxMockRespx(latency="8s") as mock:
        with pytest.raises(httpx.ReadTimeout):
            ask(mock, timeout=5)
        ask(mock, timeout=9)
    assert [(entry.client_left, entry.status) for entry in mock.requests] == [(True, None), (False, 200)]

"""The fast transport: the same outcomes, on another engine."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import httpx
import pytest

import flux_images
from flux_images import AsyncFluxImages
from flux_images._send.transport import async_transport
from tests.sdk.conftest import BUYERS, KEY
from tests.sdk.raw_server import Reply, answer, raw_server, stall
from tests.sdk.rows import ROWS, Row, middleware
from tests.sdk.test_rows import addressed, everything

aiohttp = pytest.importorskip("aiohttp", reason="the extra `fast` is not installed")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_table_holds_on_the_fast_transport(row: Row) -> None:
    """Success, class of error, billing and number of POSTs; and no key in any error behind it."""
    error: flux_images.FluxImagesError | None = None
    with raw_server(pictures={"/picture.png": row.picture}) as server:
        server.reply = addressed(row.reply, server)
        try:
            BUYERS["asyncio"](server.url, options={"fast": True}, **row.fields)
        except flux_images.FluxImagesError as raised:
            error = raised
    assert type(error) is (row.error or type(None))
    if error:
        assert error.may_have_been_billed is row.billed
        assert KEY not in "".join(everything(error))
    assert len(server.posts) == row.posts
    assert {post.header("authorization") for post in server.posts} == {f"Bearer {KEY}"}


def test_a_refused_connection_costs_nothing() -> None:
    """And is tried again."""
    with raw_server() as server:
        gone = server.url
    told: list[object] = []
    with pytest.raises(flux_images.APIConnectionError) as caught:
        BUYERS["asyncio"](gone, options={"fast": True, "on_retry": told.append})
    assert not caught.value.may_have_been_billed
    assert len(told) == 2


def test_the_extra_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is missing, at construction."""
    monkeypatch.setitem(__import__("sys").modules, "flux_images._send.fast", None)
    with pytest.raises(flux_images.ConfigurationError, match=r"flux-images\[fast\]"):
        AsyncFluxImages(KEY, fast=True)


def test_closing_ends_its_session() -> None:
    """Also of a client that made no call."""

    async def main() -> None:
        async with AsyncFluxImages(KEY, fast=True):
            pass

    anyio.run(main)


def _outcome(url: str | None, **options: Any) -> tuple[Any, list[flux_images.Retry]]:
    """The pictures or the error, and the retries that were told."""
    told: list[flux_images.Retry] = []
    try:
        return BUYERS["asyncio"](url, options={"fast": True, "on_retry": told.append, **options})[1], told
    except flux_images.FluxImagesError as error:
        return error, told


def test_a_connection_that_takes_too_long_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again."""

    async def never(*_: object) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr("asyncio.BaseEventLoop.sock_connect", never, raising=False)
    monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", never)
    error, told = _outcome("http://127.0.0.1:1", timeout=httpx.Timeout(5, connect=0.05))
    assert type(error) is flux_images.APITimeoutError
    assert "no connection to the gateway 127.0.0.1:1 in time" in str(error)
    assert not error.may_have_been_billed
    assert len(told) == 2


@pytest.mark.parametrize("reply", [(stall,), (answer(200, b"{", length=9), stall)], ids=["head", "body"])
def test_an_answer_that_takes_too_long_may_have_been_billed(reply: Reply) -> None:
    """Before its head and after it."""
    with raw_server(reply) as server:
        error, told = _outcome(server.url, timeout=httpx.Timeout(5, read=0.1))
    assert type(error) is flux_images.APITimeoutError
    assert "no answer in time" in str(error)
    assert error.may_have_been_billed
    assert told == []


def test_a_connection_that_was_kept_and_died_may_have_been_billed() -> None:
    """The gateway may have read the request before it hung up: it is not sent again."""
    whole = json.dumps({"data": [{"url": "x"}]}).encode()
    with raw_server([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(whole) + whole, _read_one]) as server:

        async def main() -> None:
            async with AsyncFluxImages(KEY, base_url=server.url, fast=True) as client:
                await client.generate("a medal")
                with pytest.raises(flux_images.APIConnectionError) as caught:
                    await client.generate("a medal")
                assert caught.value.may_have_been_billed

        anyio.run(main)
        assert server.connections == 1


def _read_one(connection: socket.socket) -> None:
    connection.recv(65536)


def test_no_cookie_comes_back() -> None:
    """Each call stands alone, as on the default transport."""
    with raw_server([answer(401, b"{}", "Set-Cookie: a=b; Path=/")]) as server:

        async def main() -> None:
            async with AsyncFluxImages(KEY, base_url=server.url.replace("127.0.0.1", "localhost"), fast=True) as client:
                for _ in range(2):
                    with pytest.raises(flux_images.AuthenticationError):
                        await client.generate("a medal")

        anyio.run(main)
        assert [post.header("cookie") for post in server.posts] == [None, None]


def test_more_than_a_hundred_calls_are_in_flight_at_once() -> None:
    """None is answered before the last has come."""
    together = threading.Barrier(120, timeout=20)
    with raw_server([lambda _: together.wait(), answer(401, b"{}")]) as server:

        async def main() -> None:
            async with (
                AsyncFluxImages(KEY, base_url=server.url, fast=True) as client,
                anyio.create_task_group() as group,
            ):
                for _ in range(120):
                    group.start_soon(one, client)

        async def one(client: AsyncFluxImages) -> None:
            with pytest.raises(flux_images.AuthenticationError):
                await client.generate("a medal")

        anyio.run(main)
        assert len(server.posts) == 120


def test_a_netrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the place of the key nor beside it."""
    (tmp_path / "netrc").write_text("default login me password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with raw_server(middleware(401, "x")) as server:
        error, _ = _outcome(server.url)
    assert type(error) is flux_images.AuthenticationError
    assert server.posts[0].header("authorization") == f"Bearer {KEY}"


def test_nothing_is_sent_again_behind_the_caller_s_back() -> None:
    """aiohttp would repeat a GET or PUT on a kept connection that died; a billed one must not be."""
    with raw_server(pictures={"/": [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", _read_one]}) as server:

        async def main() -> None:
            request = httpx.Request("GET", server.url, extensions={"timeout": httpx.Timeout(20).as_dict()})
            async with async_transport(httpx.URL(server.url), fast=True) as transport:
                await (await transport.handle_async_request(request)).aread()
                with pytest.raises(httpx.RemoteProtocolError):
                    await transport.handle_async_request(request)

        anyio.run(main)
        assert server.connections == 1


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (aiohttp.ServerDisconnectedError(), httpx.RemoteProtocolError),
        (aiohttp.ClientPayloadError(), httpx.RemoteProtocolError),
        (aiohttp.ClientError(), httpx.RemoteProtocolError),
        (aiohttp.SocketTimeoutError(), httpx.ReadTimeout),
    ],
)
def test_a_body_that_breaks_off_is_no_failed_connection(broken: Exception, kind: type[Exception]) -> None:
    """And what aiohttp raised is not in its chain: it may hold the headers of the request."""
    from flux_images._send.fast import _Body

    async def chunks() -> AsyncIterator[bytes]:
        yield b"{"
        raise broken

    async def main() -> None:
        with pytest.raises(httpx.TransportError) as caught:
            async for _ in _Body(cast("Any", SimpleNamespace(content=SimpleNamespace(iter_any=chunks)))):
                pass
        assert type(caught.value) is kind
        assert caught.value.__cause__ is caught.value.__context__ is None

    anyio.run(main)


def test_a_request_without_a_body_leaves_as_well() -> None:
    """An operation to come may be paid and have none: its lost answer is feared, and it is not asked again."""

    async def call(url: str) -> None:
        async with flux_images.AsyncFluxImages(KEY, base_url=url, fast=True) as client:
            await client.api.get_async_httpx_client().request("POST", "/v1/unknown/operation")

    with raw_server([]) as server:
        with pytest.raises(flux_images.APIConnectionError) as caught:
            anyio.run(call, server.url)
        assert caught.value.may_have_been_billed
    assert len(server.posts) == 1

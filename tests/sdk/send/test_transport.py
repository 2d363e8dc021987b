"""The transports as clients use them: in loops, processes and threads, closed, mocked, with large requests."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import subprocess
import sys
import threading
from typing import Any

import anyio
import httpx
import pytest
import respx

import flux_images as flux
from flux_images import AsyncFluxImages, FluxImages
from flux_images._send.transport import async_transport, sync_transport
from tests.sdk.answering import INLINE, PATH
from tests.sdk.conftest import KEY, Buy
from tests.sdk.raw_server import answer, raw_server
from tests.sdk.send.conftest import UNFINISHED

WHOLE = json.dumps(INLINE).encode()
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(WHOLE), WHOLE)


class Kept:
    """A connection that answers request after request, and says when the other side has hung up."""

    def __init__(self) -> None:
        self.hung_up = threading.Semaphore(0)

    def __call__(self, connection: socket.socket) -> None:
        while data := connection.recv(65536):
            if data.endswith(b"}"):
                connection.sendall(GOOD)
        self.hung_up.release()


@pytest.mark.parametrize(("backend", "fast"), [("asyncio", False), ("trio", False), ("asyncio", True)])
def test_one_client_serves_one_event_loop_after_the_other(backend: str, fast: bool) -> None:
    """As scripts and notebooks run them: each loop's connection ends with it, and the next call has its own."""
    kept = Kept()
    with raw_server([GOOD, kept]) as server:
        client = AsyncFluxImages(KEY, base_url=server.url, fast=fast)

        async def twice() -> None:
            await client.generate("a medal")
            await client.generate("a medal")

        for count in (1, 2, 3):
            anyio.run(twice, backend=backend)
            assert kept.hung_up.acquire(timeout=10)
            assert server.connections == count
        anyio.run(client.close, backend=backend)


@pytest.mark.filterwarnings("ignore:.*unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_was_just_closed_is_forgotten() -> None:
    """Nothing can be closed in it any more; Python closes its sockets."""
    kept = Kept()
    with raw_server([GOOD, kept]) as server:
        client = AsyncFluxImages(KEY, base_url=server.url)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(client.generate("a medal"))
        loop.close()

        async def again() -> bool:
            async with client:
                await client.generate("a medal")
                gc.collect()
                return kept.hung_up.acquire(timeout=10)

        assert asyncio.run(again())


@pytest.mark.parametrize("fast", [False, True])
def test_loops_in_several_threads_share_a_client(fast: bool) -> None:
    """And closing it in one closes it for the other, whose connections end in their own loop."""
    kept = Kept()
    together = threading.Barrier(2, timeout=20)
    errors: list[BaseException] = []
    with raw_server([GOOD, kept]) as server:
        client = AsyncFluxImages(KEY, base_url=server.url, fast=fast)

        async def use(closes: bool) -> None:
            await client.generate("a medal")
            await asyncio.to_thread(together.wait)
            if closes:
                await client.close()
            await asyncio.to_thread(together.wait)
            try:
                await client.generate("a medal")
            except flux.ClientClosedError as error:
                errors.append(error)
            assert await asyncio.to_thread(kept.hung_up.acquire, timeout=10)  # this loop has to close its own
            await asyncio.to_thread(together.wait)

        threads = [threading.Thread(target=asyncio.run, args=(use(closes),)) for closes in (True, False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(errors) == 2
        assert server.connections == 2


FORKING = """
import asyncio, os, sys
from flux_images import AsyncFluxImages, FluxImages

kind, url = sys.argv[1:]
client = FluxImages(base_url=url) if kind == "sync" else AsyncFluxImages(base_url=url, fast=kind == "fast")

def buy():
    made = client.generate("a medal")
    return made if kind == "sync" else asyncio.run(made)

buy()
child = os.fork()
buy()
if not child:
    if kind == "sync":
        client.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
buy()
"""


@pytest.mark.parametrize(("kind", "connections"), [("sync", 2), ("asyncio", 4), ("fast", 4)])
def test_a_forked_child_opens_its_own_connections(kind: str, connections: int) -> None:
    """On one of its parent's each could get the other's answer. (Each ``asyncio.run`` has its own as well.)"""
    with raw_server([GOOD, Kept()]) as server:
        done = subprocess.run(
            [sys.executable, "-c", FORKING, kind, server.url],
            env={**os.environ, "FLUX_API_KEY": KEY},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert server.connections == connections


@pytest.mark.parametrize("kind", ["sync", "async", "fast"])
def test_a_closed_transport_sends_nothing(kind: str) -> None:
    """It is asked before each attempt: a client may be closed while a retry waits."""
    url = httpx.URL("http://127.0.0.1:1")
    request = httpx.Request("POST", url)
    if kind == "sync":
        transport = sync_transport(url)
        transport.close()
        assert transport.is_closed
        with pytest.raises(flux.ClientClosedError, match="make a new one"):
            transport.handle_request(request)
        return

    async def main() -> None:
        transport = async_transport(url, fast=kind == "fast")
        await transport.aclose()
        assert transport.is_closed
        with pytest.raises(flux.ClientClosedError, match="make a new one"):
            await transport.handle_async_request(request)

    anyio.run(main)


def test_a_client_that_is_closed_while_a_retry_waits_tries_no_more() -> None:
    """It says that it is closed."""
    with raw_server([answer(429, b"{}")]) as server:
        client = FluxImages(KEY, base_url=server.url, on_retry=lambda _: client.close())
        with pytest.raises(flux.ClientClosedError):
            client.generate("a medal")
        assert len(server.posts) == 1


@UNFINISHED
@pytest.mark.parametrize("taken", [0, 4096], ids=["nothing taken", "some taken"])
def test_a_large_request_that_is_refused_early_meets_the_refusal(taken: int, buy: Buy) -> None:
    """The gateway answers, hangs up, and resets what still comes; the answer must not go with it."""

    def serve() -> None:
        for _ in range(10):
            with listener.accept()[0] as connection:
                while b"\r\n\r\n" not in connection.recv(65536):
                    pass
                if taken:
                    connection.recv(taken)
                connection.sendall(answer(413, b'{"error": {"message": "too large"}}'))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        for _ in range(10):
            with pytest.raises(flux.PayloadTooLargeError, match="too large") as caught:
                buy(f"http://127.0.0.1:{listener.getsockname()[1]}", extra_body={"image_prompt": "x" * 4_000_000})
            assert not caught.value.may_have_been_billed
        thread.join()


@pytest.mark.parametrize("way", ["sync", "asyncio", "fast"])  # trio does not call a socket's own send()
def test_head_and_body_leave_apart(buy: Buy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy may send again what came in one piece: haproxy does, and three bills came of one call."""
    sent: list[bytes] = []

    class Noting(socket.socket):
        def send(self, data: Any, *flags: int) -> int:
            sent.append(bytes(data))
            return super().send(data, *flags)

    monkeypatch.setattr("socket.socket", Noting)
    with raw_server([answer(401, b"{}")]) as server, pytest.raises(flux.AuthenticationError):
        buy(server.url)
    assert [data for data in sent if b"POST /" in data]
    assert [data for data in sent if b"a medal" in data]
    assert not [data for data in sent if b"POST /" in data and b"a medal" in data]


def test_trio_is_told_that_the_fast_transport_is_not_for_it() -> None:
    """Before anything is sent."""

    async def main() -> None:
        async with AsyncFluxImages(KEY, base_url=server.url, fast=True) as client:
            await client.generate("a medal")

    with raw_server() as server, pytest.raises(flux.ConfigurationError, match="asyncio") as caught:
        anyio.run(main, backend="trio")
    assert not caught.value.may_have_been_billed
    assert server.connections == 0


def test_tools_that_patch_httpx_need_a_client_of_httpx() -> None:
    """The default transport stands on httpcore, where plain respx patches."""
    url = "http://127.0.0.1:1"
    with respx.mock(using="httpx", assert_all_called=False) as router:
        router.post(f"{url}{PATH}").respond(json=INLINE)
        with (
            FluxImages(KEY, base_url=url, max_retries=0) as client,
            pytest.raises(flux.APIConnectionError),
        ):
            client.generate("a medal")
        with FluxImages(KEY, base_url=url, http_client=httpx.Client()) as client:
            assert len(client.generate("a medal").images) == 1

"""Synchronous connections end with the call that they serve."""

from __future__ import annotations

import fcntl
import resource
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any

import anyio
import httpcore
import pytest

import flux_images as flux
from flux_images import FluxImages
from flux_images._send.network import KEEPALIVE, AsyncNetwork, Network, Stream, _listener, ends_in
from tests.sdk.conftest import KEY, Buy
from tests.sdk.raw_server import answer, raw_server

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Recorder(httpcore.NetworkBackend, httpcore.NetworkStream):
    """A network, and its only connection, that note what they are asked for, and under which limit."""

    def __init__(self, *dead: str) -> None:
        self.dead = dead
        self.asked: list[tuple[str, float | None]] = []

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: Any = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        self.asked.append((host, timeout))
        if host in self.dead:
            raise httpcore.ConnectTimeout(host)
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.asked.append(("read", timeout))
        return b"x"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.asked.append((f"write {len(buffer)}", timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self.asked.append(("tls", timeout))
        return self


@pytest.mark.parametrize(
    ("use", "too_late"),
    [
        (lambda below, limit: Network(below).connect_tcp("127.0.0.1", 1, limit), httpcore.ConnectTimeout),
        (lambda below, limit: Stream(below).read(1, limit), httpcore.ReadTimeout),
        (lambda below, limit: Stream(below).write(b"x", limit), httpcore.WriteTimeout),
        (lambda below, limit: Stream(below).start_tls(TLS, None, limit), httpcore.ConnectTimeout),
    ],
    ids=["connect", "read", "write", "tls"],
)
@pytest.mark.parametrize("limit", [None, 5.0, 500.0])
def test_every_wait_is_cut_to_what_is_left(
    use: Callable[[Recorder, float | None], object], too_late: type[Exception], limit: float | None
) -> None:
    """Within ``ends_in``; once the time is up the connection is not touched; outside, limits stay as they are."""
    below = Recorder()
    use(below, limit)
    with ends_in(50):
        use(below, limit)
    with ends_in(0), pytest.raises(too_late, match="total time is up"):
        use(below, limit)
    outside, within = (given for _, given in below.asked)
    assert outside == limit
    assert within == 5.0 if limit == 5.0 else within is not None and 40 < within <= 50


def test_a_long_request_is_bounded_piece_by_piece() -> None:
    """A peer that takes it in sips gets no new limit for each."""
    below = Recorder()
    Stream(below).write(b"x" * 40_000, 7.0)
    assert below.asked == [("write 16384", 7.0), ("write 16384", 7.0), ("write 7232", 7.0)]


def test_a_large_answer_is_read_in_large_pieces() -> None:
    """From its second piece on; the next answer begins small again."""
    asked: list[int] = []

    class Full(Recorder):
        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            asked.append(max_bytes)
            return bytes(10)

    stream = Stream(Full())
    for _ in range(2):
        stream.write(b"x")
        for size in (100, 10, 10):
            stream.read(size)
    assert asked == [100, 10, 2**18, 100, 10, 2**18]


def _resolving_to(*addresses: str) -> Callable[..., list[Any]]:
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]


def test_the_addresses_of_a_name_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other is tried, each within what is left; the last one's error counts."""
    monkeypatch.setattr("socket.getaddrinfo", _resolving_to("192.0.2.1", "192.0.2.2"))
    below = Recorder("192.0.2.1")
    with ends_in(50):
        Network(below).connect_tcp("gateway.example", 80, 500.0)
    assert [address for address, _ in below.asked] == ["192.0.2.1", "192.0.2.2"]
    assert all(limit is not None and limit <= 50 for _, limit in below.asked)
    with pytest.raises(httpcore.ConnectTimeout, match=r"192\.0\.2\.2"):
        Network(Recorder("192.0.2.1", "192.0.2.2")).connect_tcp("gateway.example", 80)
    monkeypatch.setattr("socket.getaddrinfo", _resolving_to("192.0.2.1"))
    below = Recorder()
    Network(below).connect_tcp("gateway.example", 80)
    assert below.asked == [("gateway.example", None)]


def test_a_name_that_nobody_knows_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a failed connection, with the resolver's words."""

    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    with (
        FluxImages(KEY, base_url="https://gateway.example", max_retries=0) as client,
        pytest.raises(
            flux.APIConnectionError, match=r"no connection to the gateway gateway.example: .*known"
        ) as caught,
    ):
        client.generate("a medal")
    assert not caught.value.may_have_been_billed


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_idle_connection_knows_whether_it_is_alive(backend: str) -> None:
    """What the pool asks before it sends a paid call over it."""

    async def main() -> tuple[bool, bool]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            stream = await AsyncNetwork().connect_tcp("127.0.0.1", listener.getsockname()[1])
            peer, _ = listener.accept()
            alive = not stream.get_extra_info("is_readable")
            peer.close()
            await stream.read(1)  # returns when the end of the stream has come
            dead = stream.get_extra_info("is_readable")
            await stream.aclose()
            return alive, dead

    assert anyio.run(main, backend=backend) == (True, True)


def test_a_connection_with_a_high_descriptor_is_looked_at_too() -> None:
    """Servers with thousands of files open have such: select() would refuse it."""
    here, there = socket.socketpair()
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit <= 1100:
        pytest.skip("this process may not open so many files")
    with here, there, socket.socket(fileno=fcntl.fcntl(here, fcntl.F_DUPFD, 1100)) as high:
        assert high.fileno() >= 1100
        hears = _listener(high)
        assert not hears()
        there.close()
        assert hears()


def test_every_socket_is_kept_alive(buy: Buy, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a picture is drawn nothing is said, and what stands on the way hangs up after a minute."""
    seen: list[tuple[int, ...]] = []

    class Noting(socket.socket):
        def setsockopt(self, *option: Any) -> None:
            seen.append(option)
            super().setsockopt(*option)

    monkeypatch.setattr("socket.socket", Noting)
    with raw_server([answer(401, b"{}")]) as server, pytest.raises(flux.AuthenticationError):
        buy(server.url)
    assert set(KEEPALIVE) <= set(seen)
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in KEEPALIVE
    assert len(KEEPALIVE) >= (4 if sys.platform == "linux" else 1)

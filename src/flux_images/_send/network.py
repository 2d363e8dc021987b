"""The connections below httpx's pools, with what httpcore's own leave to be desired.

Synchronous ones wait no longer than what is left of the call that they serve: httpx bounds each read and write alone,
so a peer that drips bytes could hold a call for ever. Asynchronous ones know their socket: the pool asks each idle
connection before each call whether it is still alive, and anyio looks its socket up in a sixth of the call's time.
Both read more at once.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
from httpcore._utils import is_socket_readable

from flux_images._send.deadline import shortened

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

_PIECE = 2**14
"""Bytes that are written under one limit."""
_GULP = 2**18
"""Bytes that are read at once of a large answer, four times what httpcore asks for: it costs by the piece.

Not of a small one: making room for them takes longer than reading it.
"""


def bounded(client: httpx.Client) -> httpx.Client:
    """Make a new client's connections keep to ``ends_in``, those through a proxy too."""
    for pool in _pools(client):
        pool._network_backend = _Network(pool._network_backend)  # pyright: ignore[reportPrivateUsage]  # as below
    return client


def quick(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Make a new client's connections know their socket, those through a proxy too."""
    for pool in _pools(client):
        pool._network_backend = _AsyncNetwork(pool._network_backend)  # pyright: ignore[reportPrivateUsage]  # as below
    return client


def _pools(client: httpx.Client | httpx.AsyncClient) -> Iterator[Any]:
    """The pools of httpcore, which takes a network of one's own, but httpx has no argument to pass it on."""
    for transport in (client._transport, *client._mounts.values()):  # pyright: ignore[reportPrivateUsage]  # as said
        if isinstance(transport, httpx.HTTPTransport | httpx.AsyncHTTPTransport):
            yield transport._pool  # pyright: ignore[reportPrivateUsage]  # as said


class _Network(httpcore.NetworkBackend):
    def __init__(self, network: httpcore.NetworkBackend) -> None:
        self._network = network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        def connect(address: str) -> _Stream:
            limit = _limit(timeout, httpcore.ConnectTimeout)
            return _Stream(self._network.connect_tcp(address, port, limit, local_address, socket_options))

        # Given a name, the socket module would grant each of its addresses the whole time, one after the other.
        *others, last = _addresses(host, port)
        for address in others:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return connect(address)
        return connect(last)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.NetworkStream:
        limit = _limit(timeout, httpcore.ConnectTimeout)
        return _Stream(self._network.connect_unix_socket(path, limit, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._more = False  # whether the answer that is read is a large one

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(_GULP if self._more else max_bytes, _limit(timeout, httpcore.ReadTimeout))
        self._more = self._more or len(data) >= max_bytes
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._more = False
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], _limit(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = _limit(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _AsyncNetwork(httpcore.AsyncNetworkBackend):
    def __init__(self, network: httpcore.AsyncNetworkBackend) -> None:
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._network.connect_tcp(host, port, timeout, local_address, socket_options))

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 -- as above
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._network.connect_unix_socket(path, timeout, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._socket = stream.get_extra_info("socket")
        self._more = False  # as above

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- as above
        data = await self._stream.read(_GULP if self._more else max_bytes, timeout)
        self._more = self._more or len(data) >= max_bytes
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- as above
        self._more = False
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 -- as above
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return is_socket_readable(self._socket) if info == "is_readable" else self._stream.get_extra_info(info)


def _limit(seconds: float | None, too_late: type[httpcore.TimeoutException]) -> float | None:
    limit = shortened(seconds)
    if limit is not None and limit <= 0:
        raise too_late("the call's total time is up")
    return limit


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(error) from error
    return [str(address[0]) for *_, address in found] if len(found) > 1 else [host]

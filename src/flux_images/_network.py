"""Synchronous connections that wait no longer than what is left of the call that they serve.

httpx bounds each read and write alone, so a peer that drips bytes could hold a call for ever.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from flux_images._deadline import shortened

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

_PIECE = 2**14
"""Bytes that are written under one limit."""


def bounded(client: httpx.Client) -> httpx.Client:
    """Make a new client's connections keep to ``ends_in``, those through a proxy too."""
    for transport in (client._transport, *client._mounts.values()):  # pyright: ignore[reportPrivateUsage]  # as below
        if isinstance(transport, httpx.HTTPTransport):
            # httpcore takes a network of one's own, but httpx has no argument to pass it on.
            pool = transport._pool  # pyright: ignore[reportPrivateUsage]  # as said
            pool._network_backend = _Network(pool._network_backend)  # pyright: ignore[reportPrivateUsage]  # as said
    return client


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

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _limit(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
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

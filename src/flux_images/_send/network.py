"""The sockets below the pools of httpcore, with what httpcore's own leave to be desired.

Synchronous ones wait no longer than what is left of the call that they serve: httpcore bounds each read and write alone,
so a peer that drips bytes could hold a call for ever. Asynchronous ones, whose calls can be cancelled, hear an answer
that comes while the request is still being sent, and know their socket: the pool asks each idle connection before each
call whether it is still alive, and anyio looks its socket up in a sixth of the call's time.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio
import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

END: ContextVar[float | None] = ContextVar("flux_images_end", default=None)
"""When, by the monotonic clock, what this thread sends and receives must be over."""
KEEPALIVE: list[tuple[int, int, int]] = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)] + [
    (socket.IPPROTO_TCP, getattr(socket, name), value)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPALIVE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))
    if hasattr(socket, name)
]
"""Options of every socket: a picture takes a minute in which nothing is said, and what stands on the way forgets."""
_PIECE = 2**14
"""Bytes that are written under one limit."""
_GULP = 2**18
"""Bytes that are read at once of a large answer, four times what httpcore asks for: it costs by the piece.

Not of a small one: making room for them takes longer than reading it.
"""
_EARLY = 2**16
"""Bytes that are kept of an answer that comes before the request is sent."""
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_BLANK_BEFORE_COLON = re.compile(rb"(?m)^([^\s:]+)[ \t]+:")


class Network(httpcore.NetworkBackend):
    """Connects, and wraps what is connected."""

    def __init__(self, below: httpcore.NetworkBackend | None = None) -> None:
        self._below = below or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address of a name that answers; each is given what is left of the time."""

        def connect(address: str) -> Stream:
            limit = _limit(timeout, httpcore.ConnectTimeout)
            return Stream(self._below.connect_tcp(address, port, limit, local_address, socket_options or KEEPALIVE))

        # Given a name, the socket module would grant each of its addresses the whole time, one after the other.
        *others, last = _addresses(host, port)
        for address in others:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return connect(address)
        return connect(last)


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """The same for asyncio and trio."""

    def __init__(self) -> None:
        self._below = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the address of a name that answers first."""
        try:
            options = socket_options or KEEPALIVE
            return AsyncStream(await self._below.connect_tcp(host, port, timeout, local_address, options))
        except (UnicodeError, OverflowError) as error:  # a name or a port that cannot be
            raise httpcore.ConnectError(error) from error


class _Answers:
    """What both kinds of connection do with the bytes that come."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        """A request is sent: what comes next is the head of its answer."""
        self._at_head = True
        self._more = False  # whether the answer that is read is a large one

    def _took(self, data: bytes, asked: int) -> bytes:
        self._more = self._more or len(data) >= asked
        if self._at_head:
            data = _mended(data.lstrip(b"\r\n"))
            self._at_head = not data
        return data


class Stream(_Answers, httpcore.NetworkStream):
    """A connection that ends with the call that it serves."""

    def __init__(self, below: httpcore.NetworkStream) -> None:
        super().__init__()
        self._below = below

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes; none at the end."""
        while True:
            data = self._below.read(_GULP if self._more else max_bytes, _limit(timeout, httpcore.ReadTimeout))
            if not data or (data := self._took(data, max_bytes)):
                return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, piece by piece."""
        self._begin()
        for start in range(0, len(buffer), _PIECE):
            self._below.write(buffer[start : start + _PIECE], _limit(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Hang up."""
        self._below.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""
        limit = _limit(timeout, httpcore.ConnectTimeout)
        return Stream(self._below.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        """What httpcore or a trace asks of a connection."""
        return self._below.get_extra_info(info)


class AsyncStream(_Answers, httpcore.AsyncNetworkStream):
    """A connection for asyncio and trio."""

    def __init__(self, below: httpcore.AsyncNetworkStream) -> None:
        super().__init__()
        self._below = below
        self._socket = below.get_extra_info("socket")
        self._early = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- as above
        """The next bytes; none at the end."""
        while True:
            data, self._early = self._early, b""
            data = data or await self._below.read(_GULP if self._more else max_bytes, timeout)
            if not data or (data := self._took(data, max_bytes)):
                return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- as above
        """Send, and listen meanwhile: a gateway that refuses a large request hangs up before it has come.

        asyncio reads nothing while it is not asked to, and drops what was not read once sending has failed.
        """
        self._begin()
        if len(buffer) <= _PIECE:
            return await self._below.write(buffer, timeout)
        failed: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._listen)
            for _ in range(2):  # turns of the event loop: to begin to listen, and to hear what came until now
                await anyio.sleep(0)
            try:
                await self._below.write(buffer, timeout)
            except (httpcore.WriteError, httpcore.WriteTimeout, OSError) as error:
                failed = error
            group.cancel_scope.cancel()
        if failed is not None:
            raise failed

    async def _listen(self) -> None:
        with contextlib.suppress(httpcore.ReadError, OSError):  # who reads next meets it again
            while len(self._early) < _EARLY and (data := await self._below.read(_EARLY)):
                self._early += data

    async def aclose(self) -> None:
        """Hang up."""
        await self._below.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 -- as above
    ) -> httpcore.AsyncNetworkStream:
        """The same connection, encrypted."""
        return AsyncStream(await self._below.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """What httpcore or a trace asks of a connection."""
        return _has_ended(self._socket) if info == "is_readable" else self._below.get_extra_info(info)


def _limit(seconds: float | None, too_late: type[httpcore.TimeoutException]) -> float | None:
    """A limit cut to what is left of the call; None is no limit."""
    end = END.get()
    if end is None:
        return seconds
    left = end - time.monotonic()
    if left <= 0:
        raise too_late("the call's total time is up")
    return left if seconds is None else min(seconds, left)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError) as error:
        raise httpcore.ConnectError(error) from error
    return [str(address[0]) for *_, address in found] if len(found) > 1 else [host]


def _has_ended(idle: socket.socket) -> bool:
    """Whether a connection over which nothing should come has something to read: its end."""
    if idle.fileno() < 0:
        return True
    if not hasattr(select, "poll"):  # Windows, whose select() takes any socket; elsewhere it takes the first 1,024
        return bool(select.select([idle], [], [], 0)[0])
    poll = select.poll()
    poll.register(idle, select.POLLIN)
    return bool(poll.poll(0))


def _mended(answer: bytes) -> bytes:
    """The beginning of an answer as h11 reads it: some write ``Server : x``."""
    end = found.start() if (found := _END_OF_HEAD.search(answer)) else len(answer)
    return _BLANK_BEFORE_COLON.sub(rb"\1:", answer[:end]) + answer[end:]

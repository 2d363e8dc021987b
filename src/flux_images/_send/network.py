"""The sockets below the pools of httpcore, with what httpcore's own leave to be desired.

Synchronous ones wait no longer than what is left of the call that they serve: httpcore bounds each read and write
alone, so a peer that drips bytes could hold a call for ever. Asynchronous ones, whose calls can be cancelled, hear an
answer that comes while the request is still being sent, and know their socket: the pool asks each idle connection
before each call whether it is still alive, and anyio looks its socket up in a sixth of the call's time.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import sys
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpcore

from flux_images._send.environment import SPEAKS_TLS

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Generator


class Departure:
    """Whether the bytes of one attempt may have left: what never left cannot have been billed, however it ended.

    Only who connects anew watches. On a connection that was kept, or over what is not ours, anything may have left.
    """

    def __init__(self) -> None:
        self._watched = False
        self._left = False

    def watch(self) -> None:
        """Say that whatever is written from now on will be told."""
        self._watched = True

    def leaves(self, data: bytes) -> None:
        """Tell of bytes before they are written. Those that ask a proxy for a tunnel are none of the request's."""
        self._left = self._left or (bool(data) and not data.startswith(b"CONNECT "))

    @property
    def may_have_left(self) -> bool:
        """Whether any of it may have left."""
        return self._left or not self._watched


END: ContextVar[float | None] = ContextVar("flux_images_end", default=None)
"""When, by the monotonic clock, what is sent and received synchronously must be over."""
DEPARTURE: ContextVar[Departure | None] = ContextVar("flux_images_departure", default=None)
"""That of the attempt that is under way in this context."""
KEEPALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)] + [
    (socket.IPPROTO_TCP, getattr(socket, name), value)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPALIVE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))
    if hasattr(socket, name)
]
"""Options of every socket: nothing is said while a picture is drawn, and what stands on the way forgets in a minute."""
_PIECE = 2**14
"""Bytes that are written under one limit, or without listening."""
_GULP = 2**18
"""Bytes that are read at once of a large answer, four times what httpcore asks for: it costs by the piece.

Not of a small one: making room for them takes longer than reading it.
"""
_EARLY = 2**16
"""Bytes that are kept of an answer that comes before the request is sent."""
_ALERT = b"\x15\x03"
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_BLANK_BEFORE_COLON = re.compile(rb"\n([^\s:]+) +:")
_LENGTH = re.compile(rb"(?i)\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r?(?=\n)")
_CODING = re.compile(rb"(?i)\ntransfer-encoding:")


@contextlib.contextmanager
def ends_in(seconds: float) -> Generator[Departure]:
    """Bound what the block sends and receives over a ``SyncTransport``; asynchronous calls are cancelled instead.

    Yields what tells whether any of it left.
    """
    departure = Departure()
    before, other = END.set(time.monotonic() + seconds), DEPARTURE.set(departure)
    try:
        yield departure
    finally:
        END.reset(before)
        DEPARTURE.reset(other)


def watched() -> None:
    """Watch the attempt that is under way."""
    if departure := DEPARTURE.get():
        departure.watch()


def leaves(data: bytes) -> None:
    """Tell of bytes of the attempt that is under way."""
    if departure := DEPARTURE.get():
        departure.leaves(data)


class Network(httpcore.NetworkBackend):
    """Connects to the first address of a name that answers; each is given what is left of the time."""

    def __init__(self, below: httpcore.NetworkBackend | None = None) -> None:
        self._below = below or httpcore.SyncBackend()

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any) -> Stream:
        watched()

        def connect(address: str) -> Stream:
            limit = _limit(timeout, httpcore.ConnectTimeout)
            return Stream(self._below.connect_tcp(address, port, limit, socket_options=KEEPALIVE))

        # Given a name, the socket module would grant each of its addresses the whole time, one after the other.
        *others, last = _addresses(host, port)
        for address in others:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return connect(address)
        return connect(last)


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the address of a name that answers first."""

    def __init__(self) -> None:
        self._below: Any = httpcore.AnyIOBackend()  # which pyright takes for two classes

    async def connect_tcp(self, *args: Any, **options: Any) -> AsyncStream:
        watched()
        try:
            return AsyncStream(await self._below.connect_tcp(*args, **{**options, "socket_options": KEEPALIVE}))
        except (UnicodeError, OverflowError) as error:  # a name or a port that cannot be
            raise httpcore.ConnectError(error) from error


class Answers:
    """What is made of the bytes that come over a connection, so that a parser can read them."""

    _is_large = False
    _at_head = True
    _left = sys.maxsize  # bytes of the body, as far as the head says
    spoilt = False
    """Whether more came than the answer: what comes next over this connection cannot be believed."""

    def begin(self) -> None:
        """A request is sent; what comes next is the head of its answer."""
        self._is_large = False
        self._at_head = True
        self._left = sys.maxsize

    def took(self, data: bytes) -> bytes:
        """What there is to parse, perhaps nothing. What a head in several pieces says is not looked at."""
        if self._at_head and (data := data.lstrip(b"\r\n")):
            self._at_head = False
            if data.startswith(_ALERT):
                raise httpcore.RemoteProtocolError(SPEAKS_TLS)
            if end := _END_OF_HEAD.search(data):
                head, self._left = _mended(data[: end.end()])
                return head + self._cut(data[end.end() :])
        return self._cut(data)

    def _cut(self, body: bytes) -> bytes:
        self.spoilt = self.spoilt or len(body) > self._left
        body = body[: self._left]
        self._left -= len(body)
        return body


def _mended(head: bytes) -> tuple[bytes, int]:
    """A head without ``Server : x``, a doubled length or one that is overruled; and the length of the body."""
    if b" :" in head:
        head = _BLANK_BEFORE_COLON.sub(rb"\n\1:", head)
    if _CODING.search(head):
        return _LENGTH.sub(b"", head), sys.maxsize
    first, *again = _LENGTH.findall(head) or [b""]
    if again and {*again} == {first}:
        head, again = _LENGTH.sub(b"", head, len(again)), []
    return head, int(first) if first and not again else sys.maxsize


class Stream(Answers, httpcore.NetworkStream):
    """A connection that ends with the call that it serves."""

    def __init__(self, below: httpcore.NetworkStream) -> None:
        self._below = below

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while data := self._below.read(_GULP if self._is_large else max_bytes, _limit(timeout, httpcore.ReadTimeout)):
            self._is_large = self._is_large or len(data) >= max_bytes
            if data := self.took(data):
                break
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        leaves(buffer)
        self.begin()
        for start in range(0, len(buffer), _PIECE):
            self._below.write(buffer[start : start + _PIECE], _limit(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._below.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Stream:
        limit = _limit(timeout, httpcore.ConnectTimeout)
        return Stream(self._below.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        return (self.spoilt and info == "is_readable") or self._below.get_extra_info(info)


class AsyncStream(Answers, httpcore.AsyncNetworkStream):
    """A connection for asyncio and trio."""

    def __init__(self, below: httpcore.AsyncNetworkStream) -> None:
        self._below = below
        self._socket = below.get_extra_info("socket")
        self._hears = _listener(self._socket)
        self._early = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- httpcore's
        early, self._early = self._early, b""
        while data := early or await self._below.read(_GULP if self._is_large else max_bytes, timeout):
            early = b""
            self._is_large = self._is_large or len(data) >= max_bytes
            if data := self.took(data):
                break
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- as above
        leaves(buffer)
        self.begin()
        if len(buffer) <= _PIECE:
            return await self._below.write(buffer, timeout)
        # A gateway that refuses a large request hangs up before it has come. asyncio reads nothing unless it is asked
        # to, and what it did not read is lost once sending has failed.
        failed: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._listen)
            for _ in range(2):  # turns of the event loop: to begin to listen, and to hear what has come by now
                await anyio.lowlevel.checkpoint()
            try:
                await self._below.write(buffer, timeout)
            except (httpcore.WriteError, httpcore.WriteTimeout, OSError) as error:
                failed = error  # a group would raise it in a group
            group.cancel_scope.cancel()
        if failed is not None:
            raise failed

    async def _listen(self) -> None:
        with contextlib.suppress(httpcore.ReadError, OSError):  # whoever reads next meets it again
            while len(self._early) < _EARLY and (data := await self._below.read(_EARLY)):
                self._early += data

    async def aclose(self) -> None:
        await self._below.aclose()

    async def start_tls(self, *args: Any, **options: Any) -> AsyncStream:
        try:
            return AsyncStream(await self._below.start_tls(*args, **options))
        except BaseException:  # cancelled too: httpcore closes it after errors only
            with anyio.CancelScope(shield=True):
                await self._below.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self.spoilt or self._socket.fileno() < 0 or bool(self._hears())
        return self._below.get_extra_info(info)


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


def _listener(idle: socket.socket) -> Callable[[], object]:
    """Asks whether there is something to read, where nothing should come: the end of the connection."""
    if not hasattr(select, "poll"):  # on Windows; elsewhere select() knows only the first 1,024 descriptors
        return lambda: select.select([idle], [], [], 0)[0]
    poll = select.poll()
    poll.register(idle, select.POLLIN)
    return lambda: poll.poll(0)

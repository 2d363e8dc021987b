"""The two transports over httpcore's pools: HTTP/1.1, and no redirects, cookies, credentials or hooks."""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpcore
import httpx

from flux_images._errors import ClientClosedError
from flux_images._send.environment import by_way_of, proxy_for, tls_problem
from flux_images._send.network import AsyncNetwork, Network

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

T = TypeVar("T")

CLOSED = "the client is closed; make a new one"
KEPT = 4.0
"""Seconds that an idle connection is kept: many servers (Node's, uvicorn) hang up after five."""
_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    OSError: httpx.ReadError,  # what httpcore lets through, as when TLS breaks
}
_CAUGHT = tuple(_ERRORS)


class Ways(Generic[T]):
    """The pool on the way to each address: one for what is reached directly, and one for each proxy."""

    def __init__(self, make: Callable[[httpx.Proxy | None], T]) -> None:
        self._make = make
        self._ways: dict[tuple[bytes, bytes, int | None], tuple[T, httpx.Proxy | None]] = {}
        self.pools: dict[object, T] = {}

    def to(self, url: httpx.URL) -> tuple[T, httpx.Proxy | None]:
        origin = url.raw_scheme, url.raw_host, url.port
        way = self._ways.get(origin)
        if way is None:
            proxy = proxy_for(url)
            pool = self.pools.setdefault(proxy and (proxy.url, proxy.auth), self._make(proxy))
            way = self._ways[origin] = pool, proxy
        return way


class SyncTransport(httpx.BaseTransport):
    """Synchronous calls, from any thread; no connection outlives ``ends_in``, or is shared with a forked child.

    Every answer is to be closed. ``ClientClosedError`` is raised where the transport was closed.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.is_closed = False
        self._make = partial(_pool, tls)
        self._process = os.getpid()
        self._ways = Ways(self._make)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and give the answer as soon as its head is there."""
        if self.is_closed:
            raise ClientClosedError(CLOSED)
        if self._process != os.getpid():
            self._part()
        pool, proxy = self._ways.to(request.url)
        try:
            answer = pool.handle_request(_as_httpcore(request))
        except _CAUGHT as error:
            raise _unsent(error, request.url, proxy) from error
        return _as_response(answer)

    def _part(self) -> None:
        """Leave the connections to the parent: the child closes its copies, and takes no lock that may be held."""
        self._process = os.getpid()
        ways, self._ways = self._ways, Ways(self._make)
        for pool in ways.pools.values():
            for connection in pool.connections:
                connection.close()

    def close(self) -> None:
        """Close the connections; calls that are under way end with an error."""
        self.is_closed = True
        for pool in self._ways.pools.values():
            pool.close()


class LoopTransport(httpx.AsyncBaseTransport, Generic[T]):
    """Asynchronous calls over connections that belong to an event loop: made in it, and closed when it ends.

    So one client serves ``asyncio.run`` after ``asyncio.run``, and loops in several threads.
    """

    def __init__(self) -> None:
        self.is_closed = False
        self._held: dict[object, tuple[T, AsyncGenerator[T]]] = {}

    @abstractmethod
    def _open(self) -> T:
        """What holds the connections of one event loop."""

    @abstractmethod
    async def _shut(self, opened: T) -> None:
        """Close them."""

    async def _here(self) -> T:
        if self.is_closed:
            raise ClientClosedError(CLOSED)
        loop = _running()
        held = self._held.get(loop)
        if held is None:
            for other in list(self._held):  # one that ended without its generators can close nothing any more
                if isinstance(other, asyncio.AbstractEventLoop) and other.is_closed():
                    del self._held[other]
            life = self._life(loop)
            held = self._held[loop] = await anext(life), life
        return held[0]

    async def _life(self, loop: object) -> AsyncGenerator[T]:
        """Event loops end the generators that began in them: when they end, or when nobody holds those any more."""
        opened = self._open()
        try:
            yield opened
        finally:
            self._held.pop(loop, None)
            await self._shut(opened)

    async def aclose(self) -> None:
        """Close the connections of this event loop now, and those of others as soon as these run."""
        self.is_closed = True
        held, self._held = self._held, {}
        if here := held.pop(_running(), None):
            await here[1].aclose()


class AsyncTransport(LoopTransport[Ways[httpcore.AsyncConnectionPool]]):
    """Calls on asyncio and trio; otherwise as ``SyncTransport``."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__()
        self._make = partial(_async_pool, tls)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and give the answer as soon as its head is there."""
        pool, proxy = (await self._here()).to(request.url)
        try:
            answer = await pool.handle_async_request(_as_httpcore(request))
        except _CAUGHT as error:
            raise _unsent(error, request.url, proxy) from error
        return _as_response(answer)

    def _open(self) -> Ways[httpcore.AsyncConnectionPool]:
        return Ways(self._make)

    async def _shut(self, opened: Ways[httpcore.AsyncConnectionPool]) -> None:
        for pool in opened.pools.values():
            await pool.aclose()


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except _CAUGHT as error:
            raise _as_httpx(error) from error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                yield chunk
        except _CAUGHT as error:
            raise _as_httpx(error) from error

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _options(tls: ssl.SSLContext, proxy: httpx.Proxy | None) -> dict[str, Any]:
    way = proxy and httpcore.Proxy(
        str(proxy.url), auth=proxy.raw_auth, ssl_context=tls if proxy.url.scheme == "https" else None
    )
    return {"ssl_context": tls, "proxy": way, "max_connections": 100, "keepalive_expiry": KEPT}


def _pool(tls: ssl.SSLContext, proxy: httpx.Proxy | None) -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(network_backend=Network(), **_options(tls, proxy))


def _async_pool(tls: ssl.SSLContext, proxy: httpx.Proxy | None) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(network_backend=AsyncNetwork(), **_options(tls, proxy))


def _running() -> object:
    """The event loop that runs, or what stands for trio's."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        import trio  # it runs, or there is none

        return trio.lowlevel.current_trio_token()


def _as_httpcore(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _as_httpx(error: Exception, words: str | None = None) -> httpx.TransportError:
    return _ERRORS.get(type(error), httpx.ReadError)(words or str(error))


def _unsent(error: Exception, url: httpx.URL, proxy: httpx.Proxy | None) -> httpx.TransportError:
    if not isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout | httpcore.ProxyError):
        return _as_httpx(error)
    return tls_problem(error.__cause__, url.host) or _as_httpx(error, f"{by_way_of(proxy)}{error}")


def _as_response(answer: httpcore.Response) -> httpx.Response:
    return httpx.Response(
        answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
    )

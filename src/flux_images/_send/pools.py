"""The two transports over httpcore's pools: HTTP/1.1, and no redirects, cookies, credentials or hooks."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpcore
import httpx

from flux_images._errors import ClientClosedError
from flux_images._send.environment import by_way_of, proxy_for, tls_problem
from flux_images._send.network import AsyncNetwork, Network

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator

T = TypeVar("T")

CLOSED = "the client is closed; make a new one"
KEPT = 4.0
"""Seconds that an idle connection is kept: many servers (Node's, uvicorn) hang up after five."""
_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    getattr(httpcore, name): getattr(httpx, name)
    for name in (
        *("PoolTimeout", "ConnectTimeout", "WriteTimeout", "ReadTimeout", "ConnectError", "WriteError", "ReadError"),
        *("ProxyError", "UnsupportedProtocol", "LocalProtocolError", "RemoteProtocolError"),
    )
}
_CAUGHT: tuple[type[Exception], ...] = (*_ERRORS, OSError)  # which httpcore lets through where TLS breaks


class Ways(Generic[T]):
    """What goes to each address: one for all that is reached directly, one for each proxy, and others after a fork."""

    def __init__(self, make: Callable[[httpx.Proxy | None], T]) -> None:
        self._make = make
        self._ways: dict[object, tuple[T, httpx.Proxy | None]] = {}
        self._made: dict[tuple[int, object], T] = {}

    def to(self, url: httpx.URL) -> tuple[T, httpx.Proxy | None]:
        """It, and the proxy."""
        origin = os.getpid(), url.raw_scheme, url.raw_host, url.port
        way = self._ways.get(origin)
        if way is None:
            proxy = proxy_for(url)
            made = self._made.setdefault((os.getpid(), proxy and (proxy.url, proxy.auth)), self._make(proxy))
            way = self._ways[origin] = made, proxy
        return way

    def all(self) -> list[T]:
        """Those of this process: a lock of its parent's may be held for ever."""
        return [made for (process, _), made in self._made.items() if process == os.getpid()]


class SyncTransport(httpx.BaseTransport):
    """Synchronous calls, from any thread, which ``ends_in`` bounds. Every answer is to be closed.

    Raises:
        ClientClosedError: nothing was sent.
        httpx.TransportError: how far the call came.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.is_closed = False
        self._pools = Ways(partial(_pool, tls))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and give the answer as soon as its head is there."""
        if self.is_closed:
            raise ClientClosedError(CLOSED)
        pool, proxy = self._pools.to(request.url)
        try:
            return _as_response(pool.handle_request(_as_httpcore(request)))
        except _CAUGHT as error:
            raise _unsent(error, request.url, proxy) from error

    def close(self) -> None:
        """Close the connections; calls that are under way end with an error."""
        self.is_closed = True
        for pool in self._pools.all():
            pool.close()


class LoopTransport(httpx.AsyncBaseTransport, Generic[T]):
    """Asynchronous calls over connections that belong to an event loop: made in it, and closed when it ends.

    So one client serves ``asyncio.run`` after ``asyncio.run``, and loops in several threads.
    """

    def __init__(self, make: Callable[[], T], shut: Callable[[T], Awaitable[object]]) -> None:
        self.is_closed = False
        self._make = make
        self._shut = shut
        self._held: dict[object, tuple[T, AsyncGenerator[T]]] = {}

    async def _here(self) -> T:
        if self.is_closed:
            raise ClientClosedError(CLOSED)
        loop = _running()
        held = self._held.get(loop)
        if held is None:
            for other in list(self._held):  # a loop that was closed without ending its generators ends nothing any more
                if isinstance(other, asyncio.AbstractEventLoop) and other.is_closed():
                    del self._held[other]
            life = self._life(loop)
            held = self._held[loop] = await anext(life), life
        return held[0]

    async def _life(self, loop: object) -> AsyncGenerator[T]:
        """Event loops end the generators that began in them: when they end, or when nobody holds those any more."""
        made = self._make()
        try:
            yield made
        finally:
            self._held.pop(loop, None)
            await self._shut(made)

    async def aclose(self) -> None:
        """Close the connections of this event loop now, and those of others as soon as these run."""
        self.is_closed = True
        held, self._held = self._held, {}
        if here := held.pop(_running(), None):
            await here[1].aclose()


class AsyncTransport(LoopTransport[Ways[httpcore.AsyncConnectionPool]]):
    """Calls on asyncio and trio, as those of ``SyncTransport``; cancelling ends them."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(lambda: Ways(partial(_async_pool, tls)), _close)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and give the answer as soon as its head is there."""
        pool, proxy = (await self._here()).to(request.url)
        try:
            return _as_response(await pool.handle_async_request(_as_httpcore(request)))
        except _CAUGHT as error:
            raise _unsent(error, request.url, proxy) from error


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
    return {
        "ssl_context": tls,
        "proxy": way,
        "max_connections": 100,
        "max_keepalive_connections": 20,
        "keepalive_expiry": KEPT,
    }


def _pool(tls: ssl.SSLContext, proxy: httpx.Proxy | None) -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(network_backend=Network(), **_options(tls, proxy))


def _async_pool(tls: ssl.SSLContext, proxy: httpx.Proxy | None) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(network_backend=AsyncNetwork(), **_options(tls, proxy))


async def _close(pools: Ways[httpcore.AsyncConnectionPool]) -> None:
    for pool in pools.all():
        await pool.aclose()


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
        return tls_problem(error, url.host) or _as_httpx(error)
    behind = next(iter(error.args), None)  # httpcore passes on what it maps, and cuts it off as a cause
    return tls_problem(behind, url.host) or _as_httpx(error, f"{by_way_of(proxy)}{error}")


def _as_response(answer: Any) -> httpx.Response:
    return httpx.Response(
        answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
    )

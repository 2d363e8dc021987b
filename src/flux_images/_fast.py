"""httpx over aiohttp, with the errors of httpx: imported only where it is asked for.

httpx-aiohttp calls a lost answer a connect timeout, which would look like a call that cost nothing, keeps cookies
and at most 100 connections, and knows no proxy of the environment. aiohttp, told to look at the environment, would
take credentials from a netrc file too. All that is put right here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import httpx
from httpx._utils import get_environment_proxies
from httpx_aiohttp import AiohttpTransport

from flux_images._errors import ConfigurationError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ClientHttpProxyError, httpx.ProxyError),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (TimeoutError, httpx.ReadTimeout),
)
"""What surely happened before the request was sent, and timeouts; anything else broke an answer off."""


def fast_client(tls: ssl.SSLContext) -> httpx.AsyncClient:
    """A client that keeps to the proxies of the environment, as those of httpx do.

    Raises:
        ConfigurationError: the environment names a proxy that aiohttp cannot use.
    """
    mounts = {
        pattern: FastTransport(tls, _proxy(url)) if url else None for pattern, url in get_environment_proxies().items()
    }
    return httpx.AsyncClient(transport=FastTransport(tls), mounts=mounts)


def _proxy(url: str) -> httpx.Proxy:
    proxy = httpx.Proxy(url)
    if proxy.url.scheme not in ("http", "https"):
        raise ConfigurationError(f"fast=True: a proxy must be http or https, the environment's is {proxy.url.scheme}")
    return proxy


class FastTransport(AiohttpTransport):
    """For thousands of calls in flight. It has no limit of connections."""

    def __init__(self, tls: ssl.SSLContext, proxy: httpx.Proxy | None = None) -> None:
        super().__init__(verify=tls, proxy=proxy, client=self._session)

    def _session(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self.ssl_context), cookie_jar=aiohttp.DummyCookieJar()
        )
        session._retry_connection = False  # a lost PUT may have been billed as well  # pyright: ignore[reportPrivateUsage]
        return session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and give the answer as soon as its head is there."""
        try:
            response = await super().handle_async_request(request)
        except (httpx.TransportError, aiohttp.ClientError) as error:
            raise _as_httpx(error) from error
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 -- for the type checkers
        response.stream = _Body(response.stream)
        return response


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                yield chunk
        except (httpx.TransportError, aiohttp.ClientError) as error:
            raise _as_httpx(error) from error

    async def aclose(self) -> None:
        await self._stream.aclose()


def _as_httpx(error: httpx.TransportError | aiohttp.ClientError) -> httpx.TransportError:
    """The error of httpx that says how far the call came."""
    cause = error.__cause__ if isinstance(error, httpx.TransportError) and error.__cause__ else error
    kind = next((kind for known, kind in _ERRORS if isinstance(cause, known)), httpx.RemoteProtocolError)
    return kind(f"{type(cause).__name__}: {cause}" if kind is not httpx.RemoteProtocolError else type(cause).__name__)

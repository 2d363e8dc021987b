"""httpx over aiohttp, for thousands of calls in flight: imported only where it is asked for.

The errors are those of httpx. Those of aiohttp are not chained to them: they hold the headers of the request, and so
the key. aiohttp itself is not told to look at the environment, where it would find credentials in a netrc file, and
would look for them in a thread at each call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import httpx
import yarl
from httpx._utils import get_environment_proxies

from flux_images._errors import ConfigurationError
from flux_images._send.pool import AsyncPool

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
        pattern: FastTransport(tls, _checked(proxy)) if proxy else None
        for pattern, proxy in get_environment_proxies().items()
    }
    return AsyncPool(transport=FastTransport(tls), mounts=mounts)


def _checked(proxy: str) -> str:
    scheme = httpx.URL(proxy).scheme
    if scheme not in ("http", "https"):
        raise ConfigurationError(f"fast=True: a proxy must be http or https, the environment's is {scheme}")
    return proxy


class FastTransport(httpx.AsyncBaseTransport):
    """Has no limit of connections, and keeps no cookies."""

    def __init__(self, tls: ssl.SSLContext, proxy: str | None = None) -> None:
        self._tls = tls
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and give the answer as soon as its head is there."""
        limits = request.extensions["timeout"]
        try:
            answer = await self._open_session().request(
                request.method,
                yarl.URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=await request.aread(),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(connect=limits["connect"], sock_read=limits["read"]),
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = _as_httpx(error)
        else:
            return httpx.Response(
                answer.status,
                headers=answer.raw_headers,
                stream=_Body(answer),
                extensions={"http_version": b"HTTP/1.1", "reason_phrase": (answer.reason or "").encode()},
            )
        raise problem

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:  # made with the first call, where the event loop runs
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                proxy=self._proxy,
            )
            # A lost PUT may have been billed as well.
            self._session._retry_connection = False  # pyright: ignore[reportPrivateUsage]  # aiohttp has no argument
        return self._session


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = _as_httpx(error)
        else:
            return
        raise problem

    async def aclose(self) -> None:
        self._answer.close()


def _as_httpx(error: Exception) -> httpx.TransportError:
    """The error of httpx that says how far the call came."""
    kind = next((kind for known, kind in _ERRORS if isinstance(error, known)), httpx.RemoteProtocolError)
    return kind(f"{type(error).__name__}: {error}" if kind is not httpx.RemoteProtocolError else type(error).__name__)

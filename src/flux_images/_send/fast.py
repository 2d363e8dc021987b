"""The transport over aiohttp, for thousands of calls in flight: imported only where it is asked for.

The errors are those of httpx. Those of aiohttp are neither chained to them nor quoted: they hold the headers of the
request, and so the key. aiohttp itself is not told to look at the environment, where it would find credentials in a
netrc file, and would look for them in a thread at each call.
"""

from __future__ import annotations

import asyncio
import base64
import socket
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import httpcore
import httpx
import yarl

from flux_images._errors import ConfigurationError
from flux_images._send.environment import by_way_of, tls_problem
from flux_images._send.network import KEEPALIVE, Answers, leaves, watched
from flux_images._send.pools import KEPT, LoopTransport, Ways

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttp.abc import AbstractStreamWriter

_HEAD = 100 * 2**10
"""Bytes of an answer's head, as on the other transports."""


class FastTransport(LoopTransport[aiohttp.ClientSession]):
    """Has no limit of connections, and keeps no cookies."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(partial(_session, tls), aiohttp.ClientSession.close)
        self._ways = Ways(_credentials)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and give the answer as soon as its head is there."""
        watched()
        session = await self._here()
        limits = request.extensions["timeout"]
        content = await request.aread()
        credentials, proxy = self._ways.to(request.url)
        if not content:
            leaves(b"head")  # nothing of ours sees it go
        headers = request.headers.multi_items()
        if request.url.scheme == "http":  # the request itself goes to the proxy; otherwise a CONNECT before it does
            headers += credentials.items()
        try:
            answer = await session.request(
                request.method,
                yarl.URL(str(request.url), encoded=True),
                headers=headers,
                data=_Payload(content) if content else None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(connect=limits["connect"], sock_read=limits["read"]),
                proxy=str(proxy.url) if proxy else None,
                proxy_headers=credentials,
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = _as_httpx(error, request.url.host, proxy)
        else:
            return httpx.Response(
                answer.status,
                headers=answer.raw_headers,
                stream=_Body(answer),
                extensions={"http_version": b"HTTP/1.1", "reason_phrase": (answer.reason or "").encode()},
            )
        del headers, credentials  # a traceback that shows locals must not show them
        raise problem


class _Payload(aiohttp.Payload):
    """A request's body, sent apart from its head: a proxy may send again what came in one piece."""

    @property
    def size(self) -> int:
        return len(self._value)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value, encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        leaves(self._value)
        writer.send_headers()  # which raises where the connection is gone
        transport = cast("asyncio.Transport", writer.transport)
        transport.set_protocol(_Mending(transport, cast("asyncio.Protocol", transport.get_protocol())))
        await asyncio.sleep(0)  # uvloop joins what is written in one of its turns
        try:
            await writer.write(self._value)
        except asyncio.CancelledError:
            transport.abort()  # closing alone would go on sending
            raise


class _Mending(asyncio.Protocol):
    """Stands before aiohttp's parser, which refuses more than the others do."""

    def __init__(self, transport: asyncio.Transport, parser: asyncio.Protocol) -> None:
        self._transport = transport
        self.parser: asyncio.Protocol = parser.parser if isinstance(parser, _Mending) else parser
        self._answers = Answers()

    def data_received(self, data: bytes) -> None:
        try:
            data = self._answers.took(data)
        except httpcore.RemoteProtocolError as error:
            self.parser.connection_lost(OSError(str(error)))
            self._transport.abort()
            return
        if data:
            self.parser.data_received(data)
        if self._answers.spoilt:
            self._transport.close()

    def eof_received(self) -> bool | None:
        return self.parser.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.parser.connection_lost(exc)

    def pause_writing(self) -> None:
        self.parser.pause_writing()

    def resume_writing(self) -> None:
        self.parser.resume_writing()


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


def _session(tls: ssl.SSLContext) -> aiohttp.ClientSession:
    try:
        connector = aiohttp.TCPConnector(limit=0, ssl=tls, keepalive_timeout=KEPT, socket_factory=_socket)
    except RuntimeError:  # no event loop of asyncio runs
        raise ConfigurationError("fast=True runs on asyncio alone; leave it out on trio") from None
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_line_size=_HEAD,
        max_field_size=_HEAD,
        max_headers=_HEAD,
        middlewares=[_once],
    )


async def _once(
    request: aiohttp.ClientRequest, send: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
) -> aiohttp.ClientResponse:
    """Send once: aiohttp sends a GET or PUT again where a kept connection died, unless the error is none of its own."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        problem = _as_httpx(error)
    raise problem


def _socket(address: Any) -> socket.socket:
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    for option in KEEPALIVE:
        made.setsockopt(*option)
    return made


def _credentials(proxy: httpx.Proxy | None) -> dict[str, str]:
    if proxy is None or proxy.raw_auth is None:
        return {}
    return {"Proxy-Authorization": f"Basic {base64.b64encode(b':'.join(proxy.raw_auth)).decode()}"}


def _as_httpx(error: Exception, host: str = "", proxy: httpx.Proxy | None = None) -> httpx.TransportError:
    """The error of httpx that says how far the call came: what is no failed connection broke an answer off."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return httpx.ProxyError(f"{by_way_of(proxy)}{error.status} {error.message}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return tls_problem(error.__cause__, host) or httpx.ConnectError(f"{by_way_of(proxy)}{error.os_error}")
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return httpx.ConnectTimeout(by_way_of(proxy))
    if problem := tls_problem(error, host):
        return problem
    kind = httpx.ReadTimeout if isinstance(error, TimeoutError) else httpx.RemoteProtocolError
    return kind(type(error).__name__)

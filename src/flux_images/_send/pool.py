"""The httpx clients that own the connections, where the user brings none."""

from __future__ import annotations

import contextlib
import importlib
import os
import ssl
from functools import cache
from threading import Thread
from typing import Any, TypeVar

import httpx

from flux_images._errors import ClientClosedError, ConfigurationError
from flux_images._request.address import is_loopback

T = TypeVar("T")

CLOSED = "the client is closed; make a new one, or fetch the picture before closing it"
NO_AUTH = httpx.Auth()
"""Keeps a client from adding credentials of its own, from its settings or from an address."""


class Pool(httpx.Client):
    """Sends as it is told: no redirects, cookies, credentials or hooks, which takes httpx a sixth of a call's time."""

    def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        """Send, by way of the environment's proxy if there is one for the address. The answer is to be streamed."""
        return self._transport_for_url(request.url).handle_request(request)


class AsyncPool(httpx.AsyncClient):
    """The same for asyncio and trio."""

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        """As above."""
        return await self._transport_for_url(request.url).handle_async_request(request)


class GivenClient(httpx.BaseTransport):
    """A client that the user brought, as a transport: without its credentials and redirects."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send; the answer is to be streamed."""
        if self._client.is_closed:
            raise ClientClosedError(CLOSED)
        return self._client.send(request, stream=True, auth=NO_AUTH, follow_redirects=False)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class AsyncGivenClient(httpx.AsyncBaseTransport):
    """The same for asyncio and trio."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send; the answer is to be streamed."""
        if self._client.is_closed:
            raise ClientClosedError(CLOSED)
        return await self._client.send(request, stream=True, auth=NO_AUTH, follow_redirects=False)

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()


def given_client(client: httpx.Client | None) -> GivenClient | None:
    """The user's client as a transport, if there is one."""
    return GivenClient(_checked(client, httpx.Client)) if client is not None else None


def given_async_client(client: httpx.AsyncClient | None) -> AsyncGivenClient | None:
    """The same for asyncio and trio."""
    return AsyncGivenClient(_checked(client, httpx.AsyncClient)) if client is not None else None


def _checked(client: T, kind: type[T]) -> T:
    """Refuse an async client where a sync one is needed, and the other way round."""
    if not isinstance(client, kind):
        raise ConfigurationError(f"http_client: expected an httpx.{kind.__name__}, got {type(client).__name__}")
    return client


def sync_transport(base_url: httpx.URL) -> httpx.BaseTransport:
    """A pool for the API."""
    _prepare(base_url)
    from flux_images._send.network import bounded  # `import flux_images` stays light without it

    return GivenClient(bounded(Pool(verify=_tls_for(base_url))))


def async_transport(base_url: httpx.URL, *, fast: bool) -> httpx.AsyncBaseTransport:
    """A pool for the API; the fast one runs on aiohttp and keeps thousands of calls in flight.

    Raises:
        ConfigurationError: the extra for the fast one is not installed.
    """
    _prepare(base_url)
    if not fast:
        from flux_images._send.network import quick  # as above

        return AsyncGivenClient(quick(AsyncPool(verify=_tls_for(base_url))))
    try:
        from flux_images._send.fast import fast_client  # slow to import, and an extra
    except ImportError:
        raise ConfigurationError("fast=True needs an extra: pip install 'flux-images[fast]'") from None
    return AsyncGivenClient(fast_client(_tls_for(base_url)))


def sync_downloads() -> httpx.BaseTransport:
    """A pool for pictures, which shares nothing with that of the API."""
    from flux_images._send.network import bounded  # as above

    return GivenClient(bounded(httpx.Client(verify=_trusted())))


def async_downloads() -> httpx.AsyncBaseTransport:
    """The same for asyncio and trio; always httpx's own transport, which tells who it is connected to."""
    return AsyncGivenClient(httpx.AsyncClient(verify=_trusted()))


def _prepare(base_url: httpx.URL) -> None:
    """Import what the first call needs, and meanwhile read the certificates in a thread: each takes 15 ms or more."""
    ahead = Thread(target=_read_quietly, name="flux_images reads certificates")
    if base_url.scheme == "https" and not _read_certificates.cache_info().currsize:
        with contextlib.suppress(RuntimeError):  # no thread can be made, as when Python ends: they are read later
            ahead.start()
    importlib.import_module("flux_images._answer.pictures")
    importlib.import_module("flux_images._send.network")
    if ahead.ident is not None:
        ahead.join()


def _read_quietly() -> None:
    with contextlib.suppress(ConfigurationError):  # whoever needs them meets the same error
        _trusted()


def _tls_for(base_url: httpx.URL) -> ssl.SSLContext:
    return _trusts_nobody() if base_url.scheme == "http" and is_loopback(base_url.host) else _trusted()


def _trusted() -> ssl.SSLContext:
    return _read_certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _read_certificates(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """One context for all clients: reading the certificates takes 30 ms. httpx itself looks at the environment."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ConfigurationError(
            f"the certificates cannot be read; look at SSL_CERT_FILE, SSL_CERT_DIR: {error}"
        ) from error


@cache
def _trusts_nobody() -> ssl.SSLContext:
    """For plain http to this machine: no certificates to read, and TLS to anybody would fail."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

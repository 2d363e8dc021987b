"""What carries requests, where the user brings no client: transports of httpx, called without one in between."""

from __future__ import annotations

import contextlib
import importlib
import time
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

import httpx

from flux_images._errors import ClientClosedError, ConfigurationError
from flux_images._request.address import is_loopback
from flux_images._send.environment import certificates_are_read, check_proxies, proxy_for, tls_for

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from flux_images._send.fast import FastTransport
    from flux_images._send.pools import AsyncTransport, SyncTransport



T = TypeVar("T")

CLOSED = "the client is closed; make a new one, or fetch the picture before closing it"


def sync_transport(base_url: httpx.URL | None = None, meanwhile: Callable[[], object] | None = None) -> SyncTransport:
    """For the API at this address, or for pictures from anywhere.

    ``meanwhile`` imports what the first call needs, while a thread reads the certificates.

    Raises:
        ConfigurationError: a variable of the environment cannot be used.
    """
    _prepare(base_url, meanwhile)
    from flux_images._send.pools import SyncTransport  # `import flux_images` stays light without it

    return SyncTransport(tls_for(base_url))


def async_transport(
    base_url: httpx.URL | None = None, meanwhile: Callable[[], object] | None = None, *, fast: bool = False
) -> AsyncTransport | FastTransport:
    """The same for asyncio and trio; the fast one runs on aiohttp and keeps thousands of calls in flight.

    Pictures don't come by the fast one, which does not tell whom it is connected to.

    Raises:
        ConfigurationError: as above, or the extra for the fast one is not installed.
    """
    _prepare(base_url, meanwhile)
    if not fast:
        from flux_images._send.pools import AsyncTransport  # as above

        return AsyncTransport(tls_for(base_url))
    try:
        from flux_images._send.fast import FastTransport  # slow to import, and an extra
    except ImportError:
        raise ConfigurationError("fast=True needs an extra: pip install 'flux-images[fast]'") from None
    if base_url and (proxy := proxy_for(base_url)) and proxy.url.scheme.startswith("socks"):
        raise ConfigurationError("fast=True: a proxy must be http or https, the environment's is socks")
    return FastTransport(tls_for(base_url))


def _prepare(base_url: httpx.URL | None, meanwhile: Callable[[], object] | None) -> None:
    if base_url and not is_loopback(base_url.host):
        check_proxies()
    ahead = Thread(target=_read_quietly, args=(base_url,), name="flux_images reads certificates")
    if base_url and base_url.scheme == "https" and not certificates_are_read():
        with contextlib.suppress(RuntimeError):  # no thread can be made, as when Python ends: they are read later
            ahead.start()
    importlib.import_module("flux_images._send.pools")
    if meanwhile:
        meanwhile()
    if ahead.ident is not None:
        ahead.join()


def _read_quietly(base_url: httpx.URL | None) -> None:
    with contextlib.suppress(ConfigurationError):  # whoever needs them meets the same error
        tls_for(base_url)


class GivenClient(httpx.BaseTransport):
    """A client that the user brought, as a transport: it follows no redirect, and adds no credentials of its own."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send, for an answer that is read piece by piece and closed."""
        if self._client.is_closed:
            raise ClientClosedError(CLOSED)
        return self._client.send(request, stream=True, auth=httpx.Auth(), follow_redirects=False)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class AsyncGivenClient(httpx.AsyncBaseTransport):
    """The same for asyncio and trio."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, for an answer that is read piece by piece and closed."""
        if self._client.is_closed:
            raise ClientClosedError(CLOSED)
        return await self._client.send(request, stream=True, auth=httpx.Auth(), follow_redirects=False)

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()


def given_client(client: httpx.Client | None) -> GivenClient | None:
    """The user's client as a transport, if there is one."""
    return None if client is None else GivenClient(_of_kind(client, httpx.Client))


def given_async_client(client: httpx.AsyncClient | None) -> AsyncGivenClient | None:
    """The same for asyncio and trio."""
    return None if client is None else AsyncGivenClient(_of_kind(client, httpx.AsyncClient))


def _of_kind(client: T, kind: type[T]) -> T:
    """Refuse an async client where a sync one is needed, and the other way round."""
    if not isinstance(client, kind):
        raise ConfigurationError(f"http_client: expected an httpx.{kind.__name__}, got {type(client).__name__}")
    return client


@contextlib.contextmanager
def ends_in(seconds: float) -> Generator[None]:
    """Bound what the block sends and receives over a ``SyncTransport``; asynchronous calls are cancelled instead."""
    from flux_images._send.network import END  # as above

    before = END.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        END.reset(before)

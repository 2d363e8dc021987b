"""The httpx clients that own the connections, where the user brings none."""

from __future__ import annotations

import os
import ssl
from functools import cache

import httpx

from flux_images._address import is_loopback
from flux_images._errors import ConfigurationError

NO_AUTH = httpx.Auth()
"""Keeps a client from adding credentials of its own, from its settings or from an address."""


def sync_client(base_url: httpx.URL) -> httpx.Client:
    """A pool for the API."""
    from flux_images._network import bounded  # `import flux_images` stays light without it

    return bounded(httpx.Client(verify=_tls_for(base_url)))


def async_client(base_url: httpx.URL, *, fast: bool) -> httpx.AsyncClient:
    """A pool for the API; the fast one runs on aiohttp and keeps thousands of calls in flight.

    Raises:
        ConfigurationError: the extra for the fast one is not installed.
    """
    if not fast:
        return httpx.AsyncClient(verify=_tls_for(base_url))
    try:
        from flux_images._fast import fast_client  # slow to import, and an extra
    except ImportError:
        raise ConfigurationError("fast=True needs an extra: pip install 'flux-images[fast]'") from None
    return fast_client(_tls_for(base_url))


def sync_downloads() -> httpx.Client:
    """A pool for pictures, which shares nothing with that of the API."""
    from flux_images._network import bounded  # as above

    return bounded(httpx.Client(verify=_trusted()))


def async_downloads() -> httpx.AsyncClient:
    """The same for asyncio and trio; always httpx's own transport, which tells who it is connected to."""
    return httpx.AsyncClient(verify=_trusted())


def _tls_for(base_url: httpx.URL) -> ssl.SSLContext:
    return _trusts_nobody() if base_url.scheme == "http" and is_loopback(base_url.host) else _trusted()


def _trusted() -> ssl.SSLContext:
    return _read_certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _read_certificates(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """One context for all clients: reading the certificates takes 30 ms. httpx itself looks at the environment."""
    return httpx.create_ssl_context()


@cache
def _trusts_nobody() -> ssl.SSLContext:
    """For plain http to this machine: no certificates to read, and TLS to anybody would fail."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

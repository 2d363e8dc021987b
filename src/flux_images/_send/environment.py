"""What the environment says of the way out: the proxies to go through, and the certificates to trust."""

from __future__ import annotations

import importlib.util
import os
import ssl
import urllib.request
from functools import cache

import httpx

from flux_images._errors import ConfigurationError
from flux_images._request.address import is_loopback

_EXAMPLE = "give one such as http://proxy.example:3128"


class TLSError(httpx.ConnectError):
    """No trusted connection: nothing was sent, and trying again does not help."""


def proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """The proxy on the way to an address: ``HTTP_PROXY`` or ``HTTPS_PROXY``, else ``ALL_PROXY``, in either case.

    ``NO_PROXY`` lists hosts to go to directly, as the standard library reads it: names, which stand for all names
    below them too, and single addresses, each with or without a port, or ``*``. This machine is always gone to directly.

    Raises:
        ConfigurationError: names the variable that cannot be used, and never what it holds.
    """
    if is_loopback(url.host):
        return None
    found = urllib.request.getproxies()
    kind = url.scheme if found.get(url.scheme) else "all"
    excepted = any(urllib.request.proxy_bypass(host) for host in (url.host, f"{url.host}:{_port(url)}"))
    return None if excepted or not found.get(kind) else _checked(kind, found[kind])


def check_proxies() -> None:
    """Refuse all that ``proxy_for`` would: when a client is made, not when a picture was paid for."""
    for kind, proxy in urllib.request.getproxies().items():
        if kind in ("http", "https", "all") and proxy:
            _checked(kind, proxy)


def _checked(kind: str, text: str) -> httpx.Proxy:
    variable = f"{kind.upper()}_PROXY"
    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
    except httpx.InvalidURL:  # its words may be a part of the password
        raise ConfigurationError(f"{variable}: not the address of a proxy; {_EXAMPLE}") from None
    if url.scheme not in ("http", "https", "socks5", "socks5h"):
        raise ConfigurationError(f"{variable}: a proxy must be http, https, socks5 or socks5h; {_EXAMPLE}")
    if not url.host or not 0 < _port(url) < 2**16:
        raise ConfigurationError(f"{variable}: no host, or no port that can be; {_EXAMPLE}")
    if url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise ConfigurationError(f"{variable}: a socks proxy needs an extra: pip install 'httpx[socks]'")
    return httpx.Proxy(url)


def by_way_of(proxy: httpx.Proxy | None) -> str:
    """How the words about a failed connection begin."""
    return f"by way of the proxy {proxy.url.host}: " if proxy else ""


def _port(url: httpx.URL) -> int:
    return {"http": 80, "https": 443}.get(url.scheme, 1080) if url.port is None else url.port


def tls_for(base_url: httpx.URL | None) -> ssl.SSLContext:
    """Whom to trust: one context for all clients, since reading the certificates takes 30 ms.

    Raises:
        ConfigurationError: they cannot be read.
    """
    if base_url and base_url.scheme == "http" and is_loopback(base_url.host):
        return _trusts_nobody()
    return _read_certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


def certificates_are_read() -> bool:
    """Whether ``tls_for`` takes no time."""
    return _read_certificates.cache_info().currsize > 0


@cache
def _read_certificates(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()  # it looks at the environment itself
    except OSError as error:
        raise ConfigurationError(
            f"the certificates cannot be read; look at SSL_CERT_FILE, SSL_CERT_DIR: {error}"
        ) from error


@cache
def _trusts_nobody() -> ssl.SSLContext:
    """For plain http to this machine: no certificates to read, and TLS to anybody would fail."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def tls_problem(error: BaseException | None, host: str) -> TLSError | None:
    """What a failed handshake means, if it says that the next one will fail as well."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TLSError(
            f"the certificate of {host} does not verify: {error.verify_message}; if an authority of your own signed it, "
            "name the file of that authority's certificate in SSL_CERT_FILE"
        )
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return TLSError(f"{host} does not speak TLS at this port; is it plain http?")
    return None

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

SPEAKS_TLS = "the answer is an alert of TLS"
"""What the streams say of an answer to plain http that begins so."""
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class TLSError(httpx.ConnectError):
    """No connection that can be trusted: nothing was sent, and trying again does not help."""


def proxies() -> dict[str, httpx.Proxy]:
    """What HTTP_PROXY, HTTPS_PROXY and ALL_PROXY hold, in either case; else what Windows or macOS is set to.

    Raises:
        ConfigurationError: names the variable that cannot be used, and nothing of what it holds.
    """
    found = urllib.request.getproxies()
    return {kind: _checked(kind, found[kind]) for kind in ("http", "https", "all") if found.get(kind)}


def _checked(kind: str, text: str) -> httpx.Proxy:
    problem = "not the address of a proxy, such as http://proxy.example:3128"
    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
    except httpx.InvalidURL:  # its words may be a part of the password
        url = httpx.URL()
    if url.scheme in _PORTS and url.host and 0 < _port(url) < 2**16:
        if url.scheme in ("http", "https") or importlib.util.find_spec("socksio"):
            return httpx.Proxy(url)
        problem = "a socks proxy needs an extra: pip install 'httpx[socks]'"
    raise ConfigurationError(f"{kind.upper()}_PROXY: {problem}")


def _port(url: httpx.URL) -> int:
    return _PORTS[url.scheme] if url.port is None else url.port


def proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """The proxy on the way to an address. This machine is always reached directly, and so is what NO_PROXY lists.

    The standard library reads it: host names, which stand for those below them too, and addresses, each with or
    without a port; or ``*``. It knows no ranges of addresses.
    """
    if is_loopback(url.host) or any(urllib.request.proxy_bypass(it) for it in (url.host, f"{url.host}:{_port(url)}")):
        return None
    known = proxies()
    return known.get(url.scheme) or known.get("all")


def by_way_of(proxy: httpx.Proxy | None) -> str:
    """How the words about a failed connection begin."""
    return f"by way of the proxy {proxy.url.host}: " if proxy else ""


def tls_for(base_url: httpx.URL | None) -> ssl.SSLContext:
    """Whom to trust at an address, or anywhere."""
    if base_url and base_url.scheme == "http" and is_loopback(base_url.host):
        return _trusts_nobody()
    return read_certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def read_certificates(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """One context for all clients: reading the certificates takes 30 ms. httpx itself looks at the environment.

    Raises:
        ConfigurationError: they cannot be read.
    """
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


def tls_problem(error: object, host: str) -> TLSError | None:
    """What a failed handshake means, if it says that the next one will fail as well."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TLSError(
            f"the certificate of {host} does not verify: {error.verify_message}; "
            "if an authority of your own signed it, name the file of its certificate in SSL_CERT_FILE"
        )
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return TLSError(f"{host} does not speak TLS at this port; is it plain http?")
    if SPEAKS_TLS in str(error):
        return TLSError(f"{host} speaks https at this port, and base_url says http")
    return None

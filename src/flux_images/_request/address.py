"""Where the gateway is, and which hosts count as local."""

from __future__ import annotations

import ipaddress
import os
import re

import httpx

from flux_images._errors import ConfigurationError
from flux_images._text import bare_addresses

ENV = "FLUX_BASE_URL"
_API_PATH = r"/v1(/images(/generations)?)?$"
"""What addresses that vendors print end with, and the client adds by itself."""


def find_base_url(given: str | None, *, allow_insecure: bool) -> httpx.URL:
    """Take the address from the argument, the environment or the contract, without ``/v1`` and what follows it there.

    Raises:
        ConfigurationError: it is not an http(s) address, or would send the key unencrypted.
    """
    source = "base_url" if given is not None else ENV
    text = given if given is not None else os.environ.get(ENV)
    if text is None:
        text = _server()
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # whatever a caller passes
        raise ConfigurationError(f"{source}: expected an address as text, got {type(text).__name__}")
    if not (text := text.strip()):
        raise ConfigurationError(f"{source} is empty: give the gateway's address, or leave it unset for {_server()}")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"{source}: not an address: {bare_addresses(str(error))}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(f"{source}: give an address such as https://gateway.example, with its scheme and host")
    if url.userinfo:
        raise ConfigurationError(f"{source}: leave user name and password out of the address")
    if url.query or url.fragment:
        raise ConfigurationError(f"{source}: the address must end with its path, without ? or #")
    if url.scheme == "http" and not (allow_insecure or is_loopback(url.host)):
        raise ConfigurationError(
            f"{source}: http:// would send the key unencrypted to {url.host}; use https://, or pass allow_insecure=True"
        )
    return url.copy_with(path=re.sub(_API_PATH, "", url.path.rstrip("/")))


def _server() -> str:
    from flux_images_api.contract import SERVER  # not needed where an address is given

    return SERVER


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    address = _address(host)
    return address.is_loopback if address else host == "localhost" or host.endswith(".localhost")


def is_private(host: str) -> bool:
    """Whether a host name or address belongs to this machine or a network that the internet cannot reach."""
    address = _address(host)
    return not address.is_global if address else is_loopback(host)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

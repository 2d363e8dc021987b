# Generated from openapi.yaml. Do not edit: make sdk
"""What the endpoint functions send with: settings, and the httpx clients that are made of them at their first use."""

from __future__ import annotations

import ssl
from typing import Any, Self

import httpx
from attrs import define, evolve, field

from .errors import ResponseError


@define
class Client:
    """Settings, and the httpx clients that are made of them at their first use.

    What may hold a secret is left out of `repr`.

    Args:
        base_url: The address that the paths of the operations follow.
        raise_on_unexpected_status: Whether a status that the contract does not declare is an error.
        cookies, headers: Sent with every request.
        timeout: 300 s by default, well past the 100 to 120 s at which gateways cut; None waits for ever.
        verify_ssl, follow_redirects: As `verify` and `follow_redirects` of httpx.
        httpx_args: More arguments for `httpx.Client` and `httpx.AsyncClient`.
    """

    _base_url: str = field(alias="base_url")
    raise_on_unexpected_status: bool = field(default=True, kw_only=True)
    _cookies: dict[str, str] = field(factory=dict[str, str], kw_only=True, alias="cookies", repr=False)
    _headers: dict[str, str] = field(factory=dict[str, str], kw_only=True, alias="headers", repr=False)
    _timeout: httpx.Timeout | None = field(
        default=httpx.Timeout(300.0, connect=10.0, write=30.0, pool=30.0), kw_only=True, alias="timeout"
    )
    _verify_ssl: str | bool | ssl.SSLContext = field(default=True, kw_only=True, alias="verify_ssl")
    _follow_redirects: bool = field(default=False, kw_only=True, alias="follow_redirects")
    _httpx_args: dict[str, Any] = field(factory=dict[str, Any], kw_only=True, alias="httpx_args", repr=False)
    _client: httpx.Client | None = field(default=None, init=False)
    _async_client: httpx.AsyncClient | None = field(default=None, init=False)

    def error(self, error: ResponseError) -> Exception:
        """What the endpoint functions raise for an answer that is not the declared success."""
        return error

    def with_headers(self, headers: dict[str, str]) -> Self:
        """A copy with more headers."""
        return evolve(self, headers={**self._headers, **headers})

    def with_cookies(self, cookies: dict[str, str]) -> Self:
        """A copy with more cookies."""
        return evolve(self, cookies={**self._cookies, **cookies})

    def with_timeout(self, timeout: httpx.Timeout) -> Self:
        """A copy with another timeout."""
        return evolve(self, timeout=timeout)

    def set_httpx_client(self, client: httpx.Client) -> Self:
        """Send with this client, whose own settings count."""
        self._client = client
        return self

    def get_httpx_client(self) -> httpx.Client:
        """The client that the synchronous functions send with."""
        if self._client is None:
            self._client = httpx.Client(**self._settings(), **self._httpx_args)
        return self._client

    def set_async_httpx_client(self, async_client: httpx.AsyncClient) -> Self:
        """Send with this client, whose own settings count."""
        self._async_client = async_client
        return self

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """The client that the asynchronous functions send with."""
        if self._async_client is None:
            self._async_client = httpx.AsyncClient(**self._settings(), **self._httpx_args)
        return self._async_client

    def _settings(self) -> dict[str, Any]:
        return {
            "base_url": self._base_url,
            "cookies": self._cookies,
            "headers": self._headers,
            "timeout": self._timeout,
            "verify": self._verify_ssl,
            "follow_redirects": self._follow_redirects,
        }

    def __enter__(self) -> Self:
        self.get_httpx_client().__enter__()
        return self

    def __exit__(self, *args: Any) -> None:
        self.get_httpx_client().__exit__(*args)

    async def __aenter__(self) -> Self:
        await self.get_async_httpx_client().__aenter__()
        return self

    async def __aexit__(self, *args: Any) -> None:
        await self.get_async_httpx_client().__aexit__(*args)


@define
class AuthenticatedClient(Client):
    """A client with a token, which goes into a header of every request and stands in no `repr`.

    Args:
        token: The token.
        prefix: What stands before it; empty for nothing.
        auth_header_name: The header's name.
    """

    token: str = field(repr=False)
    prefix: str = "Bearer"
    auth_header_name: str = "Authorization"

    def _settings(self) -> dict[str, Any]:
        authorization = f"{self.prefix} {self.token}" if self.prefix else self.token
        return {**super()._settings(), "headers": {**self._headers, self.auth_header_name: authorization}}

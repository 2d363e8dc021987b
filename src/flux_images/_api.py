"""What ``FluxImages.api`` is: the generated client, sending through ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_images._answer.classify import unreadable
from flux_images._errors import ConfigurationError
from flux_images._send.call import is_billed_operation
from flux_images._send.loop import ApiClient, AsyncApiClient
from flux_images_api import AuthenticatedClient

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flux_images._request.key import Key
    from flux_images_api.errors import ResponseError


class Api(AuthenticatedClient):
    """Every function of ``flux_images_api.api`` takes it as its ``client``.

    Its calls are retried, limited, redacted and typed as those of ``generate``; it holds no key.
    """

    def __init__(self, http: ApiClient | AsyncApiClient, key: Key, with_options: Callable[..., Api]) -> None:
        super().__init__(base_url=str(http.base_url), token="")
        self._http = http
        self._key = key
        self._with_options = with_options

    def get_httpx_client(self) -> httpx.Client:
        """The client that the synchronous functions send with."""
        if not isinstance(self._http, ApiClient):
            raise ConfigurationError("this is AsyncFluxImages: await the asyncio function, or use FluxImages")
        return self._http

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """The client that the asynchronous functions send with."""
        if not isinstance(self._http, AsyncApiClient):
            raise ConfigurationError("this is FluxImages: call the sync function, or use AsyncFluxImages")
        return self._http

    def with_headers(self, headers: dict[str, str]) -> Api:
        """The same with more headers, as ``with_options`` of the client that it came from."""
        return self._with_options(headers=headers)

    def with_cookies(self, cookies: dict[str, str]) -> Api:
        """The same with cookies, sent as a header."""
        return self._with_options(headers={"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())})

    def with_timeout(self, timeout: httpx.Timeout) -> Api:
        """The same with other timeouts, as ``with_options`` of the client that it came from."""
        return self._with_options(timeout=timeout)

    def error(self, error: ResponseError) -> Exception:
        """What is raised for a success that the generated parser cannot read; ``_send`` raised all other errors."""
        return unreadable(
            error.status_code,
            error.headers,
            error.content,
            self._key,
            error.message,
            billed=is_billed_operation(error.operation),
        )

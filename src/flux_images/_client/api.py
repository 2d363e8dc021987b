"""What ``FluxImages.api`` is: the generated client, sending through ours.

``send`` of an httpx client is overridden once each; what comes back was judged: an answer that is not a success is
raised as a typed error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from flux_images._answer.classify import unreadable
from flux_images._answer.receive import whole_answer
from flux_images._errors import ConfigurationError
from flux_images._send.billing import is_billed_operation
from flux_images._send.loop import Sender
from flux_images_api import AuthenticatedClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_images._request.options import Options
    from flux_images._send.loop import AsyncSender
    from flux_images_api.errors import ResponseError


class _Client(httpx.Client):
    def __init__(self, sender: Sender, options: Options) -> None:
        super().__init__(
            base_url=options.base_url,
            headers=options.headers,
            timeout=options.limits.stages,
            transport=httpx.BaseTransport(),
            trust_env=False,
        )
        self._sender = sender

    def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        return self._sender.call(request, whole_answer)


class _AsyncClient(httpx.AsyncClient):
    def __init__(self, sender: AsyncSender, options: Options) -> None:
        super().__init__(
            base_url=options.base_url,
            headers=options.headers,
            timeout=options.limits.stages,
            transport=httpx.AsyncBaseTransport(),
            trust_env=False,
        )
        self._sender = sender

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        return await self._sender.call(request, whole_answer)


class Api(AuthenticatedClient):
    """Every function of ``flux_images_api.api`` takes it as its ``client``.

    Its calls are retried, limited, redacted and typed as those of ``generate``; it holds no key.
    """

    def __init__(self, sender: Sender | AsyncSender, options: Options, with_options: Callable[..., Api]) -> None:
        super().__init__(base_url=str(options.base_url), token="")
        self._http = _Client(sender, options) if isinstance(sender, Sender) else _AsyncClient(sender, options)
        self._key = options.key
        self._with_options = with_options

    def get_httpx_client(self) -> httpx.Client:
        """The client that the synchronous functions send with."""
        if not isinstance(self._http, httpx.Client):
            raise ConfigurationError("this is AsyncFluxImages: await the asyncio function, or use FluxImages")
        return self._http

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """The client that the asynchronous functions send with."""
        if not isinstance(self._http, httpx.AsyncClient):
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
        """What is raised for a success that the generated parser cannot read; all other errors were raised before."""
        return unreadable(
            error.status_code,
            error.headers,
            error.content,
            self._key,
            error.message,
            billed=is_billed_operation(error.operation),
        )

"""The clients that people use: ``FluxImages`` and ``AsyncFluxImages``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpx

from flux_images._picture.download import Rules
from flux_images._picture.fetch import AsyncDownloads, Downloads
from flux_images._request.key import find_key
from flux_images._request.options import configure
from flux_images._send.loop import AsyncSender, Sender
from flux_images._send.transport import async_transport, given_async_client, given_client, sync_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from flux_images._api import Api
    from flux_images._picture.generation import AsyncGeneration, Generation
    from flux_images._request.options import Limits, Options, Retry
    from flux_images_api.models import CreateImageRequestOutputFormat, CreateImageRequestResponseFormat, KnownModel

DEFAULT_MODEL = "flux-pro-1.1-ultra"


def _first_answer() -> None:
    """Import what the first call needs, and `import flux_images` does not."""
    import flux_images._answer.pictures
    import flux_images._request.build  # noqa: F401 -- see above


class _BaseClient:
    """What the two clients share: everything but the awaiting."""

    _options: Options

    def __repr__(self) -> str:
        # A traceback may show a client whose construction failed.
        where = str(self._options.base_url) if hasattr(self, "_options") else None
        return f"{type(self).__name__}(base_url={where!r})"

    def __reduce__(self) -> Any:
        raise TypeError("a client cannot be pickled: it holds connections and a key; make one where it is used")

    @property
    def api(self) -> Api:
        """The generated client: pass it as ``client`` to any function of ``flux_images_api.api``."""
        raise NotImplementedError

    def _api(self, sender: Sender | AsyncSender) -> Api:
        from flux_images._api import Api  # `import flux_images` stays light without it

        def changed(**options: Any) -> Api:
            return self.with_options(**options).api

        return Api(sender, self._options, changed)

    def with_options(
        self,
        *,
        timeout: float | httpx.Timeout | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """A client with other options on the same connections; closing either closes both."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._options = self._options.changed(timeout, max_retries, headers)
        other._wire()
        return other

    def _wire(self) -> None:
        """Take the options into use."""
        raise NotImplementedError

    def _request(
        self,
        fields: Mapping[str, Any],
        extra_body: Mapping[str, Any] | None,
        timeout: float | httpx.Timeout | None,
        extra_headers: Mapping[str, str] | None,
    ) -> tuple[httpx.Request, Limits]:
        from flux_images._request.build import build_request  # as above

        limits = self._options.limits.changed(timeout)
        return build_request(self._options, fields, extra_body, extra_headers), limits


class FluxImages(_BaseClient):
    """A client for paid pictures. It may be shared between threads.

    Args:
        api_key: the gateway's key; FLUX_API_KEY if not given.
        base_url: the gateway's address, with or without ``/v1``; FLUX_BASE_URL, else the contract's server.
        timeout: seconds that one call may take in all, retries included (600), or an ``httpx.Timeout`` for the
            stages of an attempt (connect 10, write 30, read 300 seconds).
        max_retries: how often a failed call is tried again (2). Only what surely cost nothing is.
        http_client: an ``httpx.Client`` to send with, for a proxy or a transport of your own. Its headers,
            cookies and credentials are not used.
        retry_possibly_billed: also try again what may have been billed. This can pay twice.
        on_retry: called with a ``Retry`` (error, attempt, wait) before each wait.
        allow_insecure: allow plain http to another machine; the key then travels unencrypted.
        allow_local_images: allow a public gateway to give addresses of this machine or its network.

    Raises:
        ConfigurationError: the key, the address or an option cannot be used.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = None,
        max_retries: int | None = None,
        http_client: httpx.Client | None = None,
        retry_possibly_billed: bool = False,
        on_retry: Callable[[Retry], object] | None = None,
        allow_insecure: bool = False,
        allow_local_images: bool = False,
    ) -> None:
        try:
            key = find_key(api_key)
        finally:
            del api_key  # a traceback that shows locals must not show it
        self._options = configure(
            key,
            base_url,
            timeout,
            max_retries,
            retry_possibly_billed=retry_possibly_billed,
            on_retry=on_retry,
            allow_insecure=allow_insecure,
            allow_local_images=allow_local_images,
        )
        given = given_client(http_client)
        self._transport = given or sync_transport(self._options.base_url, _first_answer)
        self._downloads = Downloads(Rules(self._options.limits, self._options.allow_local_images), given)
        self._wire()

    def _wire(self) -> None:
        self._sender = Sender(self._transport, self._options)

    def generate(
        self,
        prompt: str,
        *,
        model: KnownModel | str = DEFAULT_MODEL,
        aspect_ratio: str | None = None,
        n: int | None = None,
        response_format: CreateImageRequestResponseFormat | None = None,
        seed: int | None = None,
        output_format: CreateImageRequestOutputFormat | None = None,
        raw: bool | None = None,
        safety_tolerance: int | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: float | httpx.Timeout | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Generation:
        """Buy pictures, and wait for them: about 10 seconds each.

        Args:
            prompt: what the picture shows, in any language.
            model: the model's name; names that are not known here are passed on.
            aspect_ratio: width to height, as ``"16:9"``, between 21:9 and 9:21. The model decides without one.
            n: how many pictures, 1 to 10; each is billed.
            response_format: ``"url"`` for addresses, ``"b64_json"`` for pictures inside the answer.
            seed: the same seed with the same request draws the same picture.
            output_format: the file format, ``"jpeg"`` or ``"png"``.
            raw: a less processed, more natural look.
            safety_tolerance: from 0, the strictest moderation, to 6.
            extra_body: fields that the contract does not know, sent as they are.
            timeout: as for the client, for this call.
            extra_headers: headers for this call.

        Raises:
            InvalidRequestError: the contract refuses the request; nothing was sent.
            APIConnectionError: no answer arrived.
            APIStatusError: the gateway answered with an error.
            UnexpectedResponseError: the answer is not what the contract says.
            EmptyGenerationError: the gateway answered without a picture.
        """
        from flux_images._answer.pictures import generation_answer  # as above

        request, limits = self._request(
            {
                "model": model,
                "prompt": prompt,
                "aspect_ratio": aspect_ratio,
                "n": n,
                "response_format": response_format,
                "seed": seed,
                "output_format": output_format,
                "raw": raw,
                "safety_tolerance": safety_tolerance,
            },
            extra_body,
            timeout,
            extra_headers,
        )
        return self._sender.call(request, generation_answer(self._downloads, asked=n or 1), limits)

    @property
    def api(self) -> Api:
        """The generated client: pass it as ``client`` to any function of ``flux_images_api.api``."""
        return self._api(self._sender)

    def close(self) -> None:
        """Close the connections, those of an ``http_client`` that was given too."""
        self._transport.close()
        self._downloads.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncFluxImages(_BaseClient):
    """The same client for asyncio and trio: the arguments of ``FluxImages``, and the methods are awaited.

    Args:
        http_client: an ``httpx.AsyncClient`` to send with.
        fast: keep thousands of calls in flight, on aiohttp (asyncio only; needs the extra ``fast``).

    Raises:
        ConfigurationError: the key, the address or an option cannot be used.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = None,
        max_retries: int | None = None,
        http_client: httpx.AsyncClient | None = None,
        fast: bool = False,
        retry_possibly_billed: bool = False,
        on_retry: Callable[[Retry], object] | None = None,
        allow_insecure: bool = False,
        allow_local_images: bool = False,
    ) -> None:
        try:
            key = find_key(api_key)
        finally:
            del api_key  # a traceback that shows locals must not show it
        self._options = configure(
            key,
            base_url,
            timeout,
            max_retries,
            retry_possibly_billed=retry_possibly_billed,
            on_retry=on_retry,
            allow_insecure=allow_insecure,
            allow_local_images=allow_local_images,
        )
        given = given_async_client(http_client)
        self._transport = given or async_transport(self._options.base_url, _first_answer, fast=fast)
        self._downloads = AsyncDownloads(Rules(self._options.limits, self._options.allow_local_images), given)
        self._wire()

    def _wire(self) -> None:
        self._sender = AsyncSender(self._transport, self._options)

    async def generate(
        self,
        prompt: str,
        *,
        model: KnownModel | str = DEFAULT_MODEL,
        aspect_ratio: str | None = None,
        n: int | None = None,
        response_format: CreateImageRequestResponseFormat | None = None,
        seed: int | None = None,
        output_format: CreateImageRequestOutputFormat | None = None,
        raw: bool | None = None,
        safety_tolerance: int | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: float | httpx.Timeout | None = None,  # noqa: ASYNC109 -- it bounds retries and stages too
        extra_headers: Mapping[str, str] | None = None,
    ) -> AsyncGeneration:
        """Buy pictures, and wait for them; as ``FluxImages.generate``. Cancelling ends the request at once."""
        from flux_images._answer.pictures import async_generation_answer  # as above

        request, limits = self._request(
            {
                "model": model,
                "prompt": prompt,
                "aspect_ratio": aspect_ratio,
                "n": n,
                "response_format": response_format,
                "seed": seed,
                "output_format": output_format,
                "raw": raw,
                "safety_tolerance": safety_tolerance,
            },
            extra_body,
            timeout,
            extra_headers,
        )
        return await self._sender.call(request, async_generation_answer(self._downloads, asked=n or 1), limits)

    @property
    def api(self) -> Api:
        """The generated client: pass it as ``client`` to any function of ``flux_images_api.api``."""
        return self._api(self._sender)

    async def close(self) -> None:
        """Close the connections, those of an ``http_client`` that was given too."""
        await self._transport.aclose()
        await self._downloads.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

"""``AsyncFluxImages``, whose methods are awaited, on asyncio and trio."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Self, Unpack

import httpx

from flux_images._answer.waiting import Waiting, async_wait_for, check_task_path
from flux_images._client.shared import DEFAULT_MODEL, BaseClient, first_answer
from flux_images._errors import PendingGenerationError
from flux_images._picture.download import Rules
from flux_images._picture.fetch import AsyncDownloads
from flux_images._picture.generation import Asked
from flux_images._request.key import find_key
from flux_images._request.options import configure
from flux_images._send.loop import AsyncSender
from flux_images._send.transport import async_transport, given_async_client

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from flux_images._batch.job import AsyncBatch
    from flux_images._batch.options import BatchOptions
    from flux_images._batch.run.progress import Progress
    from flux_images._client.api import Api
    from flux_images._picture.awaited import AsyncImage
    from flux_images._picture.generation import AsyncGeneration
    from flux_images._request.options import Limits, Retry
    from flux_images._send.loop import Call, Receiver
    from flux_images_api.models import CreateImageRequestOutputFormat, CreateImageRequestResponseFormat, KnownModel


class AsyncFluxImages(BaseClient):
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
        task_path: str | None = None,
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
        self._transport = given or async_transport(self._options.base_url, first_answer, fast=fast)
        self._task_path = check_task_path(task_path)
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
        from flux_images._request.build import build_request  # `import flux_images` stays light without it

        fields = {
            "model": model,
            "prompt": prompt,
            "aspect_ratio": aspect_ratio,
            "n": n,
            "response_format": response_format,
            "seed": seed,
            "output_format": output_format,
            "raw": raw,
            "safety_tolerance": safety_tolerance,
        }
        request = build_request(self._options, fields, extra_body, extra_headers)
        limits = self._options.limits if timeout is None else self._options.limits.changed(timeout)
        asked = Asked(n or 1, aspect_ratio)
        began = time.monotonic()
        try:
            return await self._sender.call(request, self._receiver(asked), limits)
        except PendingGenerationError as pending:
            if self._task_path is None:
                raise
            left = limits.total - (time.monotonic() - began)
            return await self._fetch_task(pending.task_id, limits._replace(total=left), asked)

    async def fetch_task(
        self,
        task_id: str,
        *,
        timeout: float | httpx.Timeout | None = None,  # noqa: ASYNC109 -- as above
    ) -> AsyncGeneration:
        """The pictures of a task that a gateway named; as ``FluxImages.fetch_task``."""
        return await self._fetch_task(task_id, self._options.limits.changed(timeout), Asked())

    async def fetch(self, url: str) -> AsyncImage:
        """The picture at an address that an earlier answer gave; as ``FluxImages.fetch``."""
        from flux_images._picture.awaited import AsyncImage  # as above

        return await AsyncImage.at(url, self._downloads)

    async def _fetch_task(self, task_id: str, limits: Limits, asked: Asked) -> AsyncGeneration:
        waiting = Waiting(task_id, self._task_path, self._options, limits)
        return await async_wait_for(waiting, self._sender, self._receiver(asked))

    def _receiver(self, asked: Asked) -> Callable[[Call, httpx.Response], Receiver[AsyncGeneration]]:
        from flux_images._answer.pictures import picture_answer  # as above
        from flux_images._picture.generation import AsyncGeneration

        return picture_answer(lambda answer, parts: AsyncGeneration(answer, asked, parts, self._downloads))

    def batch(
        self,
        requests: str | os.PathLike[str] | Iterable[Mapping[str, Any]] | None,
        folder: str | os.PathLike[str],
        *,
        defaults: Mapping[str, Any] | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        **options: Unpack[BatchOptions],
    ) -> AsyncBatch:
        """Buy thousands of pictures, each once, into a folder that can be resumed; as ``FluxImages.batch``.

        Iterate with ``async for``. It runs in a thread of its own, and raises what ``FluxImages.batch`` raises when the
        iteration begins.
        """
        from flux_images._batch.job import AsyncBatch  # as above

        return AsyncBatch(partial(self._batch, requests, folder, defaults, on_progress, options))

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

"""``FluxImages``, whose methods block."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self, Unpack

import httpx

from flux_images._answer.waiting import Waiting, check_task_path, wait_for
from flux_images._client.shared import DEFAULT_MODEL, BaseClient, first_answer
from flux_images._errors import ConfigurationError, PendingGenerationError
from flux_images._picture.download import Rules
from flux_images._picture.fetch import Downloads
from flux_images._picture.generation import Asked
from flux_images._request.key import find_key
from flux_images._request.options import configure
from flux_images._send.loop import Sender
from flux_images._send.transport import given_client, sync_transport

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from flux_images._batch.job import Batch
    from flux_images._batch.options import BatchOptions
    from flux_images._batch.run.progress import Progress
    from flux_images._client.api import Api
    from flux_images._client.many import Outcome
    from flux_images._picture.generation import Generation
    from flux_images._picture.image import Image
    from flux_images._request.options import Limits, Retry
    from flux_images._send.loop import Call, Receiver
    from flux_images_api.models import CreateImageRequestOutputFormat, CreateImageRequestResponseFormat, KnownModel


class FluxImages(BaseClient):
    """A client for paid pictures. It may be shared between threads.

    Args:
        api_key: the gateway's key; FLUX_API_KEY if not given.
        base_url: the gateway's address, with or without ``/v1``; FLUX_BASE_URL, else the contract's server.
        timeout: seconds that one call may take in all, retries included (600), or an ``httpx.Timeout`` for the
            stages of an attempt (connect 10, write 30, the rest as the whole).
        max_retries: how often a failed call is tried again (2). Only what surely cost nothing is.
        http_client: an ``httpx.Client`` to send with, for a proxy or a transport of your own. Its headers,
            cookies and credentials are not used.
        retry_possibly_billed: also try again what may have been billed. This can pay twice.
        on_retry: called with a ``Retry`` (error, attempt, wait) before each wait.
        allow_insecure: allow plain http to another machine; the key then travels unencrypted.
        allow_local_images: allow a public gateway to give addresses of this machine or its network.
        task_path: where a gateway that answers with a task is asked for it, as ``"/v1/tasks/{task_id}"``; without
            one such an answer raises ``PendingGenerationError``.

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
        given = given_client(http_client)
        self._transport = given or sync_transport(self._options.base_url, first_answer)
        self._task_path = check_task_path(task_path)
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
            PendingGenerationError: the gateway answered with a task, and there is no ``task_path`` or no time left.
        """
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
            return self._sender.call(request, self._receiver(asked), limits)
        except PendingGenerationError as pending:
            if self._task_path is None:
                raise
            left = limits.total - (time.monotonic() - began)
            return self._fetch_task(pending.task_id, limits._replace(total=left), asked)

    def generate_many(
        self, requests: Iterable[str | Mapping[str, Any]], *, max_concurrency: int = 16, rate: str | None = None
    ) -> Iterator[Outcome]:
        """Buy many pictures at once, and give each outcome as soon as it is known, in the order of completion.

        What a limit of the gateway refused waits its turn, and one pause holds for all; an error stands in its outcome
        and stops nobody. Where you leave early, nothing more is sent, and what is under way is waited for and lost:
        ``batch`` is for what must survive that.

        Args:
            requests: prompts, or dicts of ``generate``'s arguments.
            max_concurrency: calls at once, at most.
            rate: calls in a time, at most, such as ``"100/min"``, ``"5/s"`` or ``"1000/h"``.

        Raises:
            ConfigurationError: an option cannot be used; nothing was sent.
            InvalidRequestError: a request holds no prompt; nothing was sent.
        """
        from flux_images._client.many import Many, calls_a_second, check_requests  # as above
        from flux_images._send.limiter import Limiter

        if type(max_concurrency) is not int or max_concurrency < 1:
            raise ConfigurationError(f"max_concurrency: expected a whole number, 1 or more, got {max_concurrency!r}")
        limiter = Limiter(max_concurrency, rate=calls_a_second(rate))
        wanted = list(requests)
        check_requests(wanted)
        once = self.with_options(max_retries=0)
        return Many(once.generate, wanted, limiter, max_concurrency, self._options.limits).outcomes()

    def fetch_task(self, task_id: str, *, timeout: float | httpx.Timeout | None = None) -> Generation:
        """The pictures of a task that a gateway named, waited for within ``timeout`` (seconds); asking is free.

        Raises:
            PendingGenerationError: they are not there in time, or the task cannot be asked for.
            APIStatusError: the task failed.
        """
        return self._fetch_task(task_id, self._options.limits.changed(timeout), Asked())

    def fetch(self, url: str) -> Image:
        """The picture at an address that an earlier answer gave: without the key, looked at, tried again.

        Raises:
            ImageDownloadError: it cannot be fetched, or what came is surely not a whole picture.
        """
        from flux_images._picture.image import Image  # as above

        return Image.at(url, self._downloads)

    def _fetch_task(self, task_id: str, limits: Limits, asked: Asked) -> Generation:
        waiting = Waiting(task_id, self._task_path, self._options, limits)
        return wait_for(waiting, self._sender, self._receiver(asked))

    def _receiver(self, asked: Asked) -> Callable[[Call, httpx.Response], Receiver[Generation]]:
        from flux_images._answer.pictures import picture_answer  # as above
        from flux_images._picture.generation import Generation

        return picture_answer(lambda answer, parts: Generation(answer, asked, parts, self._downloads))

    def batch(
        self,
        requests: str | os.PathLike[str] | Iterable[Mapping[str, Any]] | None,
        folder: str | os.PathLike[str],
        *,
        defaults: Mapping[str, Any] | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        **options: Unpack[BatchOptions],
    ) -> Batch:
        """Buy thousands of pictures, each once, into a folder that can be resumed.

        Every request is checked before the first is sent, and noted in the folder's ledger before it leaves. Iterate
        over what this returns: it gives what became of each request as soon as it is known. The same call again goes on
        where the last one ended, were it killed; what may have been billed and brought nothing is not sent again.

        Args:
            requests: a file (JSON Lines, CSV, TSV, text, Parquet), "-" for standard input, or dicts of the contract's
                fields with an optional ``id``; None for those that the folder's ledger holds.
            folder: where the pictures and the ledger go.
            defaults: fields for the requests that do not say otherwise.
            on_progress: is told how far it is, a few times a second, in the thread of the batch.
            options: as ``BatchOptions`` says.

        Raises:
            BadLinesError: some requests cannot be sent; nothing was.
            ConfigurationError: a file, the folder or an option cannot be used.
            FolderInUseError: another run works in the folder.
        """
        return self._batch(requests, folder, defaults, on_progress, options)

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

"""Where a batch buys: one key at one gateway, each request sent once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx

from flux_images._answer.pictures import picture_answer
from flux_images._answer.receive import whole_answer
from flux_images._answer.waiting import Waiting, async_wait_for
from flux_images._batch.run.purchase import Purchase
from flux_images._errors import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    FluxImagesError,
    NotFoundError,
    PermissionDeniedError,
)
from flux_images._picture.download import Rules
from flux_images._picture.fetch import AsyncDownloads
from flux_images._send.loop import AsyncSender
from flux_images._send.transport import async_transport
from flux_images_api.contract import OPERATIONS

if TYPE_CHECKING:
    from flux_images._batch.ledger.records import Item
    from flux_images._request.options import Options

log = logging.getLogger("flux_images")

_FATAL = (APIConnectionError, AuthenticationError, PermissionDeniedError, NotFoundError, ConfigurationError)


class Shop:
    """Sends with the options of a client, over connections of its own."""

    def __init__(self, options: Options, task_path: str | None, *, fast: bool) -> None:
        self.options = options._replace(limits=options.limits._replace(max_retries=0, retry_possibly_billed=False))
        self._task_path = task_path
        self._transport = async_transport(options.base_url, fast=fast)
        self.sender = AsyncSender(self._transport, self.options)
        self.downloads = AsyncDownloads(Rules(options.limits, options.allow_local_images))

    @property
    def asks_for_tasks(self) -> bool:
        """Whether a task's picture can be had: its path is known."""
        return self._task_path is not None

    async def greet(self) -> None:
        """Ask for nothing, which is refused and free: it shows that the gateway is there and takes the key.

        Raises:
            FluxImagesError: it is not, or does not; or the answer is no refusal, so that this is no such gateway.
        """
        base = str(self.options.base_url).rstrip("/")
        operation = OPERATIONS["create_image"]
        request = httpx.Request("POST", base + operation.path, headers=self.options.headers, json={})
        try:
            await self.sender.call(request, whole_answer)
        except BadRequestError:
            return
        except _FATAL:
            raise
        except FluxImagesError as error:
            log.warning("the gateway did not answer a first question as expected: %s", self.redact(str(error)))
            return
        raise ConfigurationError(f"{base}: took a request without a prompt; this is no gateway to buy pictures from")

    async def wait_for(self, item: Item) -> Purchase:
        """The pictures of an item's task."""
        waiting = Waiting(item.task_id or "", self._task_path, self.options, self.options.limits)
        made = picture_answer(lambda answer, parts: Purchase(answer, parts, item.asked))
        return await async_wait_for(waiting, self.sender, made)

    def redact(self, text: str) -> str:
        """Text without the key, wherever a gateway echoed it."""
        return self.options.key.redact(text)

    def without_key(self, address: str | None) -> str | None:
        """An address that may be kept in a file: one with the key in it may not."""
        return None if address is None or self.redact(address) != address else address

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()
        await self.downloads.aclose()

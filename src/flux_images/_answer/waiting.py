"""Asking for a task until its picture is there. Asking is free, so it is tried again as often as there is time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NoReturn, TypeVar
from urllib.parse import quote

import httpx

from flux_images._errors import APIStatusError, ConfigurationError, FluxImagesError, PendingGenerationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_images._request.options import Limits, Options
    from flux_images._send.loop import AsyncSender, Call, Receiver, Sender

T = TypeVar("T")

FIRST_WAIT = 1.0
"""Seconds before a task is asked for again; half as much is added each time, up to ``LONGEST_WAIT``."""
LONGEST_WAIT = 10.0


def check_task_path(path: str | None) -> str | None:
    """Refuse a path that no task can be asked for at.

    Raises:
        ConfigurationError: it doesn't begin with a slash, or has no place for the id.
    """
    if path is not None and not (path.startswith("/") and "{task_id}" in path):
        raise ConfigurationError('task_path: expected a path such as "/v1/tasks/{task_id}"')
    return path


class Waiting:
    """The state of one wait for a task."""

    def __init__(self, task_id: str, path: str | None, options: Options, limits: Limits) -> None:
        if path is None:
            raise ConfigurationError('a task needs its path: FluxImages(task_path="/v1/tasks/{task_id}")')
        self._task_id = task_id
        self._limits = limits
        self._began = time.monotonic()
        self._wait = FIRST_WAIT
        address = str(options.base_url).rstrip("/") + path.replace("{task_id}", quote(task_id, safe=""))
        self.request = httpx.Request("GET", address, headers=options.headers)

    def limits(self) -> Limits:
        """The bounds of the next question: what is left of the time."""
        return self._limits._replace(total=max(0.001, self._limits.total - (time.monotonic() - self._began)))

    def next(self, error: FluxImagesError) -> float:
        """Seconds until the next question; raises the error that ends the wait, which always has the task's id."""
        if not isinstance(error, PendingGenerationError):
            self._end(error)
        wait, self._wait = self._wait, min(LONGEST_WAIT, self._wait * 1.5)
        if time.monotonic() - self._began + wait >= self._limits.total:
            error.task_id = self._task_id
            raise error
        return wait

    def _end(self, error: FluxImagesError) -> NoReturn:
        error.may_have_been_billed = True  # the order was taken, whatever became of the question
        if isinstance(error, APIStatusError) and 200 <= error.status_code < 300:
            raise error  # the task itself failed
        raise PendingGenerationError(
            f"the task could not be asked for: {error.message}", task_id=self._task_id, request_id=error.request_id
        ) from error


def wait_for(waiting: Waiting, sender: Sender, receiver_of: Callable[[Call, httpx.Response], Receiver[T]]) -> T:
    """The picture of a task, when it is there.

    Raises:
        PendingGenerationError: it is not there in time, or the task cannot be asked for.
        APIStatusError: the task failed.
    """
    while True:
        try:
            return sender.call(waiting.request, receiver_of, waiting.limits(), free=True)
        except FluxImagesError as error:
            wait = waiting.next(error)
        time.sleep(wait)


async def async_wait_for(
    waiting: Waiting, sender: AsyncSender, receiver_of: Callable[[Call, httpx.Response], Receiver[T]]
) -> T:
    """The same for asyncio and trio."""
    import anyio  # not needed to import the SDK

    while True:
        try:
            return await sender.call(waiting.request, receiver_of, waiting.limits(), free=True)
        except FluxImagesError as error:
            wait = waiting.next(error)
        await anyio.sleep(wait)

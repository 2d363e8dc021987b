"""A batch as a program holds it: checked when it is made, run in a thread of its own, iterated as results come."""

from __future__ import annotations

import asyncio
import importlib.util
import queue
import threading
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from flux_images._batch.files.folder import LEDGER, Folder
from flux_images._batch.gallery.keeper import Gallery
from flux_images._batch.ledger.book import Ledger
from flux_images._batch.ledger.states import STATES
from flux_images._batch.load import load
from flux_images._batch.options import check
from flux_images._batch.run.budget import Budget
from flux_images._batch.run.resume import again, take_up
from flux_images._batch.run.runner import Pace, Runner
from flux_images._batch.run.shop import Shop
from flux_images._errors import FluxImagesError

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from flux_images._batch.options import Settings
    from flux_images._batch.run.progress import Progress, Result
    from flux_images._request.options import Options

_REASONS = 20
_EVERY = 0.25
"""Seconds between two calls of ``on_progress``."""


class Batch:
    """Requests, their ledger and their pictures in one folder; ``for result in batch`` runs it.

    Leaving the loop, or the ``with`` block, ends it well: nothing more is sent, and what is under way is finished. A
    second Ctrl-C leaves at once; what was under way is ``unknown`` then. The same call again goes on where it ended.

    Args:
        options: of the client that buys.
        source: a file, "-", or requests as dicts; None for those of an earlier run.
        folder: where ledger and pictures are.

    Raises:
        BadLinesError: some requests cannot be sent; nothing was.
        ConfigurationError: a file, the folder or a setting cannot be used.
        FolderInUseError: another run works in the folder.
    """

    def __init__(
        self,
        options: Options,
        task_path: str | None,
        source: str | os.PathLike[str] | Iterable[Mapping[str, Any]] | None,
        folder: str | os.PathLike[str],
        settings: Settings,
        *,
        defaults: Mapping[str, Any],
        on_progress: Callable[[Progress], object] | None = None,
    ) -> None:
        self._options = options
        self._task_path = task_path
        self._settings = settings
        self._on_progress = on_progress
        self._results: queue.SimpleQueue[Result | BaseException | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._runner: Runner | None = None
        self._failures: list[tuple[str, str, int]] | None = None
        check(settings, source)
        with ExitStack() as stack:
            self.folder = Folder(Path(folder).expanduser(), settings.name)
            stack.callback(self.folder.close)
            self._ledger = Ledger(self.folder.path / LEDGER)
            stack.callback(self._ledger.close)
            if source is not None:
                load(self._ledger, source, defaults, kind=settings.format, skip_bad=settings.skip_bad)
            wanted = again(
                unknown=settings.resend_unknown, expired=settings.rebuy_expired, refused=settings.retry_refused
            )
            take_up(self._ledger, self.folder, wanted)
            self._gallery = Gallery(self.folder.path) if settings.gallery else None
            self._budget = Budget(self._ledger.tally.spent, settings.max_images, settings.price, settings.max_cost)
            self._stack = stack.pop_all()

    @property
    def waiting(self) -> tuple[int, int]:
        """How many requests are to be sent, and how many pictures they ask for."""
        return self._ledger.to_send()

    @property
    def stopped(self) -> tuple[str, str] | None:
        """Why it ended before all was sent, as a word (account, cap, disk, failures, ledger, stopped) and in words."""
        runner = self._runner
        return (runner.code_of_stop or "", runner.stopping) if runner and runner.stopping else None

    def progress(self) -> Progress:
        """How far it is."""
        if self._runner is None:
            raise FluxImagesError("the batch has not begun: iterate over it")
        return self._runner.progress()

    def counts(self) -> dict[str, int]:
        """Requests by state."""
        return {state: self._ledger.tally.get(state, (0, 0))[0] for state in STATES}

    @property
    def spent(self) -> int:
        """Pictures that were or may have been billed, over all runs of this folder."""
        return self._ledger.tally.spent

    @property
    def failures(self) -> list[tuple[str, str, int]]:
        """What went wrong, as (state, reason, how many), the most frequent first, twenty at most."""
        return self._ledger.reasons(_REASONS) if self._failures is None else self._failures

    def stop(self, reason: str = "stopped") -> None:
        """Send nothing more, and finish what is under way."""
        self._hurry()
        if self._loop and self._runner:
            self._call(self._runner.stop, reason)

    def stop_now(self) -> None:
        """Leave what is under way: it becomes ``unknown``."""
        self._hurry()
        if self._loop and self._main:
            self._call(self._main.cancel)

    def _hurry(self) -> None:
        if self._gallery:
            self._gallery.hurry()

    def _call(self, work: Callable[..., object], *arguments: object) -> None:
        try:
            assert self._loop is not None  # noqa: S101 -- the callers looked
            self._loop.call_soon_threadsafe(work, *arguments)
        except RuntimeError:  # it has ended
            return

    def __iter__(self) -> Iterator[Result]:
        """Run, and give what became of each request as soon as it is known."""
        if self._thread is not None:
            raise FluxImagesError("a batch runs once; make another on the same folder, it goes on where this ended")
        begun = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(begun,), name="flux_images batch", daemon=True)
        self._thread.start()
        begun.wait()
        try:
            while (result := self._results.get()) is not None:
                if isinstance(result, BaseException):
                    raise result
                yield result
        finally:
            self.close()

    def _work(self, begun: threading.Event) -> None:
        try:
            with self._gallery or nullcontext():
                asyncio.run(self._run(begun))
        except asyncio.CancelledError:
            self._results.put(None)
        except BaseException as error:  # noqa: BLE001 -- it is raised where the results are read
            self._results.put(error)
        else:
            self._results.put(None)
        finally:
            begun.set()

    async def _run(self, begun: threading.Event) -> None:
        fast = importlib.util.find_spec("aiohttp") is not None
        shop = Shop(self._options, self._task_path, fast=fast)
        settings = self._settings
        self._runner = Runner(
            shop,
            self._ledger,
            self.folder,
            self._budget,
            Pace(settings.concurrency, settings.rate, settings.max_failures),
            self._told,
            metadata=settings.metadata,
        )
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        begun.set()
        told = self._loop.create_task(self._tell(self._runner))
        try:
            if self.waiting[0]:
                await shop.greet()
            await self._runner.run()
        finally:
            told.cancel()
            await shop.close()

    def _told(self, result: Result) -> None:
        if self._gallery:
            self._gallery.touch(result.id)
        self._results.put(result)

    async def _tell(self, runner: Runner) -> None:
        while self._on_progress:
            self._on_progress(runner.progress())
            await asyncio.sleep(_EVERY)

    def close(self) -> None:
        """Finish what is under way, and let the folder go."""
        try:
            if self._thread is not None and self._thread is not threading.current_thread():
                self.stop()
                self._thread.join()
        except KeyboardInterrupt:
            self.stop_now()
            raise
        finally:
            if self._thread is not None:
                self._thread.join()
            if self._failures is None:
                self._failures = self._ledger.reasons(_REASONS)
                self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncBatch:
    """The same for asyncio and trio: ``async for result in batch``. It is made, checked and run in threads."""

    def __init__(self, make: Callable[[], Batch]) -> None:
        self._make = make
        self.batch: Batch | None = None
        """The batch itself, once it has begun."""

    async def __aiter__(self) -> AsyncIterator[Result]:
        """Run, and give what became of each request as soon as it is known."""
        import anyio
        import anyio.to_thread

        limiter = anyio.CapacityLimiter(1)
        self.batch = await anyio.to_thread.run_sync(self._make, limiter=limiter)
        results = iter(self.batch)
        try:
            while (result := await anyio.to_thread.run_sync(next, results, None, limiter=limiter)) is not None:
                yield result
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self.batch.close)

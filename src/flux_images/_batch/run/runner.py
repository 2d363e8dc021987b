"""The run: requests leave as fast as the gateway allows, and what comes is fetched, looked at and saved."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from flux_images._answer.pictures import picture_answer
from flux_images._batch.ledger.records import Change, Item
from flux_images._batch.ledger.states import BROKEN, FREE, PAID, PENDING, SAVED, SENT, STATES, UNKNOWN, WAITING
from flux_images._batch.ledger.writer import LedgerError, Writer
from flux_images._batch.run.collect import Collector
from flux_images._batch.run.outcome import Outcome, outcome_of, reason_of
from flux_images._batch.run.progress import Progress, Result
from flux_images._batch.run.purchase import Purchase
from flux_images._errors import APIStatusError, FluxImagesError, PendingGenerationError
from flux_images._request.build import build_request
from flux_images._send.limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import Any

    from flux_images._batch.files.folder import Folder
    from flux_images._batch.ledger.book import Ledger
    from flux_images._batch.run.budget import Budget
    from flux_images._batch.run.shop import Shop

log = logging.getLogger("flux_images")

_OVER = 30.0
"""Seconds over which the rate is measured."""
_LARGEST = 4 * 2**20
"""Bytes that a picture is taken to have until a larger one came."""


class Pace(NamedTuple):
    """How a run goes about it: calls at once, calls a second, and failures in a row after which it stops."""

    concurrency: int = 32
    rate: float | None = None
    max_failures: int = 50


class Runner:
    """One run over a ledger, in one event loop. ``told`` gets each result."""

    def __init__(
        self,
        shop: Shop,
        ledger: Ledger,
        folder: Folder,
        budget: Budget,
        pace: Pace,
        told: Callable[[Result], None],
        *,
        metadata: bool = True,
    ) -> None:
        self._shop = shop
        self._ledger = ledger
        self._folder = folder
        self._budget = budget
        self._pace = pace
        self._told = told
        self._limiter = Limiter(pace.concurrency, rate=pace.rate)
        self._metadata = metadata
        self._again: deque[Item] = deque()
        self._ready: deque[Item] = deque()
        self._after = 0
        self._buying: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._saved_at: deque[tuple[float, int]] = deque()
        self._largest = _LARGEST
        self._last: Path | None = None
        self.stopping: str | None = None
        """Why nothing more is sent, if so."""
        self.code_of_stop: str | None = None

    async def run(self) -> None:
        """Send what waits, and bring home what was paid for, until there is no more, or until stopped."""
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._writer = Writer(self._ledger, self._folder.drop_ballast)
        self._collector = Collector(self._shop, self._folder, self._ledger, self._writer, metadata=self._metadata)
        self._room = self._folder.free()
        try:
            await self._settle_what_is_open()
            await self._send_all()
            while self._buying or self._settling:
                await asyncio.wait(self._buying | self._settling)
        finally:
            for task in self._buying | self._settling:
                task.cancel()
            await asyncio.gather(*self._buying, *self._settling, return_exceptions=True)
            await self._writer.close()

    def stop(self, reason: str, code: str = "stopped") -> None:
        """Send nothing more; what is under way is finished. To be called in the run's loop."""
        if self.stopping is None:
            self.stopping, self.code_of_stop = reason, code
            self._wake.set()

    def progress(self) -> Progress:
        """How far it is."""
        now = time.monotonic()
        while self._saved_at and self._saved_at[0][0] < now - _OVER:
            self._saved_at.popleft()
        pictures = sum(count for _, count in self._saved_at)
        rate = pictures / max(1.0, now - self._saved_at[0][0]) if self._saved_at else 0.0
        states = {state: self._ledger.tally.get(state, (0, 0))[0] for state in STATES}
        left = self._ledger.tally.get(WAITING, (0, 0))[1]
        return Progress(
            states=states,
            in_flight=self._limiter.in_flight,
            fetching=len(self._settling),
            window=max(1, int(self._limiter.window)),
            rate=rate,
            left=left,
            left_seconds=left / rate if rate else None,
            spent=self._budget.spent,
            images_left=self._budget.left,
            cost=self._budget.cost(self._budget.spent),
            paused=max(0.0, self._limiter.paused_until - now),
            stopping=self.stopping,
            last=self._last,
        )

    async def _settle_what_is_open(self) -> None:
        """What an earlier run left: pictures to fetch, and tasks to ask for. Nothing of it is bought."""
        for state in (PAID, BROKEN):
            for item, _ in self._ledger.of_state(state):
                await self._room_to_settle()
                self._spawn(self._settling, self._bring_home(item, self._collector.again(item)))
        if self._shop.asks_for_tasks:
            for item, _ in self._ledger.of_state(PENDING):
                await self._room_to_settle()
                self._spawn(self._settling, self._ask_for(item))

    async def _room_to_settle(self) -> None:
        while len(self._settling) >= 2 * self._collector.workers:
            await asyncio.wait(self._settling, return_when=asyncio.FIRST_COMPLETED)

    async def _send_all(self) -> None:
        while self.stopping is None:
            self._wake.clear()
            item = self._next()
            if item is None:
                if not self._buying:
                    return
                await self._wake.wait()
                continue
            wait = self._held_up(item)
            if wait is None:
                continue
            if wait:
                self._again.appendleft(item)
                await self._sleep(wait)
                continue
            self._spawn(self._buying, self._buy(item, time.monotonic()))
            if len(self._buying) % 16 == 0:
                await asyncio.sleep(0)

    def _next(self) -> Item | None:
        """The next to send: first what was sent back, then what was not sent yet."""
        if self._again:
            return self._again.popleft()
        if not self._ready:
            self._ready.extend(self._ledger.waiting(self._after))
            if self._ready:
                self._after = self._ready[-1].no
        return self._ready.popleft() if self._ready else None

    def _held_up(self, item: Item) -> float | None:
        """Seconds for which nothing may leave, perhaps for ever; 0 if this item may, and its price is reserved.

        None if the run was stopped instead.
        """
        if len(self._settling) >= 2 * self._collector.workers:
            return math.inf
        if self._room < (self._limiter.in_flight + 1) * self._largest:
            self._room = self._folder.free()
            if self._room < (self._limiter.in_flight + 1) * self._largest:
                self.stop(f"the disk is nearly full: {self._room // 2**20} MB are left", "disk")
                return None
        if not self._budget.reserve(item.asked):
            if self._buying:  # one of them may cost nothing
                return math.inf
            self.stop(f"the cap of {self._budget.most} pictures is reached", "cap")
            return None
        wait = self._limiter.start(time.monotonic())
        if wait:
            self._budget.release(item.asked)
        return wait

    async def _sleep(self, wait: float) -> None:
        if self._wake.is_set():
            return
        timer = None if wait == math.inf else self._loop.call_later(wait, self._wake.set)
        await self._wake.wait()
        if timer:
            timer.cancel()

    def _spawn(self, tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(lambda done: self._done(tasks, done))

    def _done(self, tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("a request of the batch ended in an error of our own", exc_info=error)
            self.stop(f"{type(error).__name__}: {error}", "error")

    async def _buy(self, item: Item, began: float) -> None:
        """Note that it leaves, send it, and note what came."""
        sent = item._replace(state=SENT)
        try:
            request = build_request(self._shop.options, *_arguments(item), None)
            await self._writer.note(Change(item, SENT))
        except FluxImagesError as error:
            self._limiter.ended(began, time.monotonic())
            self._budget.release(item.asked)
            self.stop(error.message, "ledger" if isinstance(error, LedgerError) else "error")
            return
        try:
            bought = await self._shop.sender.call(
                request, picture_answer(lambda answer, parts: Purchase(answer, parts, item.asked))
            )
        except FluxImagesError as error:
            await self._failed(sent, began, error)
            return
        except BaseException:
            self._limiter.ended(began, time.monotonic())
            raise
        self._limiter.ended(began, time.monotonic())
        self._failures = 0
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- a coroutine of an event loop
        self._buying.discard(task)  # from here on it is fetched, and another may be bought
        self._settling.add(task)
        try:
            await self._bring_home(sent, self._collector.first(sent, bought))
        finally:
            self._settling.discard(task)
            self._wake.set()

    async def _failed(self, sent: Item, began: float, error: FluxImagesError) -> None:
        outcome = outcome_of(error)
        retry_after = error.retry_after if isinstance(error, APIStatusError) else None
        self._limiter.ended(began, time.monotonic(), refused=outcome.waits, retry_after=retry_after)
        task_id = error.task_id if isinstance(error, PendingGenerationError) else None
        reason = None if outcome.state == WAITING else self._shop.redact(reason_of(error))
        await self._writer.note(Change(sent, outcome.state, reason, error.request_id, task_id))
        now = sent._replace(state=outcome.state, task_id=task_id)
        self._count(outcome, error)
        if outcome.state in FREE:
            self._budget.release(sent.asked)
        if outcome.state == WAITING:
            self._again.append(now)
        elif outcome.state == PENDING and self._shop.asks_for_tasks:
            self._spawn(self._settling, self._ask_for(now))
        else:
            self._told(Result(sent.id, outcome.state, (), reason, error.request_id, error.may_have_been_billed))

    def _count(self, outcome: Outcome, error: FluxImagesError) -> None:
        self._failures = self._failures + 1 if outcome.failed else 0
        if outcome.stops:
            self.stop(self._shop.redact(str(error)), "account")
        elif self._failures >= self._pace.max_failures:
            self.stop(f"{self._failures} failures in a row, the last: {self._shop.redact(str(error))}", "failures")

    async def _ask_for(self, item: Item) -> None:
        """The pictures of a task."""
        try:
            bought = await self._shop.wait_for(item)
        except FluxImagesError as error:
            still = isinstance(error, PendingGenerationError)
            reason = self._shop.redact(reason_of(error))
            if not still:
                await self._writer.note(Change(item, UNKNOWN, reason, error.request_id))
            self._told(Result(item.id, PENDING if still else UNKNOWN, (), reason, error.request_id, True))
            return
        await self._bring_home(item, self._collector.first(item, bought))

    async def _bring_home(self, item: Item, collecting: Coroutine[Any, Any, Result]) -> None:
        try:
            result = await collecting
        except OSError as error:
            self.stop(f"a picture cannot be written: {error}; it is paid for, and the next run saves it", "disk")
            return
        except LedgerError as error:
            self.stop(error.message, "ledger")
            return
        if result.files:
            self._last = result.files[-1]
            self._saved_at.append((time.monotonic(), len(result.files)))
            size = self._last.stat().st_size
            self._largest = max(self._largest, size)
            self._room -= size
        if result.state != SAVED:
            log.warning("%s: %s: %s", item.id, result.state, result.reason)
        self._told(result)


def _arguments(item: Item) -> tuple[dict[str, Any], dict[str, Any] | None]:
    fields: dict[str, Any] = json.loads(item.request)
    return fields, fields.pop("extra_body", None)

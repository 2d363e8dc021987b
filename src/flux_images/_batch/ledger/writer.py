"""The one thread that writes to the ledger: what comes together is made to last together."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from flux_images._batch.files.folder import make_last
from flux_images._errors import FluxImagesError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_images._batch.ledger.book import Ledger
    from flux_images._batch.ledger.records import Change

_MOST = 1000
"""Changes in one transaction."""


class LedgerError(FluxImagesError):
    """The ledger cannot be written any more, so nothing is sent any more."""


class Writer:
    """Writes changes in the order in which they are given; ``room`` frees a little of a full disk, once."""

    def __init__(self, ledger: Ledger, room: Callable[[], bool]) -> None:
        self._ledger = ledger
        self._room = room
        self._queue: queue.SimpleQueue[tuple[Change, asyncio.Future[None]] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="flux_images ledger", daemon=True)
        self._thread.start()

    async def note(self, change: Change) -> None:
        """Note a change, and return when it is on the disk.

        Raises:
            LedgerError: it is not.
        """
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((change, done))
        await asyncio.shield(done)

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            ended = False
            while len(group) < _MOST and not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    ended = True
                    break
                group.append(more)
            problem = self._commit([change for change, _ in group])
            self._loop.call_soon_threadsafe(_tell, [done for _, done in group], problem)
            if ended:
                return

    def _commit(self, changes: list[Change]) -> LedgerError | None:
        for is_last in (False, True):
            before = dict(self._ledger.tally)
            try:
                for folder in {change.folder for change in changes if change.folder}:
                    make_last(folder)
                self._ledger.connection.execute("BEGIN IMMEDIATE")
                self._ledger.apply(changes, time.time())
                self._ledger.connection.execute("COMMIT")
            except (sqlite3.Error, OSError, RuntimeError) as error:
                self._ledger.tally.restore(before)
                if self._ledger.connection.in_transaction:
                    self._ledger.connection.execute("ROLLBACK")
                if is_last or not self._room():
                    return LedgerError(f"the ledger cannot be written: {error}")
            else:
                return None
        return None

    async def close(self) -> None:
        """Write what was given, and end."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)


def _tell(waiting: list[asyncio.Future[None]], problem: LedgerError | None) -> None:
    for done in waiting:
        if done.cancelled():
            continue
        if problem:
            done.set_exception(LedgerError(problem.message))
        else:
            done.set_result(None)

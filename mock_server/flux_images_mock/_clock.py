"""The mock's one clock: real time, and what was added to it."""

from __future__ import annotations

import asyncio
import time
from threading import Condition


class Clock:
    """Seconds since 1970 as the mock sees them. Nothing in the mock asks any other clock what time it is."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._resets = 0
        self._sleepers: set[asyncio.Future[None]] = set()
        self._changed = Condition()

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once; whoever slept until then wakes up."""
        self._ahead += seconds
        self._wake()

    def reset(self) -> None:
        """Go back to real time, and end every sleep."""
        self._ahead = 0.0
        self._resets += 1
        self._wake()
        with self._changed:
            self._sleepers.clear()

    async def sleep(self, seconds: float) -> bool:
        """Return when `seconds` have passed, in truth or by `advance`; or, with `False`, when a reset ended it."""
        loop = asyncio.get_running_loop()
        due, resets = self.now() + seconds, self._resets
        while (left := due - self.now()) > 0 and self._resets == resets:
            sleeper: asyncio.Future[None] = loop.create_future()
            timer = loop.call_later(left, _end, sleeper)
            with self._changed:
                self._sleepers.add(sleeper)
                self._changed.notify_all()
            try:
                await sleeper
            finally:
                timer.cancel()
                with self._changed:
                    self._sleepers.discard(sleeper)
        return self._resets == resets

    def wait_for_sleepers(self, count: int, timeout: float = 10.0) -> bool:
        """Block this thread until `count` requests sleep, at most `timeout` real seconds; return whether they do."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._sleepers) >= count, timeout)

    def _wake(self) -> None:
        with self._changed:
            for sleeper in self._sleepers:
                sleeper.get_loop().call_soon_threadsafe(_end, sleeper)


def _end(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)

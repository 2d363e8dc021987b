"""The mock's one clock: real time, and what was added to it."""

from __future__ import annotations

import asyncio
import time
from threading import Condition
from typing import TYPE_CHECKING, Protocol

from sniffio import current_async_library

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Seconds since 1970 as the mock sees them. Nothing in the mock asks any other clock what time it is."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._resets = 0
        self._sleepers: set[_Sleeper] = set()
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

    async def sleep(self, seconds: float) -> bool:
        """Return when `seconds` have passed, in truth or by `advance`; or, with `False`, when a reset ended it."""
        due, resets, sleeper = self.now() + seconds, self._resets, _sleeper()
        self._change(self._sleepers.add, sleeper)
        try:
            while (left := due - self.now()) > 0 and self._resets == resets:
                await sleeper.rest(left)
        finally:
            self._change(self._sleepers.discard, sleeper)
        return self._resets == resets

    def wait_for_sleepers(self, count: int, timeout: float = 10.0) -> bool:
        """Block this thread until `count` requests sleep, at most `timeout` real seconds; return whether they do."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._sleepers) == count, timeout)

    def _change(self, how: Callable[[_Sleeper], None], sleeper: _Sleeper) -> None:
        with self._changed:
            how(sleeper)
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            for sleeper in self._sleepers:
                sleeper.wake()


class _Sleeper(Protocol):
    """A task that rests until its time is over, or until any thread wakes it."""

    async def rest(self, seconds: float) -> None:
        """Return after `seconds` of real time, or when woken."""

    def wake(self) -> None:
        """End the rest, from any thread."""


class _OnAsyncio:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    async def rest(self, seconds: float) -> None:
        timer = self._loop.call_later(seconds, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()
        self._woken.clear()

    def wake(self) -> None:
        self._loop.call_soon_threadsafe(self._woken.set)


class _OnTrio:
    def __init__(self) -> None:
        import trio  # whoever runs on it has it

        self._token = trio.lowlevel.current_trio_token()
        self._trio = trio
        self._woken = trio.Event()

    async def rest(self, seconds: float) -> None:
        with self._trio.move_on_after(seconds):
            await self._woken.wait()
        self._woken = self._trio.Event()

    def wake(self) -> None:
        self._token.run_sync_soon(lambda: self._woken.set())


def _sleeper() -> _Sleeper:
    return _OnTrio() if current_async_library() == "trio" else _OnAsyncio()

"""Requests that wait, on asyncio or trio, until their time is over or any thread wakes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Condition

from anyio import Event, move_on_after
from sniffio import current_async_library


class Sleepers:
    """Those who sleep at the moment."""

    def __init__(self) -> None:
        self._asleep: set[_Sleeper] = set()
        self._changed = Condition()

    @contextmanager
    def one(self) -> Generator[_Sleeper]:
        """Count one more, for as long as it may rest."""
        sleeper = _Sleeper()
        with self._changed:
            self._asleep.add(sleeper)
            self._changed.notify_all()
        try:
            yield sleeper
        finally:
            with self._changed:
                self._asleep.discard(sleeper)
                self._changed.notify_all()

    def wake(self) -> None:
        """Wake everyone."""
        with self._changed:
            for sleeper in self._asleep:
                sleeper.wake()

    def wait_for(self, count: int, timeout: float = 10.0) -> bool:
        """Block this thread until `count` requests sleep, at most `timeout` real seconds; return whether they do."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._asleep) == count, timeout)


class _Sleeper:
    """The task that makes it."""

    def __init__(self) -> None:
        self._woken = Event()
        if current_async_library() == "trio":
            import trio  # whoever runs on it has it

            self._soon: Callable[[Callable[[], object]], object] = trio.lowlevel.current_trio_token().run_sync_soon
        else:
            self._soon = asyncio.get_running_loop().call_soon_threadsafe

    async def rest(self, seconds: float) -> None:
        """Return after `seconds` of real time, or when woken."""
        with move_on_after(seconds):
            await self._woken.wait()
        self._woken = Event()

    def wake(self) -> None:
        """End the rest, from any thread."""
        self._soon(lambda: self._woken.set())

"""Requests that wait, on asyncio or trio, until their time is over or any thread wakes them."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING, Protocol

from sniffio import current_async_library

if TYPE_CHECKING:
    from collections.abc import Generator


class Sleepers:
    """Those who sleep at the moment."""

    def __init__(self) -> None:
        self._asleep: set[_Sleeper] = set()
        self._changed = Condition()

    @contextmanager
    def one(self) -> Generator[_Sleeper]:
        """Count one more, for as long as it may rest."""
        sleeper = _OnTrio() if current_async_library() == "trio" else _OnAsyncio()
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

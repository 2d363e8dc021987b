"""Everything in a mock that changes while it runs."""

from __future__ import annotations

from collections import deque

from flux_images_mock._gateway.bill import Bill
from flux_images_mock._gateway.clock import Clock
from flux_images_mock._gateway.journal import MOST_REQUESTS, Journal
from flux_images_mock._gateway.traffic import Traffic
from flux_images_mock._options import Behaviour, Options, check
from flux_images_mock._pictures.gallery import Gallery


class State:
    """The clock, the pictures, the bill, the journal, and how the gateway behaves at the moment."""

    def __init__(self, options: Options | None = None) -> None:
        self._options: Options = options or {}
        check(self._options, Options.__optional_keys__)
        self.clock = Clock()
        self.gallery = Gallery(self.clock)
        self.reset()

    def reset(self, behaviour: Behaviour | None = None) -> None:
        """Forget everything, and behave as at the start but for what `behaviour` says."""
        check(behaviour or {}, Behaviour.__optional_keys__)
        now: Options = {**self._options, **(behaviour or {})}
        bill = Bill()
        self.traffic = Traffic(now, self.clock, bill)
        self.bill = bill
        self.journal = Journal(now.get("journal", MOST_REQUESTS))
        self.queue = Queue(now.get("scenario"))
        keys = now.get("api_keys")
        self._keys = frozenset(keys) if keys else None
        self.clock.reset()
        self.gallery.reset(now)

    def knows(self, key: str) -> bool:
        """Return whether this key may come in; those that name a scenario always may."""
        return self._keys is None or key in self._keys or key.startswith("sk-mock-")


class Queue:
    """The scenarios that the next requests meet: those with a number of times first, then a lasting one."""

    def __init__(self, always: str | None) -> None:
        self._waiting: deque[tuple[str, int]] = deque()
        self._lasting: str | None = None
        self.always = always
        """What every request meets that asks for nothing else."""

    def put(self, name: str, times: int | None) -> None:
        """Let the next `times` requests meet a scenario, after those put before; or all, if it is `None`."""
        if times is None:
            self._lasting = name
        else:
            self._waiting.append((name, times))

    def clear(self) -> None:
        """Forget what was put."""
        self._waiting.clear()
        self._lasting = None

    def take(self) -> str | None:
        """Return what this request meets."""
        if not self._waiting:
            return self._lasting
        name, times = self._waiting.popleft()
        if times > 1:
            self._waiting.appendleft((name, times - 1))
        return name

    def entries(self) -> list[tuple[str, int | None]]:
        """Return what waits, in order."""
        lasting = [] if self._lasting is None else [(self._lasting, None)]
        return [*self._waiting, *lasting]

"""How busy the gateway is: rate limits, credit, concurrency, the model's time, and trouble by chance."""

from __future__ import annotations

from collections import OrderedDict, deque
from random import Random
from typing import TYPE_CHECKING

from flux_images_mock._durations import OptionError, read_latency, read_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_images_mock._durations import Rate
    from flux_images_mock._gateway.bill import Bill
    from flux_images_mock._gateway.clock import Clock
    from flux_images_mock._options import Behaviour

RATE_LIMITED = "rate-limited-empty"
NO_CREDIT = "user-quota-exhausted"
SATURATED = "upstream-saturated"

_MOST_CALLERS = 1000


class Traffic:
    """What a request meets besides its own scenario: each question answers with a scenario's name, or nothing."""

    def __init__(self, behaviour: Behaviour, clock: Clock, bill: Bill) -> None:
        self._bill = bill
        rate, latency = behaviour.get("rate_limit"), behaviour.get("latency")
        self._window = None if rate is None else _Window(read_rate(rate), clock)
        self._latency = None if latency is None else read_latency(latency)
        self._credit, self._concurrency = behaviour.get("credit"), behaviour.get("concurrency")
        self._chaos = behaviour.get("chaos", 0.0)
        if not 0 <= self._chaos <= 1:
            raise OptionError("chaos", "a share from 0 to 1", self._chaos)
        self._random = Random(behaviour.get("seed", 0))  # noqa: S311 -- chance that can be repeated, not a secret
        self._at_work = 0

    def trouble(self, mix: Sequence[str]) -> str | None:
        """Return the scenario that this request meets by chance, one of `mix`."""
        if not self._chaos or not mix or self._random.random() >= self._chaos:
            return None
        return self._random.choice(mix)

    def at_the_door(self, key: str) -> str | None:
        """Judge a caller who is known by now."""
        if self._window is None or self._window.admits(key):
            return None
        return RATE_LIMITED

    def before_the_model(self, key: str, pictures: int) -> str | None:
        """Judge a request that is valid by now, and would be charged for `pictures`."""
        if self._concurrency is not None and self._at_work >= self._concurrency:
            return SATURATED
        if self._credit is not None and self._bill[key] + pictures > self._credit:
            return NO_CREDIT
        return None

    def duration(self) -> float:
        """Return how long the model takes this time, in seconds."""
        return 0.0 if self._latency is None else self._latency(self._random)

    def begin(self) -> None:
        """Count a request that is being answered."""
        self._at_work += 1

    def end(self) -> None:
        """Count it no more."""
        self._at_work -= 1


class _Window:
    """The family's own limiter: the times of each caller's last requests, refused ones left out."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def admits(self, key: str) -> bool:
        now = self._clock.now()
        times = self._times.setdefault(key, deque())
        self._times.move_to_end(key)
        if len(self._times) > _MOST_CALLERS:
            self._times.popitem(last=False)
        while times and times[0] <= now - self._rate.seconds:
            times.popleft()
        if len(times) >= self._rate.requests:
            return False
        times.append(now)
        return True

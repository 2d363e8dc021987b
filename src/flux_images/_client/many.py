"""Many calls at once, at the pace that the gateway allows: one limiter for all, and what was refused waits its turn."""

from __future__ import annotations

import math
import re
import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from flux_images._errors import (
    APIConnectionError,
    APIStatusError,
    ConfigurationError,
    FluxImagesError,
    InvalidRequestError,
    QuotaExceededError,
    RateLimitError,
)
from flux_images._text import is_object, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flux_images._picture.generation import Generation
    from flux_images._request.options import Limits
    from flux_images._send.limiter import Limiter

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


class Outcome(NamedTuple):
    """What became of one request: a generation, or the error that stood in its way."""

    request: Mapping[str, Any]
    """The arguments of ``generate``, as they were given."""
    generation: Generation | None
    error: FluxImagesError | None


def calls_a_second(rate: str | None) -> float | None:
    """Read such as ``"100/min"``, ``"5/s"`` or ``"1000/h"``.

    Raises:
        ConfigurationError: it is none.
    """
    if rate is None:
        return None
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)/(s|min|h)", rate)
    if not match or not float(match[1]):
        raise ConfigurationError(f"rate: expected such as '100/min', got {one_line(repr(rate), 64)}")
    return float(match[1]) / _SECONDS[match[2]]


class _Item:
    """A request that waits for its turn, or for its next."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.request = request
        self.refusals = 0
        self.since = 0.0


class Many:
    """Sends requests from threads; each outcome is handed out as soon as it is known."""

    def __init__(
        self,
        generate: Callable[..., Generation],
        requests: Iterable[str | Mapping[str, Any]],
        limiter: Limiter,
        threads: int,
        limits: Limits,
    ) -> None:
        self._generate = generate
        self._waiting = deque(_Item({"prompt": each} if isinstance(each, str) else each) for each in requests)
        self._left = len(self._waiting)
        self._limiter = limiter
        self._limits = limits
        self._changed = threading.Condition()
        self._outcomes = SimpleQueue[Outcome | BaseException]()
        self._threads = [threading.Thread(target=self._work) for _ in range(min(threads, self._left))]

    def outcomes(self) -> Iterator[Outcome]:
        """Send them all. Where the caller leaves early, nothing more is sent, and what is under way is waited for."""
        expected = self._left
        for thread in self._threads:
            thread.start()
        try:
            for _ in range(expected):
                outcome = self._outcomes.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
        finally:
            with self._changed:
                self._left = 0
                self._changed.notify_all()
            for thread in self._threads:
                thread.join()

    def _work(self) -> None:
        while (item := self._next()) is not None:
            began = time.monotonic()
            generation, error = None, None
            try:
                generation = self._generate(**item.request)
            except FluxImagesError as failed:
                error = failed
            except BaseException as failed:  # noqa: BLE001 -- a wrong argument: whoever iterates is told
                self._outcomes.put(failed)
                return
            if self._ended(item, began, error):
                self._outcomes.put(Outcome(item.request, generation, error))

    def _next(self) -> _Item | None:
        """The next request, once it may be sent; None where there is no more to do."""
        with self._changed:
            while self._left:
                wait = self._limiter.start(time.monotonic()) if self._waiting else math.inf
                if not wait:
                    return self._waiting.popleft()
                self._changed.wait(None if wait == math.inf else wait)
        return None

    def _ended(self, item: _Item, began: float, error: FluxImagesError | None) -> bool:
        """Tell the limiter; False where the request waits for another turn."""
        now = time.monotonic()
        retry_after = error.retry_after if isinstance(error, APIStatusError) else None
        refused = error is not None and _heals(error)
        with self._changed:
            self._limiter.ended(began, now, refused=refused, retry_after=retry_after)
            again = refused and self._has_patience(item, error, now, retry_after or 0.0)
            if again and self._left:
                self._waiting.appendleft(item)
            else:
                self._left = max(0, self._left - 1)
            self._changed.notify_all()
            return not again

    def _has_patience(self, item: _Item, error: FluxImagesError | None, now: float, retry_after: float) -> bool:
        """A limit is waited for as long as a call may take, all else as often as a call is tried again."""
        item.since = item.since if item.refusals else now
        item.refusals += 1
        if not isinstance(error, RateLimitError):
            return item.refusals <= self._limits.max_retries and retry_after <= self._limits.total
        return now + retry_after - item.since <= self._limits.total


def _heals(error: FluxImagesError) -> bool:
    if error.may_have_been_billed or isinstance(error, QuotaExceededError):
        return False
    if isinstance(error, APIConnectionError):
        return error.can_heal
    return isinstance(error, APIStatusError) and error.status_code in (429, 503)


def check_requests(requests: Sequence[object]) -> None:
    """Refuse what holds no prompt.

    Raises:
        InvalidRequestError: names the request.
    """
    for number, each in enumerate(requests):
        if not isinstance(each, str) and not (is_object(each) and isinstance(each.get("prompt"), str)):
            raise InvalidRequestError(f"request {number}: expected a prompt, or a dict with one")

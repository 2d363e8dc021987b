"""One run of the mock, from one reset to the next: its clock, queue, traffic, bill and journal."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from random import Random
from threading import RLock

from anyio import current_time

from flux_images_mock._gateway.exchange import Exchange
from flux_images_mock._gateway.sleepers import Sleepers
from flux_images_mock._options import (
    MOST_REQUESTS,
    Behaviour,
    OptionError,
    Options,
    Rate,
    check,
    read_latency,
    read_rate,
)
from flux_images_mock._pictures.gallery import Gallery
from flux_images_mock._request.redact import MOST_BYTES, key_of, shortened

RATE_LIMITED = "rate-limited-empty"
NO_CREDIT = "user-quota-exhausted"
SATURATED = "upstream-saturated"

_MOST_CALLERS = 1000
_MOST_KEYS = 10_000
_OTHERS = "others"
_JOURNAL_BYTES = 8 * 1024 * 1024
_ENTRY_BYTES = 1500


class State:
    """Everything in a mock that changes while it runs."""

    def __init__(self, options: Options) -> None:
        check(options, Options.__optional_keys__)
        self._options = options
        self.run = Run(options)
        self.gallery = Gallery(lambda: self.run.now())
        self.gallery.reset(options)

    def reset(self, behaviour: Behaviour | None = None) -> None:
        """Forget everything, and behave as at the start but for what `behaviour` says."""
        check(behaviour or {}, Behaviour.__optional_keys__)
        now: Options = {**self._options, **(behaviour or {})}
        run, self.run = self.run, Run(now)
        run.end()
        self.gallery.reset(now)


class Run:
    """How the gateway behaves between two resets, and what it has met. Nothing in the mock asks another clock.

    Threads may share it: ``lock`` is held by whoever changes something.
    """

    def __init__(self, options: Options) -> None:
        self.lock = RLock()
        self.bill = Bill(self.lock)
        self.traffic = Traffic(self, options)
        self.queue = Queue(options.get("scenario"), self.lock)
        self.journal = Journal(options.get("journal", MOST_REQUESTS), self.lock)
        keys = options.get("api_keys")
        self._keys = frozenset(keys) if keys else None
        self._ahead = 0.0
        self._over = False
        self._sleepers = Sleepers()
        self.wait_for_sleepers = self._sleepers.wait_for

    def knows(self, key: str) -> bool:
        """Return whether this key may come in; those that name a scenario always may."""
        return self._keys is None or key in self._keys or key.startswith("sk-mock-")

    def charge(self, exchange: Exchange, pictures: int) -> None:
        """Put pictures on the bill of whoever asked for them."""
        with self.lock:
            exchange.billed += pictures
        self.bill.charge(exchange.request.credential or "", pictures)

    def now(self) -> float:
        """Return the time in seconds since 1970: real time, and what was added to it."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once; whoever slept until then wakes up."""
        with self.lock:
            self._ahead += seconds
        self._sleepers.wake()

    def end(self) -> None:
        """End every sleep: nobody waits any more."""
        self._over = True
        self._sleepers.wake()

    async def sleep(self, seconds: float) -> bool:
        """Return when `seconds` have passed, in truth or by `advance`; or, with `False`, when a reset ended it.

        What truly passes is told by the event loop: tests freeze the clock on the wall.
        """
        due = current_time() + self._ahead + seconds
        with self._sleepers.one() as sleeper:
            while not self._over and (left := due - current_time() - self._ahead) > 0:
                await sleeper.rest(left)
        return not self._over


class Queue:
    """The scenarios that the next requests meet: those with a number of times first, then a lasting one."""

    def __init__(self, always: str | None, lock: RLock) -> None:
        self._lock = lock
        self._waiting: deque[tuple[str, int]] = deque()
        self._lasting: str | None = None
        self.always = always
        """What every request meets that asks for nothing else."""

    def put(self, name: str, times: int | None) -> None:
        """Let the next `times` requests meet a scenario, after those put before; or all, if it is `None`."""
        with self._lock:
            if times is None:
                self._lasting = name
            else:
                self._waiting.append((name, times))

    def clear(self) -> None:
        """Forget what was put."""
        with self._lock:
            self._waiting.clear()
            self._lasting = None

    def take(self, exchange: Exchange) -> str | None:
        """Return what this request is to meet. It is given back unless it strikes."""
        with self._lock:
            if not self._waiting:
                return self._lasting
            name, times = self._waiting.popleft()
            if times > 1:
                self._waiting.appendleft((name, times - 1))
            exchange.taken = name
            return name

    def settle(self, exchange: Exchange) -> None:
        """Give back what a request took and did not meet: the next one meets it."""
        name, exchange.taken = exchange.taken, None
        if name is None or (exchange.scenario is not None and exchange.scenario.name == name):
            return
        with self._lock:
            times = 1
            if self._waiting and self._waiting[0][0] == name:
                times += self._waiting.popleft()[1]
            self._waiting.appendleft((name, times))

    def entries(self) -> list[tuple[str, int | None]]:
        """Return what waits, in order."""
        with self._lock:
            lasting = [] if self._lasting is None else [(self._lasting, None)]
            return [*self._waiting, *lasting]


class Traffic:
    """How busy the gateway is: what a request meets besides its own scenario, as a scenario's name or nothing."""

    def __init__(self, run: Run, behaviour: Behaviour) -> None:
        self._run = run
        rate, latency = behaviour.get("rate_limit"), behaviour.get("latency")
        self._rate = None if rate is None else read_rate(rate)
        self._latency = None if latency is None else read_latency(latency)
        self._credit, self._concurrency = behaviour.get("credit"), behaviour.get("concurrency")
        self._chaos = behaviour.get("chaos", 0.0)
        if not 0 <= self._chaos <= 1:
            raise OptionError("chaos", "a share from 0 to 1", self._chaos)
        self._random = Random(behaviour.get("seed", 0))  # noqa: S311 -- chance that can be repeated, not a secret
        self._at_work = 0
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def trouble(self, mix: Sequence[str]) -> str | None:
        """Return the scenario that this request meets by chance, one of `mix`."""
        if not self._chaos or not mix:
            return None
        with self._run.lock:
            return self._random.choice(mix) if self._random.random() < self._chaos else None

    def at_the_door(self, key: str) -> str | None:
        """Judge a caller who is known by now."""
        return None if self._rate is None or self._admits(key, self._rate) else RATE_LIMITED

    def before_the_model(self, key: str, pictures: int) -> str | None:
        """Judge a request that is valid by now, and would be charged for `pictures`."""
        if self._concurrency is not None and self._at_work >= self._concurrency:
            return SATURATED
        if self._credit is not None and self._run.bill[key] + pictures > self._credit:
            return NO_CREDIT
        return None

    def begin(self) -> float:
        """Count a request that is being answered, and return how long the model takes this time, in seconds."""
        with self._run.lock:
            self._at_work += 1
        return 0.0 if self._latency is None else self._latency(self._random)

    def end(self) -> None:
        """Count it no more."""
        with self._run.lock:
            self._at_work -= 1

    def _admits(self, key: str, rate: Rate) -> bool:
        """Judge by the times of the caller's last requests, refused ones left out: the family's own limiter."""
        now = self._run.now()
        with self._run.lock:
            times = self._times.setdefault(key, deque())
            self._times.move_to_end(key)
            if len(self._times) > _MOST_CALLERS:
                self._times.popitem(last=False)
            while times and times[0] <= now - rate.seconds:
                times.popleft()
            if len(times) >= rate.requests:
                return False
            times.append(now)
            return True


class Bill(Mapping[str, int]):
    """Pictures billed, by key. `bill["sk-test"]` is what that key paid; the keys themselves aren't kept.

    Iterating gives a label for each key (`sk-***1f0c9a2b`), with which the bill can be read as well.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._by_label: OrderedDict[str, int] = OrderedDict()
        self.pictures = 0
        """All pictures billed."""

    def charge(self, key: str, pictures: int) -> None:
        """Add to the bill; past ten thousand keys, the longest unseen are counted together."""
        name = _label(key)
        with self._lock:
            self.pictures += pictures
            self._by_label[name] = self._by_label.get(name, 0) + pictures
            self._by_label.move_to_end(name)
            if len(self._by_label) > _MOST_KEYS:
                oldest = next(known for known in self._by_label if known != _OTHERS)
                self._by_label[_OTHERS] = self._by_label.get(_OTHERS, 0) + self._by_label.pop(oldest)

    def __getitem__(self, key: str) -> int:
        found = self._by_label.get(key)
        return self._by_label.get(_label(key), 0) if found is None else found

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._by_label))

    def __len__(self) -> int:
        return len(self._by_label)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and (key in self._by_label or _label(key) in self._by_label)

    def __repr__(self) -> str:
        return f"Bill({dict(self._by_label)})"


def _label(key: str) -> str:
    """Return a name for a key that doesn't give it away, always the same for the same key."""
    digest = blake2b(key.encode(), digest_size=4).hexdigest()
    return f"sk-***{digest}" if key.startswith("sk-") else f"***{digest}"


class Journal:
    """The last exchanges as they were, within a limit of entries and of bytes; `journal` says what of them is told."""

    def __init__(self, most: int, lock: RLock) -> None:
        self._lock = lock
        self._most = most
        self._entries: deque[tuple[Exchange, int]] = deque()
        self._bytes = 0

    def add(self, exchange: Exchange) -> None:
        """Keep an exchange; of a long body, only what may be told of it."""
        size = len(exchange.content or b"")
        if size > MOST_BYTES:
            exchange.body, exchange.content = shortened(exchange.body, key_of(exchange.request)), None
            size = MOST_BYTES
        else:
            exchange.body = None
        size += _ENTRY_BYTES + exchange.request.headers.size()
        with self._lock:
            self._entries.append((exchange, size))
            self._bytes += size
            while len(self._entries) > self._most or (self._bytes > _JOURNAL_BYTES and len(self._entries) > 1):
                self._bytes -= self._entries.popleft()[1]

    def entries(self) -> list[Exchange]:
        """Return every exchange, oldest first."""
        with self._lock:
            return [exchange for exchange, _ in self._entries]

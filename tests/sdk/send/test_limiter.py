"""The limiter against gateways that allow so much and no more, in a time of their own."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_images._send.limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[[float, int], "float | None"]
    """Takes the time and the calls under way; None lets a call in, or the seconds until the next is let in."""

REFUSAL_TAKES = 0.05


def everything() -> Rule:
    return lambda now, under_way: None


def at_once(most: int) -> Rule:
    return lambda now, under_way: None if under_way < most else 1.0


def in_windows(most: int, seconds: float) -> Rule:
    taken: dict[int, int] = {}

    def rule(now: float, under_way: int) -> float | None:
        window = int(now // seconds)
        taken[window] = taken.get(window, 0) + 1
        return None if taken[window] <= most else (window + 1) * seconds - now

    return rule


def in_any(most: int, seconds: float) -> Rule:
    taken: deque[float] = deque()

    def rule(now: float, under_way: int) -> float | None:
        while taken and taken[0] <= now - seconds:
            taken.popleft()
        if len(taken) >= most:
            return taken[0] + seconds - now
        taken.append(now)
        return None

    return rule


class Course:
    """What becomes of so many items, each sent until it is let in."""

    def __init__(self, limiter: Limiter, items: int, takes: float, rule: Rule, *, tells: bool = True) -> None:
        self.refused = 0
        self.most_at_once = 0
        self.starts: list[float] = []
        self.ends: list[float] = []
        ends: list[tuple[float, float, float | None]] = []  # when, begun, what was asked for if it was refused
        now, waiting, under_way = 0.0, items, 0
        while len(self.ends) < items:
            wait = limiter.start(now) if waiting else math.inf
            if not wait:
                waiting -= 1
                self.starts.append(now)
                asked = rule(now, under_way)
                under_way += asked is None
                heapq.heappush(ends, (now + (takes if asked is None else REFUSAL_TAKES), now, asked))
                self.most_at_once = max(self.most_at_once, limiter.in_flight)
                continue
            if now + wait < (ends[0][0] if ends else math.inf):
                now += wait
                continue
            now, began, asked = heapq.heappop(ends)
            if asked is None:
                under_way -= 1
                self.ends.append(now)
                limiter.ended(began, now)
            else:
                waiting += 1
                self.refused += 1
                limiter.ended(began, now, refused=True, retry_after=asked if tells else None)


CASES = [  # items, most at once, seconds a call, what the gateway allows, the seconds that a clairvoyant would need
    (400, 64, 1.0, lambda: in_windows(100, 10), 41),
    (400, 64, 1.0, lambda: in_any(100, 10), 41),
    (400, 64, 5.0, lambda: in_windows(100, 10), 45),
    (400, 64, 5.0, lambda: in_any(100, 10), 45),
    (5000, 2000, 10.0, lambda: in_windows(1000, 60), 260),
    (400, 64, 2.0, lambda: at_once(30), 27),
    (400, 500, 2.0, lambda: at_once(30), 27),
    (400, 64, 10.0, lambda: at_once(30), 134),
]


@pytest.mark.parametrize(("items", "most", "takes", "rule", "ideal"), CASES)
def test_it_finds_what_is_allowed(items: int, most: int, takes: float, rule: Callable[[], Rule], ideal: float) -> None:
    course = Course(Limiter(most), items, takes, rule())
    assert course.refused <= 0.05 * items
    assert course.ends[-1] <= 1.3 * ideal


@pytest.mark.parametrize(("takes", "rule"), [(1.0, lambda: in_windows(100, 10)), (2.0, lambda: at_once(30))])
def test_it_finds_it_where_no_time_is_told(takes: float, rule: Callable[[], Rule]) -> None:
    """It has to ask again and again whether it may."""
    course = Course(Limiter(64), 400, takes, rule(), tells=False)
    assert course.refused <= 0.07 * 400
    assert course.ends[-1] <= 1.3 * 41


@pytest.mark.parametrize("takes", [0.1, 8.0])
def test_a_refusal_now_and_then_slows_nobody_down(takes: float) -> None:
    """Hosts have moods. What one costs is its wait."""
    calls = itertools.count(1)
    course = Course(Limiter(64), 1000, takes, lambda now, under_way: 1.0 if next(calls) % 60 == 0 else None)
    assert course.ends[-1] <= 1.2 * (1000 / 64 * takes + takes + course.refused * (1.0 + REFUSAL_TAKES))


def test_starts_are_spread_over_the_time_that_a_call_takes() -> None:
    """Else all that began at once is answered at once, and the next begin at once again."""
    course = Course(Limiter(2000), 12_000, 10.0, everything())
    steady = [end for end in course.ends if 30 <= end < 60]
    assert len(steady) >= 0.98 * 200 * 30
    assert max(sum(start <= other < start + 0.1 for other in steady) for start in range(30, 59)) <= 40


@pytest.mark.parametrize(("rate", "items"), [(10.0, 300), (0.5, 40)])
def test_a_rate_is_never_passed(rate: float, items: int) -> None:
    starts = Course(Limiter(64, rate=rate), items, 0.2, everything()).starts
    assert all(later - earlier >= 1 / rate - 1e-9 for earlier, later in itertools.pairwise(starts))
    assert starts[-1] <= 1.01 * items / rate


def test_all_wait_as_long_as_the_gateway_asked_and_one_goes_ahead() -> None:
    """A refusal after the wait would otherwise meet everybody."""
    limiter = Limiter(2)
    assert limiter.start(0.0) == 0
    assert limiter.start(1.0) == 0
    limiter.ended(1.0, 1.5, refused=True, retry_after=7.0)
    limiter.ended(0.0, 1.5)
    assert limiter.start(1.5) == pytest.approx(7.0)
    assert limiter.start(8.5) == 0
    assert limiter.start(8.5) >= 2 * 0.5


def test_refusals_in_a_row_without_a_time_are_answered_with_longer_waits() -> None:
    limiter = Limiter(1)
    now, waits = 0.0, []
    for _ in range(9):
        assert not limiter.start(now)
        limiter.ended(now, now + 0.05, refused=True)
        waits.append(round(limiter.paused_until - now - 0.05, 6))
        now = limiter.paused_until
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


@given(
    most=st.integers(1, 300),
    takes=st.floats(0.01, 30),
    allowed=st.integers(1, 50),
    seconds=st.floats(0.1, 60),
    tells=st.booleans(),
    items=st.integers(1, 120),
)
def test_it_comes_to_an_end_and_keeps_to_the_most(
    most: int, takes: float, allowed: int, seconds: float, tells: bool, items: int
) -> None:
    """Whatever the gateway allows: no call is forgotten, and nobody waits for ever."""
    course = Course(Limiter(most), items, takes, in_windows(allowed, seconds), tells=tells)
    assert course.most_at_once <= most
    assert len(course.ends) == items
    assert course.ends[-1] < (items / allowed + 2) * (seconds + 60) * 3 + items * takes * 70

"""How many calls may be under way, and how soon the next may follow: what a gateway allows is learned from its 429s.

A window of calls, whose starts are spread over the time that a call takes. It doubles each second until refusals are
more than now and then. From there on it is cut a little whenever they are, comes back within ``RECOVERY`` seconds,
slower the nearer it comes to where it was, and then tries a little more. A refusal makes everybody wait, and one call
goes ahead of the others after it. No clock and no I/O: the caller says what time it is, in seconds.
"""

from __future__ import annotations

import math

FIRST = 16
"""Calls at once to begin with."""
_DOUBLES = 1.0
_CUT = 0.8
RECOVERY = 15.0
"""Seconds until the window is as large again as before a refusal."""
_LONGEST_GAP = 60.0
_FIRST_GAP = 0.005
"""Seconds between starts while nobody knows how long a call takes: thousands at once would be answered at once."""
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 30.0
_NOW_AND_THEN = 0.02
"""The share of refusals, of the last hundred calls or so, that says nothing: hosts have moods."""
_FADES = 0.99


class Limiter:
    """Paces calls that share a key; ``most`` is never passed, nor ``rate`` (calls a second).

    ``start`` begins a call, ``ended`` ends it: each exactly once, from one thread at a time.
    """

    def __init__(self, most: int, *, rate: float | None = None) -> None:
        self._most = most
        self._shortest_gap = 1 / rate if rate else 0.0
        self.in_flight = 0
        self.window = float(min(most, FIRST))
        """How many calls at once seem to be allowed now."""
        self.paused_until = -math.inf
        """Nothing starts before: the gateway asked for it."""
        self._next = -math.inf
        self._grown: float | None = None
        self._peak = 0.0
        self._cut: float | None = None
        self._let_in = 0  # since the cut
        self._lately_let_in = 0.0
        self._lately_refused = 0.0
        self._answer_takes = 0.0
        self._refusal_takes = 0.0
        self._pauses = 0  # one after the other
        self._feels_its_way = False

    def start(self, now: float) -> float:
        """Begin a call, if one may begin now: 0.0. Otherwise the seconds after which to ask again.

        They are infinite if only the end of a call can change anything; after each ``ended``, ask at once.
        """
        if self.in_flight >= self._most:
            return math.inf
        self._grow(now)
        at = max(self._next, self.paused_until)
        if self.in_flight >= max(1, int(self.window)):
            at = max(at, self._room_at(self.in_flight + 1))
        if at > now:
            return at - now
        self.in_flight += 1
        gap = max(self._shortest_gap, self._answer_takes / self.window if self._answer_takes else _FIRST_GAP)
        if self._feels_its_way:
            gap = max(gap, 2 * self._refusal_takes)
            self._feels_its_way = False
        self._next = now + gap
        return 0.0

    def ended(self, began: float, now: float, *, refused: bool = False, retry_after: float | None = None) -> None:
        """End a call that ``start`` began at ``began``.

        ``refused`` says that the gateway takes no more for the moment (429, or 503 with such words), ``retry_after``
        for how long, in seconds, if it said so.
        """
        self.in_flight -= 1
        self._lately_let_in *= _FADES
        self._lately_refused *= _FADES
        if not refused:
            self._answer_takes = _mean(self._answer_takes, now - began)
            self._let_in += 1
            self._lately_let_in += 1
            self._pauses = 0
            return
        self._lately_refused += 1
        self._refusal_takes = _mean(self._refusal_takes, now - began)
        if self._lately_refused > 1 + _NOW_AND_THEN * self._lately_let_in and (
            self._cut is None or (began >= self._cut and self._let_in)
        ):
            self._grow(now)
            self._cut_at(now, self._allowed(now))
        self._pause(began, now, retry_after)

    def _allowed(self, now: float) -> float:
        """The window that would have been right: where hardly any was let in since the last cut, what those made up."""
        if self._cut is None or self._let_in >= self.window:
            return self.window
        return max(self._let_in / (now - self._cut) * self._answer_takes, self.window / 2)

    def _cut_at(self, now: float, peak: float) -> None:
        self._peak = peak
        self._cut = now
        self._let_in = 0
        self._lately_refused = 0.0

    def _pause(self, began: float, now: float, retry_after: float | None) -> None:
        """A refusal without a time counts once for all that was under way with it; the next in a row lasts longer."""
        if retry_after is None:
            if began < self.paused_until:
                return
            retry_after = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._pauses)
            self._pauses += 1
        self.paused_until = max(self.paused_until, now + retry_after)
        self._feels_its_way = True

    def _grow(self, now: float) -> None:
        if self._cut is not None:
            recovered = max(0.0, now - self._recovers_from()) / RECOVERY
            window = self._peak * (1 + (1 - _CUT) * (recovered - 1) ** 3)
            self.window = max(self._answer_takes / _LONGEST_GAP, min(self._most, window))
        elif self._grown is None:
            self._grown = now
        elif self.in_flight >= int(self.window) and now >= self._grown + _DOUBLES:
            self.window = min(self._most, self.window * 2)
            self._grown = now

    def _room_at(self, calls: int) -> float:
        """When the window is as large."""
        if self._cut is None:
            return (self._grown or 0.0) + _DOUBLES
        return self._recovers_from() + RECOVERY * (1 + math.cbrt((calls / self._peak - 1) / (1 - _CUT))) + 1e-6

    def _recovers_from(self) -> float:
        return max(self._cut or 0.0, self.paused_until)


def _mean(before: float, value: float) -> float:
    return before + (value - before) / 8 if before else value

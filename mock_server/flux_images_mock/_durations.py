"""Durations, rates and latencies as people write them: `8s`, `10/min`, `2s..12s`, `lognormal:8s,0.4`."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Latency = Callable[[Random], float]
    """Draws how long an answer takes, in seconds."""

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_DURATION = re.compile(rf"({_NUMBER})(ms|s|min|h)?", re.ASCII)
_RATE = re.compile(r"([1-9][0-9]{0,4})/([0-9]{0,4})(s|min|h)", re.ASCII)
_LOGNORMAL = re.compile(rf"lognormal:([^,]+),({_NUMBER})", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


class OptionError(ValueError):
    """An option that can't be read; the text says which, what was expected and what was given."""

    def __init__(self, option: str, expected: str, got: object) -> None:
        super().__init__(f"{option}: expected {expected}, got {got!r}")


class Rate(NamedTuple):
    """At most so many `requests` in any `seconds`."""

    requests: int
    seconds: float


def read_duration(text: str | float, option: str) -> float:
    """Return seconds; a number without a unit is in seconds."""
    match = _DURATION.fullmatch(str(text))
    if match is None:
        raise OptionError(option, "a duration such as 8s, 500ms or 10min", text)
    return float(match[1]) * _SECONDS[match[2] or "s"]


def read_rate(text: str) -> Rate:
    """Return a rate limit."""
    match = _RATE.fullmatch(text)
    if match is None or match[2] == "0":
        raise OptionError("rate_limit", "a count up to 99999 and a time, such as 10/min or 5/10s", text)
    return Rate(int(match[1]), int(match[2] or 1) * _SECONDS[match[3]])


def read_latency(text: str | float) -> Latency:
    """Return a latency: always the same, uniform between two, or log-normal with a median and a sigma."""
    written = str(text)
    lognormal = _LOGNORMAL.fullmatch(written)
    if lognormal is not None:
        median, sigma = read_duration(lognormal[1], "latency"), float(lognormal[2])
        if not median:
            raise OptionError("latency", "a median above 0", text)
        return lambda random: random.lognormvariate(math.log(median), sigma)
    first, dots, last = written.partition("..")
    low = read_duration(first, "latency")
    high = read_duration(last, "latency") if dots else low
    return lambda random: random.uniform(low, high)

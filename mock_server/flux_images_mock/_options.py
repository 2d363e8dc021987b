"""The mock's options, and the durations, rates and latencies among them: `8s`, `10/min`, `lognormal:8s,0.4`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple, TypedDict, cast

Latency = Callable[[Random], float]
"""Draws how long an answer takes, in seconds."""

MAX_BODY = 128 * 1024 * 1024
HEADER_TIMEOUT = 10.0
MOST_REQUESTS = 1000

Auth = Literal["strict", "gateway"]
Size = Literal["preview", "full"]

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_DURATION = re.compile(rf"({_NUMBER})(ms|s|min|h)?", re.ASCII)
_RATE = re.compile(r"([1-9][0-9]{0,4})/([0-9]{0,4})(s|min|h)", re.ASCII)
_LOGNORMAL = re.compile(rf"lognormal:([^,]+),({_NUMBER})", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


_LIMITS = ("credit", "concurrency", "journal", "max_body", "header_timeout")


class Behaviour(TypedDict, total=False):
    """How the gateway behaves: what `reset` can change while it runs."""

    scenario: str
    """Every request meets this scenario, unless it asks for another."""
    api_keys: Sequence[str]
    """The keys that may come in; any well-formed one by default."""
    rate_limit: str
    """Requests of one key in a time, such as `10/min`; more get 429."""
    credit: int
    """Pictures that each key can pay for; more get the quota error."""
    concurrency: int
    """Requests that are answered at the same time; more get 429."""
    latency: str | float
    """How long an answer takes: `8s`, `2s..12s`, or `lognormal:8s,0.4` (median and sigma)."""
    chaos: float
    """The share of requests, from 0 to 1, that meet a scenario by chance."""
    seed: int
    """What makes latency and chaos the same each time."""
    size: Size
    """`preview` draws 512 pixels on the longer side, `full` the 4 megapixels of the real model."""
    url_ttl: str | float
    """How long the address of a picture is valid; 10 minutes by default."""


class Options(Behaviour, total=False):
    """What can be said of a mock beyond its description."""

    auth: Auth
    """`gateway` reads the Authorization header as older One API does: a raw key is taken, `bearer` is not."""
    scenarios: Sequence[Path | str]
    """Folders with scenario files of your own."""
    journal: int
    """How many requests are remembered; 1000 by default, fewer where they are large."""
    allow_hosts: Sequence[str]
    """Names besides localhost and loopback addresses under which the control API answers."""
    max_body: int
    """The largest request body, in bytes; 128 MiB by default, as in most gateways of the family."""
    check_answers: bool
    """Whether drawn and sampled answers are checked against the description before they are sent (they are)."""
    header_timeout: float
    """How long a request's head may take to arrive, in seconds; its body may take longer if a KiB a second comes."""
    lenient: bool
    """Whether a description with keywords that can't be honoured is served all the same."""


def check(given: Mapping[str, object], known: frozenset[str]) -> None:
    """Raise `TypeError` if an option is given that isn't known, and `OptionError` for a limit below 0."""
    unknown = sorted(set(given) - known)
    if unknown:
        raise TypeError(f"unknown option {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for name in _LIMITS:
        limit = cast("float", given.get(name, 0))
        if not limit >= 0:
            raise OptionError(name, "0 or more", limit)


class OptionError(ValueError):
    """An option that can't be read; the text says which, what was expected and what was given."""

    def __init__(self, option: str, expected: str, got: object) -> None:
        self.option, self.expected, self.got = option, expected, got
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

"""When to try again, and after how long."""

from __future__ import annotations

import time
from typing import Any

import pytest

import flux_images as flux
from flux_images._request.options import Limits
from flux_images._send.retry import (
    FIRST_WAIT,
    LONGEST_BACKOFF,
    LONGEST_RETRY_AFTER,
    backoff,
    retry_after_seconds,
    wait_before_next,
)

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("17", 17.0),
        (" 17 ", 17.0),
        ("+17", 17.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 08:00:30", 30.0),
        ("Friday, 15-Jan-27 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Fri, 15 Jan 2027 09:00:00 +0100", 0.0),
        ("999999999999999", 999999999999999.0),
        (None, None),
        ("", None),
        ("inf", None),
        ("-inf", None),
        ("nan", None),
        ("1e400", None),
        ("9" * 400, None),
        ("1_000", None),
        ("0x10", None),
        ("１７", None),
        ("17 seconds", None),
        ("soon", None),
        ("Fri, 99 Foo 2027 08:00:30 GMT", None),
        ("Fri, 15 Jan 99999999999 08:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_as_it_is_meant(header: str | None, seconds: float | None) -> None:
    """Seconds, dates and past dates are understood; everything else is no wait at all."""
    assert retry_after_seconds(header, NOW) == seconds


def test_retry_after_counts_from_now() -> None:
    """A date long past is over, whatever the clock says."""
    assert retry_after_seconds("Fri, 15 Jan 1999 08:00:30 GMT") == 0.0


def _status(
    kind: type[flux.APIStatusError], status: int, *, billed: bool = False, **fields: Any
) -> flux.APIStatusError:
    return kind("x", status_code=status, may_have_been_billed=billed, **fields)


CONNECT = flux.APIConnectionError("x")
BROKEN = flux.APIConnectionError("x", may_have_been_billed=True)
BUSY = _status(flux.RateLimitError, 429)
NO_CHANNEL = _status(flux.ModelUnavailableError, 503)
FAILED = _status(flux.InternalServerError, 500, billed=True)


@pytest.mark.parametrize(
    ("error", "limits", "attempt", "elapsed", "free", "again"),
    [
        (CONNECT, Limits(), 1, 0.0, False, True),
        (CONNECT, Limits(), 2, 0.0, False, True),
        (CONNECT, Limits(), 3, 0.0, False, False),
        (CONNECT, Limits(max_retries=0), 1, 0.0, False, False),
        (CONNECT, Limits(total=10), 1, 9.8, False, False),
        (CONNECT, Limits(total=10), 1, 9.7, False, True),
        (BUSY, Limits(), 1, 0.0, False, True),
        (NO_CHANNEL, Limits(), 1, 0.0, False, True),
        (BROKEN, Limits(), 1, 0.0, False, False),
        (BROKEN, Limits(retry_possibly_billed=True), 1, 0.0, False, True),
        (FAILED, Limits(), 1, 0.0, False, False),
        (FAILED, Limits(), 1, 0.0, True, False),
        (FAILED, Limits(retry_possibly_billed=True), 1, 0.0, False, True),
        (_status(flux.InternalServerError, 500), Limits(), 1, 0.0, True, True),
        (_status(flux.InternalServerError, 599), Limits(), 1, 0.0, True, True),
        (_status(flux.InternalServerError, 500), Limits(), 1, 0.0, False, False),
        (_status(flux.APIStatusError, 600), Limits(), 1, 0.0, True, False),
        (_status(flux.APIStatusError, 408), Limits(), 1, 0.0, True, True),
        (_status(flux.APIStatusError, 409), Limits(), 1, 0.0, True, True),
        (_status(flux.APIStatusError, 410), Limits(), 1, 0.0, True, False),
        (_status(flux.AuthenticationError, 401), Limits(), 1, 0.0, True, False),
        (_status(flux.BadRequestError, 400), Limits(retry_possibly_billed=True), 1, 0.0, True, False),
        (_status(flux.QuotaExceededError, 429), Limits(), 1, 0.0, True, False),
        (flux.UnexpectedResponseError("x"), Limits(retry_possibly_billed=True), 1, 0.0, False, False),
        (flux.UnexpectedResponseError("x", truncated=True), Limits(retry_possibly_billed=True), 1, 0.0, False, True),
        (flux.UnexpectedResponseError("x", truncated=True), Limits(), 1, 0.0, False, False),
        (flux.UnexpectedResponseError("x", truncated=True, may_have_been_billed=False), Limits(), 1, 0.0, True, True),
        (flux.UnexpectedResponseError("x", truncated=True, may_have_been_billed=False), Limits(), 1, 0.0, False, False),
        (flux.UnexpectedResponseError("x", may_have_been_billed=False), Limits(), 1, 0.0, True, False),
        (_status(flux.RateLimitError, 429, retry_after=60.0), Limits(), 1, 0.0, False, True),
        (_status(flux.RateLimitError, 429, retry_after=60.1), Limits(), 1, 0.0, False, False),
        (_status(flux.RateLimitError, 429, retry_after=60.0), Limits(total=60), 1, 0.0, False, False),
    ],
)
def test_only_what_can_heal_and_cost_nothing_is_tried_again(
    error: flux.FluxImagesError, limits: Limits, attempt: int, elapsed: float, free: bool, again: bool
) -> None:
    """Kind, billing, attempts, total time and the gateway's own wait decide."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flux_images._send.retry.FIRST_WAIT", 0.5)
        wait = wait_before_next(limits, error, attempt, elapsed, free=free, jitter=lambda: 0.5)
    assert (wait is not None) is again


def test_an_operation_costs_money_unless_said_otherwise() -> None:
    """A server error of which nothing is known is not tried again."""
    assert wait_before_next(Limits(), _status(flux.InternalServerError, 500), 1, 0.0) is None
    assert wait_before_next(Limits(), _status(flux.InternalServerError, 500), 1, 0.0, free=True) is not None


def test_the_jitter_is_the_caller_s() -> None:
    """It scales the wait; a gateway's shorter wait does not cut it."""
    error = _status(flux.RateLimitError, 429, retry_after=1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flux_images._send.retry.FIRST_WAIT", 2.0)
        assert wait_before_next(Limits(), error, 2, 0.0, jitter=lambda: 0.75) == 3.0


def test_the_gateway_s_wait_is_kept() -> None:
    """A Retry-After is waited out in full, and never shortened by the backoff."""
    assert wait_before_next(Limits(), _status(flux.RateLimitError, 429, retry_after=7.0), 1, 0.0) == 7.0


def test_backoff_doubles_with_full_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are drawn from nothing up to twice the last bound, up to a cap."""
    monkeypatch.setattr("flux_images._send.retry.FIRST_WAIT", 0.5)
    assert [backoff(attempt, lambda: 1.0) for attempt in (1, 2, 3, 4, 5, 6)] == [0.5, 1, 2, 4, 8, LONGEST_BACKOFF]
    assert backoff(10_000, lambda: 1.0) == LONGEST_BACKOFF
    assert backoff(3, lambda: 0.25) == 0.5
    assert backoff(3, lambda: 0.0) == 0.0
    assert len({backoff(1) for _ in range(20)}) > 1


def test_the_defaults_are_those_documented() -> None:
    """Two retries, ten minutes in all, and nothing that may have been billed."""
    assert Limits()[1:] == (600.0, 2, False)
    assert (FIRST_WAIT, LONGEST_BACKOFF, LONGEST_RETRY_AFTER) == (0.5, 8.0, 60.0)


def test_a_date_without_a_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever this machine is."""
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", "XYZ-9")
            time.tzset()
            assert retry_after_seconds("Fri, 15 Jan 2027 08:00:30", NOW) == 30.0
    finally:
        time.tzset()

"""When to try again, and after how long: pure functions of (error, attempt, elapsed).

Only what is surely unbilled and can heal is tried again: a connection that was never made, a full pool,
a 429, a 503 without a channel. An operation that costs nothing also retries broken connections, cut answers,
timeouts and every answer from 500 up. Waits follow exponential backoff with full jitter, or the gateway's Retry-After.
"""

from __future__ import annotations

import random
import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from flux_images._errors import (
    APIConnectionError,
    APIStatusError,
    FluxImagesError,
    ModelUnavailableError,
    QuotaExceededError,
    RateLimitError,
    UnexpectedResponseError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_images._request.options import Limits

FIRST_WAIT = 0.5
"""The longest wait before the second attempt, in seconds; it doubles with each attempt."""
LONGEST_BACKOFF = 8.0
LONGEST_RETRY_AFTER = 60.0
"""A gateway that asks for a longer wait gets none: the error is raised at once, with ``retry_after``."""

_SECONDS = r"[+-]?[0-9]{1,15}(\.[0-9]{0,9})?"


def wait_before_next(
    limits: Limits,
    error: FluxImagesError,
    attempt: int,
    elapsed: float,
    *,
    free: bool = False,
    jitter: Callable[[], float] = random.random,
) -> float | None:
    """Seconds to wait before the next attempt, or None to give up.

    ``attempt`` counts from 1, ``elapsed`` is the call's time so far in seconds, ``free`` says that the
    operation never costs money, ``jitter`` gives a number in [0, 1).
    """
    if attempt > limits.max_retries or not _can_heal(error, limits, free=free):
        return None
    asked = error.retry_after if isinstance(error, APIStatusError) else None
    if asked is not None and asked > LONGEST_RETRY_AFTER:
        return None
    wait = max(asked or 0.0, backoff(attempt, jitter))
    return wait if elapsed + wait < limits.total else None


def _can_heal(error: FluxImagesError, limits: Limits, *, free: bool) -> bool:
    if isinstance(error, QuotaExceededError):
        return False
    if isinstance(error, APIConnectionError) and not error.can_heal:
        return False
    if error.may_have_been_billed and not limits.retry_possibly_billed:
        return False
    if isinstance(error, APIConnectionError | RateLimitError | ModelUnavailableError):
        return True
    if not (free or limits.retry_possibly_billed):
        return False
    if isinstance(error, UnexpectedResponseError):
        return error.truncated
    return isinstance(error, APIStatusError) and (error.status_code in (408, 409) or 500 <= error.status_code < 600)


def backoff(attempt: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds to wait after attempt number ``attempt`` failed: exponential, with full jitter."""
    return min(LONGEST_BACKOFF, FIRST_WAIT * 2.0 ** min(attempt - 1, 16)) * jitter()


def retry_after_seconds(value: str | None, now: float | None = None) -> float | None:
    """Read a Retry-After header: seconds, perhaps with a fraction, or an HTTP date. None for anything else.

    A past date and a negative number are 0: the gateway means "now". ``now`` is in seconds since 1970.
    """
    text = (value or "").strip()
    if re.fullmatch(_SECONDS, text):
        return max(float(text), 0.0)
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:  # an HTTP date is always in UTC
            date = date.replace(tzinfo=UTC)
        return max(date.timestamp() - (time.time() if now is None else now), 0.0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

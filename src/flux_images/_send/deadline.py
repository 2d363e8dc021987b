"""When the synchronous call of this thread must be over.

Asynchronous calls need no such thing: cancelling ends them at any point.
"""

from __future__ import annotations

import contextlib
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_end: ContextVar[float | None] = ContextVar("flux_images_end", default=None)


@contextlib.contextmanager
def ends_in(seconds: float) -> Generator[None]:
    """Bound what the block sends and receives over the connections of ``_network``."""
    before = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(before)


def shortened(limit: float | None) -> float | None:
    """A limit in seconds, cut to what is left; it is 0 or less when the time is up. None is no limit."""
    end = _end.get()
    if end is None:
        return limit
    left = end - time.monotonic()
    return left if limit is None else min(limit, left)

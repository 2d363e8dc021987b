"""The mock's one clock: real time, and what was added to it."""

from __future__ import annotations

import time


class Clock:
    """Seconds since 1970 as the mock sees them. Nothing in the mock asks any other clock what time it is."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._ahead += seconds

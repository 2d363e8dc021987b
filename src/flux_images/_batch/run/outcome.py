"""What an error means for the item that it met, and for the run."""

from __future__ import annotations

from typing import NamedTuple

from flux_images._batch.ledger.states import PENDING, REFUSED, UNKNOWN, WAITING
from flux_images._batch.ledger.writer import LedgerError
from flux_images._errors import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    FluxImagesError,
    ModelUnavailableError,
    PendingGenerationError,
    QuotaExceededError,
    RateLimitError,
)


class Outcome(NamedTuple):
    """The state of the item; whether all stops; whether the gateway asked everybody to wait."""

    state: str
    stops: bool = False
    waits: bool = False
    failed: bool = True
    """Whether it counts as a failure of the gateway, of which too many in a row stop the run."""


_UNKNOWN = Outcome(UNKNOWN)
_OUTCOMES: tuple[tuple[type[FluxImagesError], Outcome], ...] = (
    (AuthenticationError, Outcome(WAITING, stops=True)),
    (QuotaExceededError, Outcome(WAITING, stops=True)),
    (ConfigurationError, Outcome(WAITING, stops=True)),
    (ClientClosedError, Outcome(WAITING, stops=True)),
    (LedgerError, Outcome(WAITING, stops=True)),
    (RateLimitError, Outcome(WAITING, waits=True, failed=False)),
    (ModelUnavailableError, Outcome(REFUSED)),
    (APIConnectionError, Outcome(WAITING, waits=True)),
)
_BUSY = 503


def outcome_of(error: FluxImagesError) -> Outcome:
    """What becomes of an item: only what surely cost nothing may be sent again by itself."""
    if isinstance(error, PendingGenerationError):
        return Outcome(PENDING, failed=False)
    if error.may_have_been_billed:
        return _UNKNOWN
    if isinstance(error, APIStatusError) and error.status_code == _BUSY:
        return Outcome(WAITING, waits=True, failed=isinstance(error, ModelUnavailableError))
    return next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), Outcome(REFUSED))


def reason_of(error: FluxImagesError) -> str:
    """Why it failed, in words that are the same for all that failed alike: without the id, which is noted apart."""
    text = f"{error.status_code}: {error.message}" if isinstance(error, APIStatusError) else error.message
    return text.replace(error.request_id, "...") if error.request_id else text

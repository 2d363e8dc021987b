"""What a person or a program is told while a batch runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from pathlib import Path


class Result(NamedTuple):
    """What became of one request.

    ``state`` is one of the ledger's; ``files`` are the pictures that were saved; ``reason`` says why something is
    missing, and ``may_have_been_billed`` whether it can have cost money all the same.
    """

    id: str
    state: str
    files: tuple[Path, ...] = ()
    reason: str | None = None
    request_id: str | None = None
    may_have_been_billed: bool = False


class Progress(NamedTuple):
    """How far a batch is: items by state, and how fast it goes.

    ``rate`` is in pictures a second over the last half minute, ``left_seconds`` an estimate from it, ``window`` the
    calls at once that the gateway seems to allow now, ``paused`` the seconds for which it asked everybody to wait,
    ``stopping`` why nothing more is sent.
    """

    states: Mapping[str, int]
    in_flight: int
    fetching: int
    window: int
    rate: float
    left: int
    left_seconds: float | None
    spent: int
    images_left: int | None
    cost: Decimal | None
    paused: float
    stopping: str | None
    last: Path | None

"""What the ledger's rows are to the rest of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flux_images._batch.ledger.states import FREE, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flux_images._batch.input.prompts import BadLine


class Item(NamedTuple):
    """A request in the ledger."""

    no: int
    id: str
    request: str
    asked: int
    state: str
    task_id: str | None = None
    request_id: str | None = None


class Picture(NamedTuple):
    """A picture that was paid for, the ``part``-th of its request from 1: where it comes from, and where it lies."""

    no: int
    part: int
    address: str | None = None
    file: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    media_type: str | None = None
    saved: bool = False
    problem: str | None = None


class Change(NamedTuple):
    """What becomes of an item. ``folder`` is where a file of it was put, which is to last too."""

    item: Item
    state: str
    reason: str | None = None
    request_id: str | None = None
    task_id: str | None = None
    pictures: Sequence[Picture] = ()
    folder: Path | None = None


class Loaded(NamedTuple):
    """What a load did.

    How many requests are listed and new, how many of those listed wait, with how many pictures, and what could not be
    taken, of which the first are named.
    """

    listed: int
    new: int
    waiting: int
    pictures: int
    bad: list[BadLine]
    bad_count: int


class Tally(dict[str, tuple[int, int]]):
    """The items and the pictures asked for, in each state."""

    def add(self, state: str, items: int, pictures: int) -> None:
        """Count some more."""
        before = self.get(state, (0, 0))
        self[state] = before[0] + items, before[1] + pictures

    def restore(self, before: dict[str, tuple[int, int]]) -> None:
        """Be as it was."""
        self.clear()
        self.update(before)

    @property
    def spent(self) -> int:
        """Pictures that were or may have been paid for."""
        return sum(pictures for state, (_, pictures) in self.items() if state not in FREE)

    @property
    def items_in_all(self) -> int:
        """How many requests there are."""
        return sum(items for state, (items, _) in self.items() if state in STATES)

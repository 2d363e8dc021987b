"""The books of a batch beside those of the gateway: what is on the disk, in the ledger, and on the bill."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from flux_images._batch.ledger.states import SAVED
from flux_images._picture.check import check_picture
from flux_images_mock import MockServer


class Books(NamedTuple):
    states: Counter[str]
    """Of items."""
    asked: Counter[str]
    """Pictures asked for, by state."""
    saved: int
    """Whole pictures that the ledger knows."""
    billed: int
    twice: list[str]
    """Prompts that were billed more than once."""


def books(folder: Path, mock: MockServer) -> Books:
    """Look at everything; names, wholeness and leftovers are checked here."""
    with sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True) as ledger:
        items = ledger.execute("SELECT state, asked FROM item").fetchall()
        files = [file for (file,) in ledger.execute("SELECT file FROM picture WHERE saved")]
        tally = {state: count for state, count, _ in ledger.execute("SELECT * FROM tally") if count}
    ledger.close()
    assert len({file.lower() for file in files}) == len(files)
    for file in files:
        with (folder / file).open("rb") as picture:
            check_picture(picture)
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.*g") if not path.name.startswith(".")}
    assert found == set(files), "a file that the ledger does not know, or the other way round"
    assert not list((folder / ".part").iterdir())
    asked: Counter[str] = Counter()
    for state, pictures in items:
        asked[state] += pictures
    states = Counter(state for state, _ in items)
    assert tally == dict(states)
    prompts = Counter(entry.body["prompt"] for entry in mock.requests if entry.billed)
    billed = sum(entry.billed for entry in mock.requests)
    assert billed == mock.bill.pictures
    return Books(states, asked, len(files), billed, [prompt for prompt, count in prompts.items() if count > 1])


def assert_nothing_lost(found: Books) -> None:
    """The promises: nothing twice; and what was billed is here, or is said to be unknown."""
    assert found.twice == []
    assert (
        found.saved
        <= found.billed
        <= found.saved
        + sum(count for state, count in found.asked.items() if state not in (SAVED, "waiting", "refused"))
    )

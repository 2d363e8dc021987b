"""What a person or a program sees of a batch while it runs, and at its end."""

from __future__ import annotations

import json
import shlex
import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flux_images._text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import RenderableType

    from flux_images._batch.job import Batch
    from flux_images._batch.run.progress import Progress, Result

_EVERY = 10.0
"""Seconds between two lines where nobody looks at a terminal."""
_CURES = {
    "refused": "flux-images batch retry {folder} --failed",
    "unknown": "flux-images batch retry {folder} --unknown   # may pay twice",
    "expired": "flux-images batch retry {folder} --expired   # pays twice",
    "broken": "the same command again fetches them again, for free",
    "pending": "the same command again, with --task-path, asks for them",
}


class Display:
    """A live view on a terminal, lines elsewhere, JSON for programs. All but the JSON goes to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self._json = as_json
        self._console = Console(stderr=True)
        self._live: Live | None = None
        self._total = 0
        self._told = 0.0
        self._note = ""
        self._preview: tuple[Path, RenderableType] | None = None

    def begin(self, batch: Batch, concurrency: int) -> None:
        """Say what is about to happen."""
        requests, pictures = batch.waiting
        self._total = sum(batch.counts().values())
        done = self._total - requests
        if not self._json:
            more = f"; {done:,} are done" if done else ""
            risk = f". At most {concurrency} are under way: that many a crash can leave in doubt" if requests else ""
            self.note(f"{requests:,} requests to send, for {pictures:,} pictures{more}{risk}")
        if not self._json and self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
            self._live.start()

    def progress(self, now: Progress) -> None:
        """Show how far it is; called from the batch's thread."""
        if self._live:
            self._live.update(self._view(now))
        elif not self._json and time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            self._console.print(Text(_line(now)), soft_wrap=True)

    def result(self, result: Result) -> None:
        """Tell a program what became of a request."""
        if self._json:
            told = {**result._asdict(), "files": [str(file) for file in result.files]}
            print(json.dumps(told, ensure_ascii=False), flush=True)

    def note(self, text: str) -> None:
        """Say something once."""
        if self._live:
            self._note = text
        else:
            self._console.print(Text(text), soft_wrap=True)

    def end(self) -> None:
        """Leave the terminal as it was."""
        if self._live:
            self._live.stop()
            self._live = None

    def _view(self, now: Progress) -> RenderableType:
        done = self._total - now.states["waiting"] - now.states["sent"]
        table = Table.grid(padding=(0, 2))
        table.add_row(
            "", ProgressBar(total=max(1, self._total), completed=done, width=40), f"{done:,} / {self._total:,}"
        )
        for label, text in (
            ("", counts(now.states)),
            ("now", f"{now.in_flight} under way, {now.fetching} being fetched, the gateway allows {now.window}"),
            (
                "pace",
                f"{now.rate:.1f} pictures a second" + (f", {_time(now.left_seconds)} left" if now.left_seconds else ""),
            ),
            ("spent", _spent(now)),
            ("", f"the gateway asked to wait: {now.paused:.0f} s" if now.paused else ""),
            ("", now.stopping or self._note),
        ):
            if text:
                table.add_row(label, Text(one_line(text, 200)))
        preview = self._shown(now.last)
        return Group(table, preview) if preview else table

    def _shown(self, last: Path | None) -> RenderableType | None:
        """The last picture, small, in blocks of two colours: other means don't move with what is redrawn."""
        if last is None or self._console.no_color:
            return None
        if self._preview is None or (self._preview[0] != last and time.monotonic() - self._told > 2):
            from textual_image.renderable import HalfcellImage  # slow to import

            self._told = time.monotonic()
            self._preview = last, HalfcellImage(last, width=24)
        return self._preview[1]


def counts(states: Mapping[str, int]) -> str:
    """The states that occur."""
    return ", ".join(f"{count:,} {state}" for state, count in states.items() if count) or "nothing yet"


def summary(batch: Batch, folder: Path, *, as_json: bool) -> None:
    """The end of a run: what there is, what went wrong and how to mend it."""
    states = batch.counts()
    stopped = batch.stopped
    failures = batch.failures
    if as_json:
        facts: dict[str, Any] = {"states": states, "stopped": stopped and stopped[0], "spent_images": batch.spent}
        print(json.dumps({"summary": facts}))
        return
    print(f"{counts(states)} in {folder}")
    said = sys.stderr
    if stopped:
        print(f"flux-images: ended early: {one_line(stopped[1], 500)}; the same command goes on from here", file=said)
    for state, reason, count in failures:
        print(f"flux-images: {count:,} {state}: {one_line(reason, 300)}", file=said)
    for state, cure in _CURES.items():
        if states.get(state):
            print(f"flux-images: {state}: {cure.format(folder=shlex.quote(str(folder)))}", file=said)


def _line(now: Progress) -> str:
    left = f", {_time(now.left_seconds)} left" if now.left_seconds else ""
    why = f"; {now.stopping}" if now.stopping else ""
    return f"{counts(now.states)}; {now.rate:.1f} pictures a second{left}; {_spent(now)}{why}"


def _spent(now: Progress) -> str:
    cost = "" if now.cost is None else f", {now.cost}"
    left = "" if now.images_left is None else f"; {now.images_left:,} left of the cap"
    return f"{now.spent:,} pictures that were or may be billed{cost}{left}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"

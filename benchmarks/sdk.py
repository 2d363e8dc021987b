"""The SDK beside its peers, in one run: `python -m benchmarks sdk [NAME ...] [--rounds N]`.

Each library runs in an environment and a process of its own, against one server in another process. In each round
the libraries take turns; a ratio is taken within a round, and its median over the rounds is printed. Only the ratios
travel from machine to machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks._sdk_peers import ChildError, gateway, run_child, trusted, versions

PICTURE = "{picture}"
"""In a measurement's words: the path to save a picture at."""


class Run(NamedTuple):
    """One measurement of one library: the words that `_sdk_child.py` is told."""

    library: str
    words: tuple[str, ...]
    tls: bool = False


class Row(NamedTuple):
    """A line of the table: ``ours`` over ``theirs``, or ours alone in ``unit``, and its bar."""

    name: str
    text: str
    ours: Run
    theirs: Run | None
    sign: str
    bar: float
    unit: str = "x"

    def ratios(self, figures: dict[Run, list[float]]) -> list[float]:
        """One of each round."""
        theirs = figures[self.theirs] if self.theirs else [1.0] * len(figures[self.ours])
        return [mine / other for mine, other in zip(figures[self.ours], theirs, strict=True)]

    def holds(self, value: float) -> bool:
        return value <= self.bar if self.sign == "<=" else value >= self.bar


def _run(library: str, words: str, *, tls: bool = False) -> Run:
    return Run(library, tuple(words.split()), tls)


C50, C200, C2000, LATE = "async small 50 1000", "async small 200 1000", "async small 2000 4000", "async late 2000 6000"
INLINE = f"inline 20 {PICTURE}"

ROWS: tuple[Row, ...] = (
    Row("import", "import, CPU / httpx", _run("flux", "import"), _run("httpx", "import"), "<=", 1.30),
    Row("import", "import, CPU / openai", _run("flux", "import"), _run("openai", "import"), "<=", 1 / 6),
    *(
        Row("cold", f"cold{over} / {peer}", _run("flux", "cold", tls=tls), _run(peer, "cold", tls=tls), "<=", bar)
        for over, tls in (("", False), (" over TLS", True))
        for peer, bar in (("openai", 0.30), ("httpx", 1.15))
    ),
    Row("client", "second client in a process", _run("flux", "client"), None, "<=", 1.0, "ms"),
    Row("sync", "sync call / httpx", _run("flux", "sync 300"), _run("httpx", "sync 300"), "<=", 1.12),
    Row("sync", "sync call / openai", _run("flux", "sync 300"), _run("openai", "sync 300"), "<=", 1 / 1.8),
    *(
        Row("async", f"async calls a second, {name} / httpx", _run("flux", words), _run("httpx", words), ">=", 1.15)
        for name, words in (("c50", C50), ("c200", C200))
    ),
    *(
        Row("fast", f"fast, {name} / {peer}", _run("flux-fast", words), _run(peer, words), ">=", bar)
        for name, words in (("c200", C200), ("c2000", C2000))
        for peer, bar in (("openai", 2.2), ("openai-aiohttp", 1.2), ("httpx", 5.0))
    ),
    Row("fast", "fast, c2000 / fast, c200", _run("flux-fast", C2000), _run("flux-fast", C200), ">=", 1.0),
    Row("inline", "20 MiB inline into a file / openai", _run("flux", INLINE), _run("openai", INLINE), "<=", 0.55),
    Row("inline", "the same, extra fast / openai", _run("flux-fast", INLINE), _run("openai", INLINE), "<=", 0.30),
    *(
        Row("memory", f"{size} MiB inline, peak", _run("flux", f"memory {size} {PICTURE}"), None, "<=", 3.0, "MB")
        for size in (4, 20, 100)
    ),
    Row("late", "2,000 in flight, 10 s each, fast", _run("flux-fast", LATE), None, ">=", 190.0, "/s"),
)  # fmt: skip
FLOOR = _run("httpx", INLINE)
"""httpx alone streaming the same answer into a file without decoding or checking it."""
ROUNDS = {"import": 7, "cold": 11, "client": 3, "sync": 5, "async": 3, "fast": 3, "inline": 7, "memory": 1, "late": 1}


class Bench:
    """The servers, and what was measured against them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._picture = str(folder / "picture.png")
        self._certificates = trusted(folder)
        self._urls = {tls: stack.enter_context(gateway(folder, tls=tls)) for tls in (False, True)}
        self.figures: dict[Run, list[float]] = {}
        self.seconds: dict[Run, list[float]] = {}
        self.failed: dict[Run, str] = {}

    def measure(self, runs: list[Run], rounds: int) -> None:
        """Take turns, from the start: what another row measured belongs to other rounds."""
        for run in runs:
            self.figures[run], self.seconds[run] = [], []
        for _ in range(rounds):
            for run in runs:
                if run in self.failed:
                    continue
                words = [self._picture if word == PICTURE else word for word in run.words]
                started = time.perf_counter()
                try:
                    value, cpu = run_child(run.library, self._urls[run.tls], *words, certificates=self._certificates)
                except ChildError as error:
                    self.failed[run] = str(error)
                    continue
                if run.words[0] == "cold":
                    value = (time.perf_counter() - started) * 1000
                self.figures[run].append(value)
                self.seconds[run].append(cpu)


def main(arguments: list[str]) -> int:
    """Print the table; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sdk", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these rows: {', '.join(ROUNDS)}")
    parser.add_argument("--rounds", type=int, help="instead of each row's own number")
    options = parser.parse_args(arguments)
    if unknown := sorted({*options.names} - {*ROUNDS}):
        parser.error(f"there is no row {', '.join(unknown)}; choose from {', '.join(ROUNDS)}")
    print(versions())
    print("Medians of the ratios of paired runs: in each round the libraries take turns, one process after the other;")
    print("the answering server has a process of its own. In brackets the ratio of processor time, ours to theirs.")
    missed = 0
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bench = Bench(Path(folder), stack)
        for name in options.names or ROUNDS:
            rows = [row for row in ROWS if row.name == name]
            runs = [*dict.fromkeys(run for row in rows for run in (row.theirs, row.ours) if run)]
            bench.measure([*runs, FLOOR] if name == "inline" else runs, options.rounds or ROUNDS[name])
            missed += sum(not _report(row, bench) for row in rows)
    print("\nMedians on this machine (import, cold, inline in ms; sync in us; async in calls a second):")
    for run, values in bench.figures.items():
        if run in bench.failed:
            continue
        print(f"  {run.library:15} {' '.join(run.words[:3]):26} {'TLS' * run.tls:4} {statistics.median(values):9.1f}")
    return int(missed > 0)


def _report(row: Row, bench: Bench) -> bool:
    for run in (row.ours, row.theirs):
        if run in bench.failed:
            print(f"{row.text:42} no figure: {bench.failed[run]}", flush=True)
            return run is row.theirs
    value = statistics.median(row.ratios(bench.figures))
    kept = row.holds(value)
    shows_cpu = row.theirs is not None and row.name != "import"
    cpu = f"[{statistics.median(row.ratios(bench.seconds)):.2f}]" if shows_cpu else ""
    bar = f"{row.sign} {row.bar:.4g}"
    print(f"{row.text:42} {value:7.2f} {row.unit:2} {cpu:8} bar {bar:9} {'met' if kept else 'MISSED'}", flush=True)
    return kept

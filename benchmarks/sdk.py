"""The SDK beside its peers, in one run: `python -m benchmarks sdk [--rounds N]`.

Each library runs in an environment of its own, against one server on loopback. Each figure is the median of
rounds in which the libraries take turns; only the ratios travel.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "flux-images" / "sdk"
OURS = ["attrs", "anyio", "httpx", "sniffio"]
PACKAGES = {
    "core": OURS,
    "fast": [*OURS, "httpx-aiohttp", "pybase64"],
    "httpx": ["httpx"],
    "openai": ["openai"],
    "openai-aiohttp": ["openai[aiohttp]"],
}
LIBRARY = {"core": "flux", "fast": "flux", "httpx": "httpx", "openai": "openai", "openai-aiohttp": "openai-aiohttp"}


class Bar(NamedTuple):
    """A ratio to hold: ours over theirs, at most or at least."""

    what: str
    ours: str
    theirs: str
    limit: float
    at_most: bool


BARS = (
    Bar("import, CPU", "core import", "httpx import", 1.30, True),
    Bar("import, CPU", "core import", "openai import", 1 / 6, True),
    Bar("cold script", "core cold", "openai cold", 0.30, True),
    Bar("cold script", "core cold", "httpx cold", 1.15, True),
    Bar("sync call, small answer", "core sync", "httpx sync", 1.12, True),
    Bar("sync call, small answer", "core sync", "openai sync", 1 / 1.8, True),
    Bar("async c50", "core async 50", "httpx async 50", 1.15, False),
    Bar("async c200", "core async 200", "httpx async 200", 1.15, False),
    Bar("async c200, fast", "fast async 200", "openai async 200", 2.2, False),
    Bar("async c200, fast", "fast async 200", "openai-aiohttp async 200", 1.2, False),
    Bar("async c200, fast", "fast async 200", "httpx async 200", 5.0, False),
    Bar("async, fast, c2000 to c200", "fast async 2000", "fast async 200", 1.0, False),
    Bar("20 MiB picture into a file", "core inline 20", "openai inline 20", 0.55, True),
    Bar("20 MiB picture into a file, fast", "fast inline 20", "openai inline 20", 0.30, True),
)
LIMITS = (
    ("second client, ms", "core second-client", 1.0),
    *((f"peak of {n} MiB, MB", f"core peak {n}", 3.0) for n in (4, 20, 100)),
)


def environment(name: str) -> str:
    """The interpreter of a peer's environment, which is made when first asked for."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES[name]], check=True)
        (folder / ".ready").touch()
    return str(python)


@contextlib.contextmanager
def gateway() -> Iterator[str]:
    """The server's address."""
    process = subprocess.Popen([sys.executable, str(HERE / "_sdk_server.py")], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


def child(name: str, what: str, url: str, *rest: str) -> list[float]:
    """The numbers of one measurement."""
    library = "flux-fast" if name == "fast" and what == "async" else LIBRARY[name]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "generated")]) if LIBRARY[name] == "flux" else ""
    command = [environment(name), str(HERE / "_sdk_child.py"), what, library, url, *rest]
    started = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=True, capture_output=True, text=True)
    return [(time.perf_counter() - started) * 1000] if what == "cold" else [float(word) for word in done.stdout.split()]


def measure(rounds: int, url: str) -> dict[str, list[float]]:
    """Every figure by its name, a value a round."""
    figures: dict[str, list[float]] = {}
    plan = [
        *((name, what, ()) for what in ("import", "cold", "sync") for name in ("core", "httpx", "openai")),
        ("core", "second-client", ()),
        *((name, "async", (c, "1000", "small")) for c in ("50", "200") for name in PACKAGES),
        ("fast", "async", ("2000", "4000", "small")),
        *((name, "inline", ("20",)) for name in ("core", "fast", "openai")),
        *(("core", "inline", (size,)) for size in ("4", "100")),
    ]
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "picture.png")
        for _ in range(rounds):
            for name, what, rest in plan:
                value, *peak = child(name, what, url, *rest, *([target] if what == "inline" else []))
                figures.setdefault(" ".join([name, what, *rest[:1]]), []).append(value)
                if peak:
                    figures.setdefault(f"{name} peak {rest[0]}", []).append(peak[0])
    return figures


def main(arguments: list[str]) -> int:
    """Print the table; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sdk", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    with gateway() as url:
        figures = measure(rounds, url)
        late = child("fast", "async", url, "2000", "2000", "late")[0]
    missed = 0
    for what, ours, theirs, limit, at_most in BARS:
        ratio = statistics.median(a / b for a, b in zip(figures[ours], figures[theirs], strict=True))
        kept = ratio <= limit if at_most else ratio >= limit
        missed += not kept
        print(f"{what:34} {ratio:6.2f} x {theirs:24} bar {'<=' if at_most else '>='} {limit:.2f}  {_word(kept)}")
    for what, ours, limit in LIMITS:
        value = statistics.median(figures[ours])
        missed += value > limit
        print(f"{what:34} {value:6.2f} {'':26} bar <= {limit:.2f}  {_word(value <= limit)}")
    print(f"{'2,000 in flight, 10 s each':34} {late:6.1f} calls a second {'':11} bar >= 190  {_word(late >= 190)}")
    for name, values in figures.items():
        print(f"  {name:28} {statistics.median(values):10.2f}")
    return int(missed > 0 or late < 190)


def _word(kept: bool) -> str:
    return "kept" if kept else "MISSED"

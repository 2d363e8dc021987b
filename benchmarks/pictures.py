"""Saving 30 inline 4-megapixel JPEGs at once: `python -m benchmarks pictures [--base CHECKOUT] [--rounds N]`.

Measures this checkout, and in turns with it another one, each with and without the extra `fast`. What is saved was
bought before, so that the time is that of checking and writing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

import PIL.Image

from benchmarks._sdk_peers import HERE, ROOT, gateway, interpreter

COUNT = 30
SIDE = 2048
FASTER, LAG = 10.0, 50.0
"""The bars: times the other checkout's pictures a second, and milliseconds."""
KINDS = {"flux": "", "flux-fast": "extra fast"}


def photo() -> PIL.Image.Image:
    """Soft colours under the noise of a sensor: as large a file as a Flux model makes."""
    colours = PIL.Image.effect_mandelbrot((512, 512), (-2, -1.5, 1, 1.5), 99).resize((SIDE, SIDE)).convert("RGB")
    return PIL.Image.blend(colours, PIL.Image.effect_noise((SIDE, SIDE), 24).convert("RGB"), 0.3)


def measure(tree: Path, library: str, url: str, picture: Path) -> tuple[float, float]:
    """Pictures a second, and the longest lag in milliseconds."""
    paths = os.pathsep.join([str(tree / "src"), str(tree / "generated")])
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [interpreter(library), str(HERE / "_pictures_child.py"), url, str(picture), str(COUNT), folder],
            env={**os.environ, "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    rate, lag = map(float, done.stdout.split())
    return rate, lag


def main(arguments: list[str]) -> int:
    """Print the table; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks pictures", description=__doc__)
    parser.add_argument("--base", type=Path, default=os.environ.get("FLUX_BASE"), help="another checkout (FLUX_BASE)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    trees = [ROOT, *([options.base] if options.base else [])]
    missed = 0
    with tempfile.TemporaryDirectory() as folder, gateway(Path(folder), tls=False) as url:
        picture = Path(folder) / "photo.jpg"
        photo().save(picture, quality=90)
        print(f"{COUNT} JPEGs of {SIDE} x {SIDE} pixels, {picture.stat().st_size / 2**20:.1f} MiB, saved at once:")
        for library, extra in KINDS.items():
            rounds = [[measure(tree, library, url, picture) for tree in trees] for _ in range(options.rounds)]
            missed += _report(rounds, extra)
    return int(missed > 0)


def _report(rounds: list[list[tuple[float, float]]], extra: str) -> int:
    """One line of medians, but for the lag, which is the worst of all rounds; how many bars are missed."""
    ours, *others = zip(*rounds, strict=True)
    lag = max(lag for _, lag in ours)
    missed = int(lag > LAG)
    line = f"  {extra:10} {statistics.median(rate for rate, _ in ours):6.1f} a second, lag {lag:5.0f} ms"
    for base in others:
        faster = statistics.median(mine / other for (mine, _), (other, _) in zip(ours, base, strict=True))
        missed += int(faster < FASTER)
        slow, lagging = statistics.median(rate for rate, _ in base), max(lag for _, lag in base)
        line += f"; base {slow:6.1f} a second, lag {lagging:5.0f} ms: {faster:.1f} x"
    print(f"{line}; bars {FASTER:g} x, {LAG:g} ms: {'MISSED' if missed else 'met'}", flush=True)
    return missed

"""`python -m codegen.samples` writes docs/samples, with `--check` it compares, with `--run` it runs them."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from codegen.samples.languages import HERE, Sample, write_samples
from codegen.samples.request import sample_requests
from codegen.samples.run.run import run_all

ROOT = HERE.parents[1]
COMMITTED = ROOT / "docs" / "samples"


def main(argv: list[str] | None = None) -> int:
    """Exit codes: 0 done, 1 a sample differs or is wrong, 2 the generator is not installed."""
    parser = argparse.ArgumentParser(prog="python -m codegen.samples", description="Samples in fifteen languages.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if docs/samples is out of date")
    parser.add_argument("--run", action="store_true", help="compile and run each sample, and compare what it sends")
    options = parser.parse_args(argv)
    if shutil.which("node") is None or not (HERE / "node_modules").is_dir():
        print("samples: needs Node.js and the packages of codegen/samples/package-lock.json", file=sys.stderr)
        return 2
    requests = list(sample_requests(yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))))
    try:
        samples = write_samples(requests)
    except subprocess.CalledProcessError as error:
        print(f"samples: {error.stderr}", file=sys.stderr)
        return 2
    stale = _differences(samples)
    if options.check or options.run:
        for name in stale:
            print(f"docs/samples/{name}: not what openapi.yaml generates; run `make docs`", file=sys.stderr)
        return 1 if stale else run_all(samples, requests) if options.run else 0
    shutil.rmtree(COMMITTED, ignore_errors=True)
    for sample in samples:
        file = COMMITTED / sample.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(sample.code, "utf-8", newline="\n")
    return 0


def _differences(samples: list[Sample]) -> list[str]:
    fresh = {sample.file: sample.code for sample in samples}
    files = (file for file in COMMITTED.rglob("*") if file.is_file())
    committed = {file.relative_to(COMMITTED).as_posix(): Path(file).read_text("utf-8") for file in files}
    return sorted(name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name))


if __name__ == "__main__":
    sys.exit(main())

"""The generator's command line: `python -m codegen` writes the client, with `--check` it compares."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from codegen.edits import EditError
from codegen.generate import GenerationError, generate

ROOT = Path(__file__).parent.parent


def main(argv: list[str] | None = None) -> int:
    """Generate or check the client. Exit codes: 0 done, 1 the committed client differs, 2 it cannot be generated."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description="Generate the client from openapi.yaml.")
    parser.add_argument("--spec", type=Path, default=ROOT / "openapi.yaml", help="the contract (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=ROOT / "generated" / "flux_images_api", help="the package")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the package is out of date")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / options.output.name
        try:
            generate(options.spec, fresh)
        except (EditError, GenerationError) as error:
            print(f"codegen: {error}", file=sys.stderr)
            return 2
        if options.check:
            stale = differences(fresh, options.output)
            for path in stale:
                print(f"{path}: not what {options.spec.name} generates; run `make sdk`", file=sys.stderr)
            return 1 if stale else 0
        shutil.rmtree(options.output, ignore_errors=True)
        shutil.copytree(fresh, options.output)
    return 0


def differences(fresh: Path, committed: Path) -> list[Path]:
    """The files that are in only one of two packages, or differ, caches left out."""
    before, after = (
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        for folder in (committed, fresh)
    )
    return sorted(committed / name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


if __name__ == "__main__":
    sys.exit(main())

"""`python -m codegen.reference` writes docs/reference/index.html, with `--check` it compares."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from codegen.reference.page import render

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "index.html"


def main(argv: list[str] | None = None) -> int:
    """Exit codes: 0 done, 1 the committed page differs."""
    parser = argparse.ArgumentParser(prog="python -m codegen.reference", description="The reference page.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    options = parser.parse_args(argv)
    logging.disable()  # the client warns of what the scenarios are made for
    page = render(ROOT / "openapi.yaml", ROOT / "docs" / "samples")
    if not options.check:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page, "utf-8", newline="\n")
        return 0
    if not PAGE.is_file() or PAGE.read_text("utf-8") != page:
        print(f"{PAGE.relative_to(ROOT)}: not what the contract and the SDK say; run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

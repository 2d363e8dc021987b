"""`python -m benchmarks NAME`: run one comparison, side by side in one run."""

from __future__ import annotations

import importlib
import sys

NAMES = ("mock", "sdk", "pictures")


def main() -> int:
    """Run the comparison that the command line names, or all of them."""
    name, *rest = sys.argv[1:] or ["all"]
    if name not in (*NAMES, "all"):
        print(f"python -m benchmarks: expected one of {', '.join(NAMES)}, all; got {name}", file=sys.stderr)
        return 2
    statuses = [importlib.import_module(f"benchmarks.{each}").main(rest) for each in NAMES if name in (each, "all")]
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())

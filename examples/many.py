"""Buy a picture for each row of a CSV file, many at once: ``python many.py prompts.csv pictures``.

For thousands, which must outlast a crash, there is `flux-images batch`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flux_images import FluxImages, FluxImagesError


def main(table: str, folder: str) -> int:
    """Returns how many rows brought no picture."""
    out = Path(folder)
    out.mkdir(exist_ok=True)
    with Path(table).open(newline="", encoding="utf-8") as file:
        rows: list[Mapping[str, Any]] = [{"prompt": row["prompt"]} for row in csv.DictReader(file)]
    lost = 0
    with FluxImages() as flux:
        for request, generation, error in flux.generate_many(rows, max_concurrency=16, rate="100/min"):
            number = rows.index(request) + 1
            try:
                if generation is None:
                    raise error or FluxImagesError("nothing came")
                print(generation.image.save(out / f"{number}", overwrite=True))
            except FluxImagesError as problem:
                lost += 1
                print(f"row {number}: {problem}", file=sys.stderr)
    return lost


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:]), 1))

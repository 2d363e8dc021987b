"""The ways that ARCHITECTURE.md tells step by step, and the ways that calls really take."""

from __future__ import annotations

import re
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType

ROOT = Path(__file__).parents[1]
_STEP = re.compile(r"^[0-9]+\. `([\w/]+\.py):([\w.]+)` ", re.MULTILINE)


def told(title: str) -> dict[str, str]:
    """Return the steps under a title of ARCHITECTURE.md: for each file, its path within its package, a function."""
    _, _, rest = (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition(f"\n## {title}\n")
    return dict(_STEP.findall(rest.partition("\n## ")[0]))


class Trail:
    """What was entered, in order of first entry: for each file, its path within its package, its functions."""

    def __init__(self, package: Path) -> None:
        self.entered: dict[str, set[str]] = {}
        self._prefix = f"{package}/"

    def notice(self, frame: FrameType, event: str, _: Any) -> None:
        """Take note of a call; this is a profile function."""
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(self._prefix):
            self.entered.setdefault(file.removeprefix(self._prefix), set()).add(frame.f_code.co_qualname)


@contextmanager
def followed(package: str) -> Generator[Trail]:
    """Follow this thread, and each that starts meanwhile, through the files of a package."""
    trail = Trail(ROOT / package)
    threading.setprofile(trail.notice)
    sys.setprofile(trail.notice)
    try:
        yield trail
    finally:
        sys.setprofile(None)
        threading.setprofile(None)

"""What one call of a batch brought, before anything of it is on the disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_images._picture.generation import Answer, Part


class Purchase:
    """What one call brought, before anything of it is on the disk."""

    def __init__(self, answer: Answer, parts: Sequence[Part], asked: int) -> None:
        self.request_id = answer.request_id
        self.parts = parts
        self.images: list[Any] = []
        self.missing = max(0, asked - len(parts))
        self.born = time.monotonic()

    @property
    def image(self) -> Any:
        """Asked of a purchase of a client; this one has parts."""
        return self.images[0]

"""One difference between a message and the description, in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_VALUE = 80
_LONGEST_HEADER = 4000
_LONGEST_PART = 500


@dataclass(frozen=True, slots=True)
class Violation:
    """One difference between a message and the description.

    `where` is a JSON pointer for a body and a name for everything else.
    """

    place: str
    where: str
    expected: str
    got: str

    def __str__(self) -> str:
        label = self.where or self.place
        if self.place in ("query", "path", "cookie"):
            label = f"{self.place} {self.where}".rstrip()
        return f"{label}: expected {self.expected}, got {self.got}"

    def as_json(self) -> dict[str, str]:
        """Return the difference for programs."""
        return {"in": self.place, "where": self.where, "expected": self.expected, "got": self.got}


def violations_header(violations: Sequence[Violation]) -> bytes:
    """Return differences as JSON for a header: ASCII, at most about 4 kB, the rest counted."""
    parts: list[str] = []
    size = 0
    for index, violation in enumerate(violations):
        part = json.dumps({key: text[:_LONGEST_PART] for key, text in violation.as_json().items()})
        size += len(part) + 2
        if size > _LONGEST_HEADER:
            parts.append(json.dumps({"omitted": len(violations) - index}))
            break
        parts.append(part)
    return f"[{', '.join(parts)}]".encode("ascii")


def shorten(value: Any) -> str:
    """Return a value as JSON, cut to what a message can hold."""
    try:
        text = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."

"""The contract's own schema keyword `x-ratio-range`: a `W:H` string between two ratios."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flux_images_mock._description.json import is_array

if TYPE_CHECKING:
    from flux_images_mock._description.node import Node

_RATIO = re.compile(r"([1-9][0-9]{0,8}):([1-9][0-9]{0,8})", re.ASCII)


@lru_cache(maxsize=256)
def parse_ratio(text: str) -> tuple[int, int] | None:
    """Return the width and the height of `W:H`; nothing if `text` is no ratio."""
    match = _RATIO.fullmatch(text)
    return None if match is None else (int(match[1]), int(match[2]))


class RatioRange:
    """The keyword, as jsonschema-rs calls it: one object a schema, `validate` for each value."""

    def __init__(self, parent_schema: dict[str, Any], value: Any, schema_path: list[str | int]) -> None:
        del parent_schema, schema_path
        self._expected = f"a ratio between {value[0]} and {value[1]}"
        bounds = [ratio for bound in value if (ratio := parse_ratio(bound)) is not None]
        self._low, self._high = sorted(bounds, key=lambda ratio: ratio[0] / ratio[1])

    @staticmethod
    def check(value: Any, node: Node) -> None:
        """Raise `SpecError` if the keyword's value isn't two ratios."""
        bounds = value if is_array(value) else []
        if len(bounds) != 2 or not all(isinstance(bound, str) and parse_ratio(bound) for bound in bounds):
            raise node.error(f"expected two ratios such as ['21:9', '9:21'], got {value!r}")

    def validate(self, instance: Any) -> None:
        """Raise `ValueError` if a string isn't a ratio in the range."""
        if not isinstance(instance, str):
            return
        ratio = parse_ratio(instance)
        if ratio is None or not (_at_least(ratio, self._low) and _at_least(self._high, ratio)):
            raise ValueError(self._expected)


def _at_least(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] * other[1] >= other[0] * one[1]

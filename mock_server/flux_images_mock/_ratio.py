"""The contract's own schema keyword `x-ratio-range`: a `W:H` string between two ratios."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flux_images_mock._json import is_array

if TYPE_CHECKING:
    from flux_images_mock._spec import Node

_RATIO = re.compile(r"([0-9]{1,9}):([0-9]{1,9})", re.ASCII)


def parse_ratio(text: str) -> Fraction | None:
    """Return `W:H` as width over height; nothing if `text` is no ratio."""
    match = _RATIO.fullmatch(text)
    if match is None or not int(match[2]):
        return None
    return Fraction(int(match[1]), int(match[2]))


class RatioRange:
    """The keyword, as jsonschema-rs calls it: one object a schema, `validate` for each value."""

    def __init__(self, parent_schema: dict[str, Any], value: Any, schema_path: list[str | int]) -> None:
        del parent_schema, schema_path
        self._expected = f"a ratio between {value[0]} and {value[1]}"
        self._low, self._high = sorted(ratio for bound in value if (ratio := parse_ratio(bound)) is not None)

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
        if ratio is None or not self._low <= ratio <= self._high:
            raise ValueError(self._expected)

"""Whether a changed schema allows fewer values than before, and whether it allows more."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Sequence

    Json = dict[str, Any]

_LEAST = ("minimum", "minLength", "minItems", "minProperties", "exclusiveMinimum")
_MOST = ("maximum", "maxLength", "maxItems", "maxProperties", "exclusiveMaximum")


def moved(keyword: str, old: Any, new: Any) -> tuple[bool, bool]:
    """Whether a changed keyword allows fewer values than before, and whether it allows more."""
    if old is None or new is None:
        loose = (True,) if keyword == "additionalProperties" else ()
        return (new is not None and new not in loose, old is not None and old not in loose)
    if keyword in _LEAST:
        return new > old, new < old
    if keyword in _MOST:
        return new < old, new > old
    if keyword in ("enum", "type"):
        before, after = _members(old), _members(new)
        return bool(before - after), bool(after - before)
    if keyword == "x-ratio-range":
        (low, high), (lowest, highest) = _range(old), _range(new)
        return lowest > low or highest < high, lowest < low or highest > high
    if keyword == "additionalProperties" and isinstance(old, bool) and isinstance(new, bool):
        return old and not new, new and not old
    return True, True


def alternatives(old: Sequence[Json], new: Sequence[Json]) -> tuple[bool, bool, list[tuple[int, Json, Json]]]:
    """Whether alternatives are gone, whether there are new ones, and pairs of those that may have changed.

    Their order says nothing: those that are alike are passed over, the rest are paired as they stand.
    """
    before = [branch for branch in old if branch not in new]
    after = [(index, branch) for index, branch in enumerate(new) if branch not in old or "$ref" in branch]
    shared = [(index, branch, branch) for index, branch in after if branch in old]
    fresh = [(index, branch) for index, branch in after if branch not in old]
    pairs = [(index, one, other) for one, (index, other) in zip(before, fresh, strict=False)]
    return len(before) > len(fresh), len(fresh) > len(before), [*shared, *pairs]


def _members(value: Any) -> set[str]:
    found = {str(member) for member in (value if _is_list(value) else [value])}
    return found | {"integer"} if "number" in found else found


def _range(bounds: list[str]) -> list[Fraction]:
    return sorted(Fraction(*map(int, bound.split(":"))) for bound in bounds)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)

"""Every promise of the contract, walked out of openapi.yaml, put to the client, the mock, and the two together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.checks import derived
from contract_tests.checks.coverage import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.checks.check import Check, Subject

CHECKS = derived()
MOST_REASONS = 0.05


@pytest.mark.parametrize("number", range(len(CHECKS)), ids=[str(check)[:120] for check in CHECKS])
def test_promise(number: int, subject: Subject, record_property: Callable[[str, object], None]) -> None:
    """What the contract says is kept on both sides of its borders."""
    record_property("check", number)
    broken = CHECKS[number].broken(subject)
    if broken is not None:
        pytest.fail(f"{broken}\n  contract: {CHECKS[number].rule}", pytrace=False)


def test_every_rule_has_both_sides() -> None:
    """No rule of the contract stands without a case that keeps it and one that breaks it, but for few named reasons."""
    rows = table(CHECKS)
    assert [row.rule for row in rows if row.missing and not row.reason] == []
    assert sum(row.missing for row in rows) <= MOST_REASONS * len(rows)


def test_no_check_is_lost() -> None:
    """Each side is asked; an empty walk would prove nothing."""
    sides: dict[str, list[Check]] = {}
    for check in CHECKS:
        sides.setdefault(check.side, []).append(check)
    assert sides.keys() == {"client", "mock", "pair"}
    assert all(len({check.keeps for check in checks}) == 2 for checks in sides.values())

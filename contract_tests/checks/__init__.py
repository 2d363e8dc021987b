"""What the contract promises, as checks: of a client, of a mock, and of the two together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract_tests.checks.client_checks import client_checks
from contract_tests.checks.mock_checks import mock_checks
from contract_tests.checks.pair_checks import pair_checks

if TYPE_CHECKING:
    from contract_tests.checks.check import Check


def derived() -> list[Check]:
    """Every check that follows from the contract; which side is asked stands in each."""
    return [*client_checks(), *mock_checks(), *pair_checks()]

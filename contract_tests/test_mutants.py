"""No name in the contract can change unseen: each rename in turn, and a sample of all other changes, is told apart.

`make contract-mutants` judges every change, on both sides, and explains the survivors.
"""

from __future__ import annotations

import random

import pytest

from contract_tests.mutants.__main__ import reason
from contract_tests.mutants.judge import judge
from contract_tests.mutants.mutate import Mutant, controls, mutants, renames

pytestmark = pytest.mark.slow

SAMPLE, SEED = 24, 0
OTHERS = [mutant for mutant in mutants() if ": rename" not in mutant.name and reason(mutant.name) is None]


@pytest.mark.parametrize("mutant", renames(), ids=lambda mutant: mutant.name)
def test_a_rename_is_noticed(mutant: Mutant) -> None:
    """A mock or a client that is made from the renamed contract breaks a promise of the right one."""
    assert judge(mutant, both=False).killed or reason(mutant.name)


@pytest.mark.parametrize("mutant", random.Random(SEED).sample(OTHERS, SAMPLE), ids=lambda mutant: mutant.name)
def test_a_change_is_noticed(mutant: Mutant) -> None:
    """So does any other single change, but for those that no behaviour shows."""
    assert judge(mutant, both=False).killed


@pytest.mark.parametrize("control", controls(), ids=lambda control: control.name)
def test_what_promises_the_same_passes(control: Mutant) -> None:
    """The controls: other words, another order and an unchanged copy pass every check."""
    verdict = judge(control)
    broken = verdict.by_mock or verdict.by_client
    assert broken is None, f"{control.name}: expected to keep every promise, broke this one: {broken}"

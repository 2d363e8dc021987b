"""`python -m contract_tests.mutants`: judge every mutant, name what killed each, and explain the survivors.

Exit codes: 0 all is as it should be, 1 a survivor without a reason, a control that was killed, or too few kills.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from contract_tests.mutants.judge import Verdict, judge, quiet
from contract_tests.mutants.mutate import REQUEST, RESPONSE, Mutant, controls, mutants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEAST = 0.98
"""The share of request-side mutants that must be killed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the mutants and print the report."""
    parser = argparse.ArgumentParser(prog="python -m contract_tests.mutants", description="Judge changed contracts.")
    parser.add_argument("--sample", type=int, metavar="N", help="judge only N of them")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="judge only those with this text in their names")
    options = parser.parse_args(argv)
    chosen = [mutant for mutant in mutants() if options.only in mutant.name]
    if options.sample is not None:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=quiet) as pool:
        verdicts = [_shown(verdict) for verdict in pool.map(judge, [*controls(), *chosen])]
    problems = [*_problems(verdicts, whole=len(chosen) == len(mutants()))]
    print(*_summary(verdicts), *problems, sep="\n")
    return 1 if problems else 0


def _shown(verdict: Verdict) -> Verdict:
    word = "killed" if verdict.killed else "SURVIVED"
    print(f"{word} [{verdict.side}] {verdict.mutant}", flush=True)
    if verdict.killed:
        print(f"    its mock:   {verdict.by_mock or 'not told apart'}")
        print(f"    its client: {verdict.by_client or 'not told apart'}", flush=True)
    return verdict


def _summary(verdicts: list[Verdict]) -> Iterator[str]:
    yield f"\n{'side':<10} {'mutants':>7} {'killed':>7} {'share':>7}   {'by mock':>7} {'by client':>9}"
    for side in (REQUEST, RESPONSE):
        some = [verdict for verdict in verdicts if verdict.side == side]
        killed = sum(verdict.killed for verdict in some)
        mock, client = (sum(found is not None for found in column) for column in _columns(some))
        share = f"{killed / len(some):.1%}" if some else "-"
        yield f"{side:<10} {len(some):>7} {killed:>7} {share:>7}   {mock:>7} {client:>9}"
    for verdict in verdicts:
        if not verdict.killed and verdict.side != "control":
            yield f"survivor: {verdict.mutant}\n    {reason(verdict.mutant) or 'NO REASON IS KNOWN'}"


def _columns(verdicts: list[Verdict]) -> tuple[list[Any], list[Any]]:
    return [verdict.by_mock for verdict in verdicts], [verdict.by_client for verdict in verdicts]


def _problems(verdicts: list[Verdict], *, whole: bool) -> Iterator[str]:
    yield from (f"a control was killed: {each.mutant}" for each in verdicts if each.side == "control" and each.killed)
    survivors = [each.mutant for each in verdicts if not each.killed and each.side != "control"]
    yield from (f"a survivor without a reason: {name}" for name in survivors if reason(name) is None)
    requests = [verdict for verdict in verdicts if verdict.side == REQUEST]
    if whole and sum(verdict.killed for verdict in requests) < LEAST * len(requests):
        yield f"fewer than {LEAST:.0%} of the request side were killed"
    if whole:
        stale = [pattern for pattern in _reasons() if not any(re.fullmatch(pattern, name) for name in survivors)]
        yield from (f"a reason for no survivor: {pattern}" for pattern in stale)


def reason(name: str) -> str | None:
    """Why no behaviour can tell a mutant apart, if that is known."""
    return next((why for pattern, why in _reasons().items() if re.fullmatch(pattern, name)), None)


def _reasons() -> dict[str, str]:
    return yaml.safe_load(Path(__file__).with_name("survivors.yaml").read_text("utf-8")) or {}


__all__ = ["Mutant", "main", "reason"]

if __name__ == "__main__":
    sys.exit(main())

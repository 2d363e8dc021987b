"""How much of the contract the derived suite reaches: for each rule, checks on both sides of its border."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from contract_tests.contract import document as contract
from contract_tests.contract.requests import body_schema, parameters
from contract_tests.contract.walk import rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contract_tests.checks.check import Check


class Row(NamedTuple):
    """A rule of one operation: how many checks keep it and break it, or why one side has none."""

    operation: str
    rule: str
    keeps: int
    breaks: int
    reason: str

    @property
    def missing(self) -> bool:
        """Whether a side has no case."""
        return not (self.keeps and self.breaks)


def table(checks: Iterable[Check]) -> list[Row]:
    """One row for each rule of each operation, in the contract's order."""
    counted = Counter((check.operation, check.rule, check.keeps) for check in checks)
    wanted = dict.fromkeys([*_rules(), *((operation, rule) for operation, rule, _ in counted)])
    rows = [Row(name, rule, counted[name, rule, True], counted[name, rule, False], "") for name, rule in wanted]
    return [row._replace(reason=_reason(row.rule)) if row.missing else row for row in rows]


def _reason(rule: str) -> str:
    return next((why for pattern, why in reasons().items() if re.fullmatch(pattern, rule)), "")


@cache
def reasons() -> dict[str, str]:
    """Why a side of a rule can't be tested, by a pattern that fits the rule's whole pointer."""
    return contract.cases("no_case")  # type: ignore[no-any-return]  # a table of texts


def _rules() -> Iterator[tuple[str, str]]:
    """Every rule that the contract states about each operation."""
    for path, method, declared in contract.operations():
        name, here = declared["operationId"], f"/paths/{contract.escape(path)}/{method}"
        schema = body_schema(declared)
        if schema is not None:
            yield from ((name, rule.pointer) for rule in rules(schema, f"{here}/requestBody"))
        for parameter in parameters(path, declared):
            at = f"{here}/parameters/{parameter['name']}"
            yield from ((name, rule.pointer) for rule in rules(parameter["schema"], at))
        for status, response in declared["responses"].items():
            yield name, f"{here}/responses/{status}"
            pointer, node = contract.follow(f"{here}/responses/{status}", response)
            for media_type, media in node.get("content", {}).items():
                at = f"{pointer}/content/{contract.escape(media_type)}"
                yield name, at
                yield from ((name, rule.pointer) for rule in rules(media["schema"], f"{at}/schema"))
            for header, value in node.get("headers", {}).items():
                at, stands = contract.follow(f"{pointer}/headers/{header}", value)
                yield from ((name, rule.pointer) for rule in rules(stands["schema"], f"{at}/schema"))


def lines(rows: list[Row]) -> Iterator[str]:
    """The table, for a person."""
    yield f"{'operation':<14} {'rule':<76} {'keeps':>5} {'breaks':>6}"
    for row in rows:
        yield f"{row.operation:<14} {row.rule:<76} {row.keeps:>5} {row.breaks:>6} {row.reason}".rstrip()
    missing = sum(row.missing for row in rows)
    yield f"{len(rows)} rules, {missing} on one side only ({missing / len(rows):.1%})"

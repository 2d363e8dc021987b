"""The contract, walked: every rule that it states, and instances that keep and break each one.

A rule is a place in openapi.yaml (its JSON pointer). Values near its border come from `values`; on which side one
falls, the contract's own schema says, by a validator that neither the client nor the mock uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from contract_tests.contract import document as contract
from contract_tests.contract.values import KEYWORDS, NO_RULES, around, sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.contract.document import Json

_DEEPEST = 8


class UnknownKeywordError(NotImplementedError):
    """The contract uses a keyword for which no cases can be made; teach it to `values` and the two clients of it."""


class Case(NamedTuple):
    """An instance that keeps (`ok`) or breaks one rule; `where` points to the value at issue in the instance."""

    rule: str
    where: str
    ok: bool
    instance: Any
    value: Any

    def __str__(self) -> str:
        rule = self.rule.removeprefix("/components/schemas/").replace("/properties", "")
        return f"{rule} {'keeps' if self.ok else 'breaks'} {self.value!r:.40}"


class Rule(NamedTuple):
    """A keyword where it stands, and how to put a value there into an instance of the whole."""

    pointer: str
    keyword: str
    node: Json
    where: str
    put: Callable[[Any], Any]


def rules(schema: Json, pointer: str) -> Iterator[Rule]:
    """Every rule of a schema that stands at a pointer of the contract, at any depth."""
    yield from _rules(schema, pointer, "", lambda value: value)


def cases(schema: Json, pointer: str) -> Iterator[Case]:
    """For every rule of a schema, instances on both sides of its border, each once."""
    seen: set[str] = set()
    for rule in rules(schema, pointer):
        for value in around(rule.keyword, rule.node):
            instance = rule.put(value)
            found = contract.violations(instance, schema)
            if found and not any(_is_about(violation, rule) for violation in found):
                continue
            key = f"{rule.pointer} {instance!r}"
            if key not in seen:
                seen.add(key)
                yield Case(rule.pointer, rule.where, not found, instance, value)


def _is_about(violation: contract.Violation, rule: Rule) -> bool:
    return violation.keyword == rule.keyword and violation.pointer == rule.where


def _rules(schema: Json, pointer: str, where: str, put: Callable[[Any], Any]) -> Iterator[Rule]:
    pointer, node = contract.follow(pointer, schema)
    if where.count("/") > _DEEPEST:
        return
    for keyword, value in node.items():
        here = f"{pointer}/{keyword}"
        if keyword in KEYWORDS:
            yield Rule(here, keyword, node, where, put)
        elif keyword not in NO_RULES:
            raise UnknownKeywordError(f"{here}: the suite knows no cases for this keyword")
        if keyword == "properties":
            for name, child in value.items():
                step = contract.escape(name)
                yield from _rules(child, f"{here}/{step}", f"{where}/{step}", _member(node, name, put))
        elif keyword == "items":
            yield from _rules(value, here, f"{where}/0", _item(put))
        elif keyword in ("allOf", "anyOf", "oneOf"):
            for index, branch in enumerate(value):
                yield from _rules(branch, f"{here}/{index}", where, put)
        elif keyword == "additionalProperties" and isinstance(value, dict):
            yield from _rules(value, here, f"{where}/undeclared", _member(node, "undeclared", put))


def _member(node: Json, name: str, put: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: put({**_object(node), name: value})


def _object(node: Json) -> Any:
    """The smallest valid object, whatever other types the schema takes."""
    return sample({**node, "type": "object"})


def _item(put: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: put([value])

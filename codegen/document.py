"""An OpenAPI document as plain data: its operations, its references, and all that is an object in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

Json = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PROSE = {"summary", "title", "example", "examples", "x-provenance", "externalDocs", "deprecated"}
"""Keywords that promise nothing; descriptions promise nothing either, but are kept in generated code."""


class DanglingReferenceError(Exception):
    """A `$ref` leads to nothing; the message names it."""


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Path, method and declaration of each operation, with the parameters that stand beside it for all of its path."""
    paths: dict[str, Json] = document.get("paths") or {}
    for path, item in paths.items():
        for method in METHODS:
            if method in item:
                parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                yield path, method, {**item[method], "parameters": parameters}


def follow(document: Json, node: Json) -> Json:
    """What a node refers to, or the node itself.

    Raises:
        DanglingReferenceError: There is nothing at the reference.
    """
    while "$ref" in node:
        reference, target = node["$ref"], document
        for step in reference.removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if not is_object(target) or name not in target:
                raise DanglingReferenceError(f"$ref {reference!r} leads nowhere in this document")
            target = target[name]
        node = target
    return node


def objects(node: object) -> Iterator[Json]:
    """Every object in a JSON value, at any depth."""
    if is_object(node):
        yield node
    for child in node.values() if is_object(node) else node if is_list(node) else ():
        yield from objects(child)


def is_object(value: object) -> TypeGuard[Json]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is a list."""
    return isinstance(value, list)

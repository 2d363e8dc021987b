"""Writes `contract.py`: what the contract says beyond the types, as data for whoever checks before sending."""

from __future__ import annotations

import pprint
from collections.abc import Iterator
from typing import Any, TypeGuard

Document = dict[str, Any]

NAMED_SCHEMAS = {"properties", "patternProperties", "$defs"}
VALUES = {"enum", "const", "default"}
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PROSE = {"summary", "title", "example", "examples", "x-provenance", "externalDocs", "deprecated"}

TEMPLATE = '''"""What the contract says beyond the types: where operations are, what is billed, what bodies must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard, Final, NamedTuple


class Operation(NamedTuple):
    """One operation of the contract.

    Attributes:
        method: The HTTP method, in capitals.
        path: The path, with its parameters in braces.
        billed: Whether a success costs money.
        body: The JSON Schema of the JSON body, its references pointing into SCHEMAS; None where there is none.
    """

    method: str
    path: str
    billed: bool
    body: Mapping[str, Any] | None


SERVER: Final[str] = {server!r}
"""The address of the contract's first server."""

OPERATIONS: Final[Mapping[str, Operation]] = {{
{operations}}}
"""The operations by their operationId, or by method and path where they have none."""

SCHEMAS: Final[Mapping[str, Any]] = {schemas}
"""The schemas that request bodies refer to, by name."""
'''


def contract_module(document: Document) -> str:
    """The source of `contract.py` for an OpenAPI document."""
    operations: list[str] = []
    bodies: list[Document | None] = []
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            body = _json_body(operation.get("requestBody"), document)
            bodies.append(body)
            name = operation.get("operationId", f"{method} {path}")
            billed = operation.get("x-billed", False)
            operations.append(f"{name!r}: Operation({method.upper()!r}, {path!r}, {billed!r}, {_source(body)}),\n")
    servers = document.get("servers") or [{"url": ""}]
    return TEMPLATE.format(
        server=servers[0]["url"],
        operations="".join(operations),
        schemas=_source(_referred(bodies, document)),
    )


def _source(data: Any) -> str:
    return pprint.pformat(data, sort_dicts=False)


def _json_body(body: Document | None, document: Document) -> Document | None:
    if body and "$ref" in body:
        body = document["components"]["requestBodies"][body["$ref"].rpartition("/")[2]]
    content: Document = (body or {}).get("content", {})
    for name, media in content.items():
        if "json" in name and "schema" in media:
            schema: Document = _without_prose(media["schema"])
            return schema
    return None


def _without_prose(schema: Any) -> Any:
    """A schema without titles and examples; under `properties` the keys are names, not keywords."""
    if _is_list(schema):
        return [_without_prose(entry) for entry in schema]
    if not _is_object(schema):
        return schema
    kept: Document = {}
    for keyword, value in schema.items():
        if keyword in NAMED_SCHEMAS:
            kept[keyword] = {name: _without_prose(entry) for name, entry in value.items()}
        elif keyword not in PROSE:
            kept[keyword] = value if keyword in VALUES else _without_prose(value)
    return kept


def _referred(schemas: list[Document | None], document: Document) -> Document:
    """The component schemas that the given ones refer to, at any distance."""
    found: Document = {}
    waiting = [reference for schema in schemas for reference in _references(schema)]
    while waiting:
        prefix, _, name = waiting.pop().rpartition("/")
        if prefix == "#/components/schemas" and name not in found:
            found[name] = _without_prose(document["components"]["schemas"][name])
            waiting.extend(_references(found[name]))
    return dict(sorted(found.items()))


def _references(schema: Any) -> Iterator[str]:
    if _is_object(schema):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    if _is_list(schema):
        for child in schema:
            yield from _references(child)


def _is_object(value: object) -> TypeGuard[Document]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)

"""Writes `contract.py`: what the contract says beyond the types, as data for whoever checks before sending."""

from __future__ import annotations

import pprint
from typing import Any

from codegen.document import PROSE, Json, follow, is_list, is_object, objects, operations

NAMED_SCHEMAS = {"properties", "patternProperties", "$defs"}
VALUES = {"enum", "const", "default"}

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


def contract_module(document: Json) -> str:
    """The source of `contract.py` for an OpenAPI document."""
    lines: list[str] = []
    bodies: list[Json | None] = []
    for path, method, operation in operations(document):
        body = _json_body(operation.get("requestBody"), document)
        bodies.append(body)
        name, billed = operation.get("operationId", f"{method} {path}"), operation.get("x-billed", False)
        lines.append(f"{name!r}: Operation({method.upper()!r}, {path!r}, {billed!r}, {_source(body)}),\n")
    servers = document.get("servers") or [{"url": ""}]
    return TEMPLATE.format(
        server=servers[0]["url"], operations="".join(lines), schemas=_source(_referred(bodies, document))
    )


def _source(data: Any) -> str:
    return pprint.pformat(data, sort_dicts=False)


def _json_body(body: Json | None, document: Json) -> Json | None:
    content: dict[str, Json] = follow(document, body or {}).get("content", {})
    schemas = (media["schema"] for name, media in content.items() if "json" in name and "schema" in media)
    return next(map(_without_prose, schemas), None)


def _without_prose(schema: Any) -> Any:
    """A schema without titles and examples; under `properties` the keys are names, not keywords."""
    if is_list(schema):
        return [_without_prose(entry) for entry in schema]
    if not is_object(schema):
        return schema
    kept: Json = {}
    for keyword, value in schema.items():
        if keyword in NAMED_SCHEMAS:
            kept[keyword] = {name: _without_prose(entry) for name, entry in value.items()}
        elif keyword not in PROSE:
            kept[keyword] = value if keyword in VALUES else _without_prose(value)
    return kept


def _referred(schemas: list[Json | None], document: Json) -> Json:
    """The component schemas that the given ones refer to, at any distance."""
    found: Json = {}
    waiting = _references(schemas)
    while waiting:
        prefix, _, name = waiting.pop().rpartition("/")
        if prefix == "#/components/schemas" and name not in found:
            found[name] = _without_prose(follow(document, {"$ref": f"{prefix}/{name}"}))
            waiting += _references(found[name])
    return dict(sorted(found.items()))


def _references(schema: object) -> list[str]:
    return [node["$ref"] for node in objects(schema) if isinstance(node.get("$ref"), str)]

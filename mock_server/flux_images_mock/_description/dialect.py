"""Bring the schemas of a description into plain JSON Schema 2020-12, in place, for one direction of travel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urljoin

import orjson

from flux_images_mock._description.node import METHODS, Files, JsonObject, Node, is_array, is_object

Extensions = Mapping[str, Callable[[Any, Node], None]]
"""For each keyword of our own, what raises `SpecError` where its value makes no sense."""

Direction = Literal["request", "response"]

_IN_PLACE = {
    *("additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames"),
    *("then", "unevaluatedItems", "unevaluatedProperties"),
}
_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
_MAPS = {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"}
_PLAIN = {
    *("$anchor", "$comment", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "$schema", "$vocabulary"),
    *("const", "enum", "type", "maxLength", "minLength", "pattern", "format", "contentEncoding", "contentMediaType"),
    *("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"),
    *("dependentRequired", "maxProperties", "minProperties", "required"),
    *("maxContains", "minContains", "maxItems", "minItems", "uniqueItems"),
    *("title", "description", "default", "deprecated", "examples", "readOnly", "writeOnly"),
    *("discriminator", "example", "externalDocs", "xml"),
}
_HOLDERS = {
    "description": {"components": "components", "paths": "many path"},
    "components": {"schemas": "schemas"},
    "path": {"parameters": "many header", **dict.fromkeys(METHODS, "operation")},
    "operation": {"parameters": "many header", "requestBody": "body", "responses": "many response"},
    "body": {"content": "many media"},
    "response": {"content": "many media", "headers": "many header"},
    "header": {"schema": "schema", "content": "many media"},
    "media": {"schema": "schema", "encoding": "many encoding"},
    "encoding": {"headers": "many header"},
}
"""What holds what, down to the schemas."""
_DIALECTS = {"https://json-schema.org/draft/2020-12/schema", "https://spec.openapis.org/oas/3.1/dialect/base"}
_ANCHORS = {"$id", "$anchor", "$dynamicAnchor"}
_INTEGERS = {"int32": 2**31, "int64": 2**63}


class _Copies(Files):
    """The same files, free to be changed."""

    def __init__(self, originals: Files) -> None:
        super().__init__()
        self._originals = originals

    def __missing__(self, uri: str) -> Any:
        tree = self[uri] = orjson.loads(orjson.dumps(self._originals[uri]))
        return tree


def _places(node: Node, kind: str = "description") -> Iterator[Node]:
    """Yield every schema that the description uses or keeps in its components."""
    for key, inner in _HOLDERS[kind].items():
        if key not in node.mapping():
            continue
        if inner == "schema":
            yield node.child(key)
        elif inner == "schemas":
            owner = node.child(key).follow()
            yield from (owner.child(name) for name in owner.mapping())
        elif inner.startswith("many "):
            many = node.elements(key) if key == "parameters" else (item for _, item in node.items(key))
            for item in many:
                yield from _places(item, inner.removeprefix("many "))
        else:
            yield from _places(node.child(key).follow(), inner)


def convert(root: Node, direction: Direction, extensions: Extensions) -> tuple[Files, list[str]]:
    """Return the description's files with every schema in plain 2020-12, and the keywords that can't be honoured.

    From OpenAPI 3.0: `nullable`, boolean `exclusiveMinimum` and `exclusiveMaximum`, ignored siblings of `$ref`.
    From both: the integer formats become bounds, and a property that may not travel in this `direction` is
    forbidden and not required.
    """
    files = _Copies(root.files)
    root = Node(files, root.uri, "", files[root.uri])
    old = root.text("openapi").startswith("3.0.")
    nodes = list(_walk(files, root, old=old))
    unknown: list[str] = []
    for node in nodes:
        schema = node.mapping()
        if old:
            _from_3_0(schema)
        unknown += _unknown_keywords(node, schema, extensions)
        _bound_integers(schema)
    for node in nodes:
        _forbid_one_way(node, direction)
        _refer_by_identity(node)
    if any(not _ANCHORS.isdisjoint(node.mapping()) for node in nodes):
        # Only below a keyword of JSON Schema are `$id` and `$anchor` looked for.
        root.mapping()["$defs"] = root.mapping()["components"]["schemas"]
    return files, unknown


def _walk(files: Files, root: Node, *, old: bool) -> Iterator[Node]:
    """Yield each schema that is an object, once; what has an `$id` can be found under it before it is referred to."""
    waiting, referring = list(_places(root)), list[Node]()
    seen: set[tuple[str, str]] = set()
    while waiting or referring:
        node = waiting.pop() if waiting else referring.pop().target()
        if node is None or (node.uri, node.pointer) in seen or isinstance(node.value, bool):
            continue
        seen.add((node.uri, node.pointer))
        schema = node.mapping()
        identity = schema.get("$id")
        if isinstance(identity, str):
            uri = urljoin(node.uri, identity).removesuffix("#")
            files[uri] = schema
            node = Node(files, uri, "", schema)
        if "$ref" in schema:
            referring.append(node)
            for sibling in schema.keys() - {"$ref"} if old else ():
                del schema[sibling]
        yield node
        waiting += _children(node, schema)


def _refer_by_identity(node: Node) -> None:
    """Let a pointer to a schema with an `$id` name that instead, or its own references are read from the wrong base."""
    target = node.target()
    if target is not None and is_object(target.value) and isinstance(target.value.get("$id"), str):
        node.mapping()["$ref"] = urljoin(target.uri, target.value["$id"])


def _children(node: Node, schema: JsonObject) -> Iterator[Node]:
    for key in schema:
        if key in _IN_PLACE:
            yield node.child(key)
        elif key in _LISTS:
            inner = node.child(key)
            if not is_array(inner.value):
                raise inner.error(f"expected an array, got {type(inner.value).__name__}")
            yield from (inner.child(index) for index in range(len(inner.value)))
        elif key in _MAPS:
            inner = node.child(key)
            yield from (inner.child(name) for name in inner.mapping())


def _unknown_keywords(node: Node, schema: JsonObject, extensions: Extensions) -> Iterator[str]:
    for key, value in schema.items():
        if key in extensions:
            extensions[key](value, node.child(key))
        elif key not in _IN_PLACE | _LISTS | _MAPS | _PLAIN and not key.startswith("x-"):
            yield f"{node.child(key).location}: the keyword {key!r} is not one that the mock can honour"
        elif key == "$schema" and str(value).rstrip("#") not in _DIALECTS:
            yield f"{node.child(key).location}: the dialect {value!r} is not JSON Schema 2020-12"


def _from_3_0(schema: JsonObject) -> None:
    if schema.pop("nullable", False) is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(exclusive) is True and bound in schema:
            schema[exclusive] = schema.pop(bound)
        elif isinstance(schema.get(exclusive), bool):
            del schema[exclusive]


def _bound_integers(schema: JsonObject) -> None:
    size = _INTEGERS.get(str(schema.get("format")))
    if size is not None:
        schema["minimum"] = max(schema.get("minimum", -size), -size)
        schema["maximum"] = min(schema.get("maximum", size - 1), size - 1)


def _forbid_one_way(node: Node, direction: Direction) -> None:
    keyword = "readOnly" if direction == "request" else "writeOnly"
    schema = node.mapping()
    properties = schema.get("properties")
    if not is_object(properties):
        return
    owner = node.child("properties")
    for name in list(properties):
        declared = owner.child(name)
        if any(
            part is not None and is_object(part.value) and part.value.get(keyword)
            for part in (declared, declared.target())
        ):
            properties[name] = False
            if isinstance(schema.get("required"), list):
                schema["required"] = [required for required in schema["required"] if required != name]

"""One operation of the description, compiled and checked at start: what it takes, and what it may answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import orjson

from flux_images_mock._answer.answer import Answer
from flux_images_mock._description.node import METHODS, Node
from flux_images_mock._description.schema import Schemas, Violation, differences
from flux_images_mock._request.authenticate import Alternatives, compile_security
from flux_images_mock._request.bodies import Body, compile_body
from flux_images_mock._request.message import Pair, Pairs, essence_of, is_json, new_id
from flux_images_mock._request.parameters import Parameter, compile_parameters

_ID_HEADERS = (b"x-oneapi-request-id", b"x-request-id")
"""What this family of gateways sends anew with each answer."""

_MADE = frozenset(b"content-type content-length transfer-encoding connection keep-alive upgrade trailer".split())
"""Headers that are made from the answer itself or by the connection, whatever is declared."""


class MismatchError(ValueError):
    """An answer differs from what the description declares: which one, and how."""

    def __init__(self, origin: str, violations: list[Violation]) -> None:
        super().__init__(f"{origin} differs from the description: {'; '.join(map(str, violations))}")
        self.violations = violations


@dataclass(frozen=True, slots=True)
class Example:
    """One declared example, written out and checked."""

    name: str
    summary: str
    provenance: str
    body: bytes
    violations: list[Violation]


@dataclass(frozen=True, slots=True)
class Media:
    """One media type of a response."""

    name: str
    header: Pair
    validator: jsonschema_rs.Validator | None
    examples: dict[str, Example]
    sample: Callable[[str], Any]

    def write(self, value: Any) -> bytes:
        """Return a value as a body of this type."""
        if isinstance(value, str) and not is_json(essence_of(self.name)):
            return value.encode()
        try:
            return orjson.dumps(value)
        except TypeError:  # an integer of more than 64 bits, which JSON may hold
            return json.dumps(value, ensure_ascii=False).encode()

    def differences(self, value: Any) -> list[Violation]:
        """Return how a value differs from the schema."""
        return [] if self.validator is None else differences(self.validator, value, "body")


@dataclass(frozen=True, slots=True)
class Response:
    """What stands under one status (or `default`) of an operation."""

    media: dict[str, Media]
    id_headers: list[bytes]
    constants: Pairs

    def example(self, request_id: bytes, status: int, media: Media, example: Example) -> Answer:
        """Return a declared example; raises `MismatchError` if it isn't valid."""
        origin = f"example {example.name}"
        if example.violations:
            raise MismatchError(f"the {origin} of status {status}", example.violations)
        return self.answer(request_id, status, media, example.body, origin)

    def value(self, request_id: bytes, status: int, media: Media, value: Any, origin: str, *, check: bool) -> Answer:
        """Return `value` as an answer; raises `MismatchError` if it isn't valid."""
        if check and (violations := media.differences(value)):
            raise MismatchError(origin, violations)
        return self.answer(request_id, status, media, media.write(value), origin)

    def answer(self, request_id: bytes, status: int, media: Media | None, body: bytes, origin: str) -> Answer:
        """Return an answer with the declared headers that can be made."""
        headers = self.headers(request_id)
        if media is not None:
            headers.append(media.header)
        return Answer(status, headers, body, origin)

    def headers(self, request_id: bytes) -> Pairs:
        """Return the declared headers that can be made."""
        return [(name, request_id) for name in self.id_headers] + self.constants


class Responses(dict[str, Response]):
    """Every declared response of an operation, by status, range (`4XX`) or `default`."""

    def find(self, status: int) -> Response | None:
        """Return what is declared for a status: itself, its range, else `default`."""
        return self.get(str(status)) or self.get(f"{status // 100}XX") or self.get("default")

    def in_turn(self) -> list[tuple[int, Response]]:
        """Return every response with a status for it, the usual one (the first success) first."""
        keys = sorted(self, key=lambda key: (key[0] != "2", key == "default"))
        return [(200 if key == "default" else int(key.replace("X", "0")), self[key]) for key in keys]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `templates` are its paths, one for each base path of its servers."""

    operation_id: str
    method: str
    templates: tuple[str, ...]
    parameters: list[Parameter]
    security: Alternatives
    body: Body | None
    responses: Responses
    extensions: dict[str, Any]


def compile_operations(root: Node, requests: Schemas, responses: Schemas) -> Iterator[Operation]:
    """Yield every operation of the description."""
    for path, item in root.items("paths"):
        if not path.startswith("/"):
            raise item.error("a path begins with a slash")
        for method in METHODS:
            node = item.get(method)
            if node is None:
                continue
            value = node.mapping()
            body = node.get("requestBody")
            yield Operation(
                operation_id=node.text("operationId", f"{method} {path}"),
                method=method.upper(),
                templates=tuple(base + path for base in _base_paths(node, item, root)),
                parameters=compile_parameters(item, node, requests),
                security=compile_security(node if "security" in value else root, root),
                body=None if body is None else compile_body(body, requests),
                responses=_compile_responses(node, responses),
                extensions={key: item for key, item in value.items() if key.startswith("x-")},
            )


def _base_paths(*owners: Node) -> list[str]:
    for owner in owners:
        servers = list(owner.elements("servers"))
        if servers:
            return list(dict.fromkeys(urlsplit(_address(server)).path.rstrip("/") for server in servers))
    return [""]


def _address(server: Node) -> str:
    url = server.text("url")
    for name, variable in server.items("variables"):
        url = url.replace(f"{{{name}}}", variable.text("default"))
    return url


def _compile_responses(operation: Node, schemas: Schemas) -> Responses:
    """Return the compiled responses of an operation."""
    responses = Responses()
    for key, node in operation.items("responses"):
        media = {name: _media(name, item, schemas) for name, item in node.items("content")}
        response = responses[key if key == "default" else key.upper()] = Response(media, [], [])
        for name, item in node.items("headers"):
            _add_header(response, name.lower().encode(), item, schemas)
    return responses


def _media(name: str, node: Node, schemas: Schemas) -> Media:
    value = node.mapping()
    schema = node.child("schema") if "schema" in value else None
    media = Media(
        name=name,
        header=(b"content-type", name.encode()),
        validator=None if schema is None else schemas.validator(schema),
        examples={},
        sample=lambda seed: "" if schema is None else schemas.sample(schema, seed),
    )
    declared = {key: item.mapping() for key, item in node.items("examples") if "value" in item.mapping()}
    if "example" in value:
        declared["example"] = {"value": value["example"]}
    for key, example in declared.items():
        content = example["value"]
        summary, provenance = example.get("summary", ""), example.get("x-provenance", "")
        media.examples[key] = Example(key, summary, provenance, media.write(content), media.differences(content))
    return media


def _add_header(response: Response, name: bytes, node: Node, schemas: Schemas) -> None:
    if name in _MADE:
        return
    if "schema" not in node.mapping():
        raise node.error("the mock makes a response header only from its schema")
    schema = node.child("schema")
    if name in _ID_HEADERS and schemas.validator(schema).is_valid(new_id().decode()):
        response.id_headers.append(name)
    elif (text := _constant(node, schema, schemas)) is not None:
        response.constants.append((name, text))


def _constant(node: Node, schema: Node, schemas: Schemas) -> bytes | None:
    """Return the header's example, or a sample if it is required; an optional one is left out."""
    value = node.mapping()
    examples = [value["example"]] if "example" in value else []
    examples += [item.mapping().get("value") for _, item in node.items("examples")]
    if not examples and value.get("required") is not True:
        return None
    chosen = examples[0] if examples else schemas.sample(schema, node.location)
    return (chosen if isinstance(chosen, str) else orjson.dumps(chosen).decode()).encode()

"""Requests of an operation, as bytes: a valid one, and the same with one part changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from contract_tests.contract import document as contract
from contract_tests.contract.values import sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.contract.document import Json

KEY = "sk-contract"
Lines = tuple[tuple[str, str], ...]


class Request(NamedTuple):
    """A request of one operation; `body` is None where there is none."""

    method: str
    path: str
    query: Lines
    headers: Lines
    body: bytes | None

    def with_header(self, name: str, value: str | None) -> Request:
        """The same with one header replaced, or left out."""
        rest = tuple(line for line in self.headers if line[0].lower() != name.lower())
        return self._replace(headers=rest if value is None else (*rest, (name, value)))

    def bytes(self) -> bytes:
        """What goes over the wire."""
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in self.query)
        target = f"{self.path}?{query}" if query else self.path
        lines = [f"{self.method} {target} HTTP/1.1", "Host: gateway", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body is not None:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (self.body or b"")


def parameters(path: str, declared: Json) -> Iterator[Json]:
    """Every parameter of an operation."""
    for owner in (contract.document()["paths"][path], declared):
        yield from (contract.resolve(parameter) for parameter in owner.get("parameters", ()))


def body_schema(declared: Json) -> Json | None:
    """The schema of an operation's JSON body, if it takes one."""
    content = contract.resolve(declared.get("requestBody", {})).get("content", {})
    return contract.json_schema(content) if "application/json" in content else None


def request(operation_id: str, body: Any = ..., values: dict[str, Any] | None = None) -> Request:
    """A request of an operation: valid but for the given body, or the given values of parameters (by name)."""
    path, method, declared = contract.operation(operation_id)
    given = values or {}
    query: list[tuple[str, str]] = []
    headers: list[tuple[str, str]] = [*credentials(declared)]
    for parameter in parameters(path, declared):
        name, place = parameter["name"], parameter["in"]
        if name not in given and not parameter.get("required"):
            continue
        texts = [_text(part) for part in _listed(given.get(name, sample(parameter["schema"])))]
        if place == "path":
            path = path.replace(f"{{{name}}}", quote(",".join(texts), safe=""))
        elif place == "query":
            query += [(name, text) for text in texts]
        else:
            headers.append((name, ",".join(texts)) if place == "header" else ("Cookie", f"{name}={texts[0]}"))
    schema = body_schema(declared)
    if schema is not None:
        headers.append(("Content-Type", "application/json"))
        body = sample(schema) if body is ... else body
    content = None if schema is None else json.dumps(body).encode()
    return Request(method.upper(), path, tuple(query), tuple(headers), content)


def credentials(declared: Json, key: str = KEY) -> Iterator[tuple[str, str]]:
    """The header lines of the first security alternative."""
    schemes = contract.document()["components"]["securitySchemes"]
    for name in next(iter(declared.get("security", [])), {}):
        yield _CREDENTIALS[schemes[name]["type"], schemes[name].get("scheme", "")], f"Bearer {key}"


_CREDENTIALS = {("http", "bearer"): "Authorization"}
"""The header of each kind of scheme that the contract uses; one that is not here stops the suite."""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

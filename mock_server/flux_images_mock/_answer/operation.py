"""One operation of the description, compiled: what it takes and what it may answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flux_images_mock._answer.responses import Responses, compile_responses
from flux_images_mock._description.node import METHODS, Node
from flux_images_mock._description.schema import Schemas
from flux_images_mock._request.authenticate import Alternatives, compile_security
from flux_images_mock._request.bodies import Body, compile_body
from flux_images_mock._request.parameters import Parameter, compile_parameters


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
                responses=compile_responses(node, responses),
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

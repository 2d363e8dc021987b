"""The contract as these tests read it: by libraries of their own, sharing nothing with the client or the mock."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PATH = Path(os.environ.get("FLUX_CONTRACT", ROOT / "openapi.yaml"))
"""The contract under test; the drift tests set the variable to a changed copy."""
CASES = Path(__file__).with_name("cases")

Json = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Example(NamedTuple):
    """A declared example of a body: `status` is None for a request."""

    operation_id: str
    status: str | None
    name: str
    value: Any
    schema: Json

    def __str__(self) -> str:
        return f"{self.operation_id}-{self.status or 'request'}-{self.name}"


@cache
def document() -> Json:
    """The contract, parsed."""
    parsed: Json = yaml.safe_load(PATH.read_text("utf-8"))
    return parsed


def cases(name: str) -> Any:
    """A table of cases, from `cases/NAME.yaml`."""
    return yaml.safe_load((CASES / f"{name}.yaml").read_text("utf-8"))


def resolve(node: Json) -> Json:
    """What a node stands for, behind any references."""
    while "$ref" in node:
        target: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def operations() -> Iterator[tuple[str, str, Json]]:
    """Path, method and operation, for each operation."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def operation(operation_id: str) -> tuple[str, str, Json]:
    """Path, method and operation of an operationId."""
    return next(found for found in operations() if found[2]["operationId"] == operation_id)


def json_schema(content: Json) -> Json:
    """The schema of a JSON body."""
    schema: Json = content["application/json"]["schema"]
    return schema


def differences(instance: Any, schema: Json) -> list[str]:
    """Where an instance breaks a schema of the contract, as `pointer: message`; empty if nowhere."""
    validator = Draft202012Validator({"$ref": "contract:/whole#/entry"}, registry=_registry(schema))
    return sorted(f"{_pointer(error.absolute_path)}: {error.message}" for error in validator.iter_errors(instance))


def undeclared(instance: Json, schema: Json) -> set[str]:
    """The keys of an object that its schema does not name."""
    return set(instance) - set(resolve(schema).get("properties", {}))


def examples() -> Iterator[Example]:
    """Every declared example of a body, of requests and responses."""
    for _, _, declared in operations():
        operation_id = declared["operationId"]
        if "requestBody" in declared:
            content = resolve(declared["requestBody"])["content"]
            yield from _examples(operation_id, None, content)
        for status, response in declared["responses"].items():
            yield from _examples(operation_id, status, resolve(response).get("content", {}))


def _examples(operation_id: str, status: str | None, content: Json) -> Iterator[Example]:
    for media in content.values():
        for name, example in media.get("examples", {}).items():
            yield Example(operation_id, status, name, resolve(example)["value"], media["schema"])


def _registry(entry: Json) -> Registry[Any]:
    """The whole contract under a name that its own `#/components/...` references resolve against."""
    whole = {**document(), "entry": entry}
    contents: Resource[Any] = Resource.from_contents(whole, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("contract:/whole", contents)
    return registry


def _pointer(path: Any) -> str:
    return "".join(f"/{part}" for part in path)

"""Every contract that differs from openapi.yaml in one point, and the controls, which differ in no promise."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from contract_tests.contract import document as contract
from contract_tests.mutants.schemas import changed, renamed, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.contract.document import Json

REQUEST, RESPONSE = "request", "response"
_RESPONSE_ROOTS = ("/components/responses", "/components/headers", "/x-mock-errors")


class Mutant(NamedTuple):
    """A changed contract: what was changed (`pointer: change`), on which side of the exchange, and the document."""

    name: str
    side: str
    document: Json


def mutants() -> list[Mutant]:
    """Every single-point mutant, in the contract's order."""
    return [*_of_schemas(), *_of_operations(), *_of_responses(), *_of_security()]


def controls() -> list[Mutant]:
    """Contracts that promise the same: they must pass."""
    document = contract.document()
    return [
        Mutant("every description in other words", "control", _reworded(document)),
        Mutant("every mapping in another order", "control", _reordered(document)),
        Mutant("no summaries, tags without description", "control", _unsummarised(document)),
        Mutant("unchanged", "control", copy.deepcopy(document)),
    ]


def renames() -> list[Mutant]:
    """The mutants that rename an operation, a property, a status, a path or a security scheme."""
    return [mutant for mutant in mutants() if ": rename" in mutant.name]


def _mutant(pointer: str, change: str, alter: Callable[[Json], None]) -> Mutant:
    document = copy.deepcopy(contract.document())
    alter(document)
    return Mutant(f"{pointer}: {change}", _side(pointer), document)


def _side(pointer: str) -> str:
    if pointer.startswith(_RESPONSE_ROOTS) or "/responses" in pointer:
        return RESPONSE
    if pointer.startswith("/components/schemas/"):
        return REQUEST if pointer.split("/")[3] in _request_schemas() else RESPONSE
    return REQUEST


def _request_schemas() -> set[str]:
    """The names of the schemas that request bodies refer to, at any distance."""
    found: set[str] = set()
    waiting: list[Any] = [operation.get("requestBody", {}) for _, _, operation in contract.operations()]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(contract.resolve(node))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return found


def _at(document: Json, pointer: str) -> Any:
    node: Any = document
    for step in pointer.removeprefix("/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        node = node[int(key)] if isinstance(node, list) else node[key]
    return node


def _put(pointer: str, value: Any) -> Callable[[Json], None]:
    above, _, last = pointer.rpartition("/")

    def alter(document: Json) -> None:
        parent = _at(document, above)
        parent[int(last) if isinstance(parent, list) else last.replace("~1", "/").replace("~0", "~")] = value

    return alter


def _rename(pointer: str, new: str) -> Callable[[Json], None]:
    above, _, last = pointer.rpartition("/")
    old = last.replace("~1", "/").replace("~0", "~")

    def alter(document: Json) -> None:
        parent = _at(document, above)
        members = [(new if key == old else key, value) for key, value in parent.items()]
        parent.clear()
        parent.update(members)

    return alter


def _drop(pointer: str) -> Callable[[Json], None]:
    above, _, last = pointer.rpartition("/")
    return lambda document: _at(document, above).pop(last.replace("~1", "/").replace("~0", "~"))


def _of_schemas() -> Iterator[Mutant]:
    components = contract.document()["components"]
    roots = [(f"/components/schemas/{name}", schema) for name, schema in components["schemas"].items()]
    roots += [
        (f"/components/headers/{name}/schema", header["schema"]) for name, header in components["headers"].items()
    ]
    for root, schema in roots:
        for pointer, node, member in walk(schema, root):
            for change, other in changed(node, member):
                yield _mutant(pointer, change, _put(pointer, other))
            for name in node.get("properties", {}):
                yield _mutant(pointer, f"rename {name}", _rename_property(pointer, name, f"{name}_renamed"))
                yield _mutant(pointer, f"drop {name}", _rename_property(pointer, name, None))


def _rename_property(pointer: str, name: str, new: str | None) -> Callable[[Json], None]:
    """Rename or drop a property with all that belongs to it: `required`, and every example that uses it."""

    def alter(document: Json) -> None:
        schema = _at(document, pointer)
        properties = schema["properties"]
        schema["properties"] = {
            (new if key == name and new else key): value for key, value in properties.items() if new or key != name
        }
        required = [(new if key == name else key) for key in schema.get("required", ())]
        schema["required"] = [key for key in required if key]
        if new:
            for media in _contents(document):
                for example in media.get("examples", {}).values():
                    example["value"] = renamed(example["value"], name, new)

    return alter


def _contents(document: Json) -> Iterator[Json]:
    for item in document["paths"].values():
        for operation in item.values():
            yield from operation.get("requestBody", {}).get("content", {}).values()
    for response in document["components"]["responses"].values():
        yield from response["content"].values()


def _of_operations() -> Iterator[Mutant]:
    yield _mutant("/servers/0/url", "another host", _put("/servers/0/url", "https://other.example"))
    for path, method, declared in contract.operations():
        at_path = f"/paths/{contract.escape(path)}"
        here = f"{at_path}/{method}"
        yield _mutant(at_path, "rename the path", _rename(at_path, f"{path}s"))
        yield _mutant(here, "rename the method", _rename(here, "put" if method != "put" else "post"))
        yield _mutant(here, "rename the operation", _put(f"{here}/operationId", "renamed_operation"))
        yield _mutant(here, "rename the tag", _put(f"{here}/tags", ["renamed"]))
        if declared.get("x-billed"):
            yield _mutant(here, "not billed", _drop(f"{here}/x-billed"))
        if "requestBody" in declared:
            body = f"{here}/requestBody"
            yield _mutant(body, "drop", _drop(body))
            yield _mutant(body, "not required", _put(f"{body}/required", False))
            for media_type in declared["requestBody"]["content"]:
                content = f"{body}/content/{contract.escape(media_type)}"
                yield _mutant(content, "another media type", _rename(content, "application/xml"))
                yield _mutant(content, "a form", _rename(content, "application/x-www-form-urlencoded"))
                yield _mutant(content, "no schema", _drop(f"{content}/schema"))
        for status in declared["responses"]:
            at = f"{here}/responses/{status}"
            new = (
                "599"
                if status == "default"
                else next(str(code) for code in range(int(status) + 1, 600) if str(code) not in declared["responses"])
            )
            yield _mutant(at, f"rename to {new}", _rename(at, new))
            yield _mutant(at, "drop", _drop(at))


def _of_responses() -> Iterator[Mutant]:
    document = contract.document()
    for name, response in document["components"]["responses"].items():
        here = f"/components/responses/{name}"
        for header in response.get("headers", {}):
            yield _mutant(f"{here}/headers/{header}", "rename", _rename(f"{here}/headers/{header}", "x-renamed"))
            yield _mutant(f"{here}/headers/{header}", "drop", _drop(f"{here}/headers/{header}"))
        for media_type in response.get("content", {}):
            content = f"{here}/content/{contract.escape(media_type)}"
            yield _mutant(content, "another media type", _rename(content, "text/plain"))
            yield _mutant(content, "no schema", _drop(f"{content}/schema"))
    for kind, refusal in document["x-mock-errors"].items():
        here = f"/x-mock-errors/{kind}"
        yield _mutant(here, "another status", _put(f"{here}/status", 422 if refusal["status"] != 422 else 400))
        yield _mutant(here, "another body", _put(f"{here}/body", {"error": {"message": "no", "type": "mutant"}}))
        yield _mutant(here, "drop", _drop(here))


def _of_security() -> Iterator[Mutant]:
    for path, method, declared in contract.operations():
        here = f"/paths/{contract.escape(path)}/{method}/security"
        if declared.get("security"):
            yield _mutant(here, "drop", _drop(here))
            yield _mutant(here, "none needed", _put(here, []))
            yield _mutant(here, "optional", _put(here, [*declared["security"], {}]))
    for name in contract.document()["components"]["securitySchemes"]:
        at = f"/components/securitySchemes/{name}"
        yield _mutant(at, "rename", _rename(at, "renamed"))
        yield _mutant(at, "basic", _put(at, {"type": "http", "scheme": "basic"}))
        for place in ("header", "query", "cookie"):
            yield _mutant(at, f"a key in the {place}", _put(at, {"type": "apiKey", "in": place, "name": "key"}))


def _reworded(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: "In other words." if key == "description" and isinstance(value, str) else _reworded(value)
            for key, value in node.items()
        }
    return [_reworded(entry) for entry in node] if isinstance(node, list) else node


def _reordered(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _reordered(value) for key, value in reversed(node.items())}
    return [_reordered(entry) for entry in node] if isinstance(node, list) else node


def _unsummarised(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: _unsummarised(value) for key, value in node.items() if key != "summary" or not isinstance(value, str)
        }
    return [_unsummarised(entry) for entry in node] if isinstance(node, list) else node

"""What leaves a client: the request that a promise of the contract speaks of, or none at all."""

from __future__ import annotations

import importlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, get_args, get_type_hints
from urllib.parse import quote, unquote

import httpx

from contract_tests.checks.check import Broken, Run, Subject
from contract_tests.checks.client import wire
from contract_tests.contract import document as contract
from contract_tests.contract.requests import body_schema, parameters, request
from contract_tests.contract.values import sample, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract_tests.contract.document import Json

_OF_A_CLIENT = {"authorization"}
"""What may go along where no key is asked for: a client that holds one sends it to its gateway."""
_OF_HTTP = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "content-type"}


def whole_arguments(name: str) -> tuple[dict[str, Any], Any]:
    """Values for every parameter of an operation, and a body with every property."""
    path, _, declared = contract.operation(name)
    values = {parameter["name"]: sample(parameter["schema"]) for parameter in parameters(path, declared)}
    schema = body_schema(declared)
    return values, None if schema is None else whole(schema)


def sends(name: str, arguments: tuple[dict[str, Any], Any]) -> Run:
    """The generated function makes the declared request of its arguments."""
    values, body = arguments

    def run(subject: Subject) -> Broken | None:
        with wire(success(name)) as route:
            subject.client.call(name, values, body)
        return wrong_request(name, route.calls.last.request, values, body)

    return run


def sends_body(name: str, body: dict[str, Any]) -> Run:
    """`generate` sends what the contract allows, as it was asked for."""

    def run(subject: Subject) -> Broken | None:
        with wire(_picture()) as route:
            try:
                subject.client.generate(body)
            except (subject.client.sdk.FluxImagesError, TypeError) as error:
                return Broken("what the contract allows can be sent", f"generate {body}", "a request", repr(error))
        return wrong_request(name, route.calls.last.request, {}, body)

    return run


def refuses(body: dict[str, Any], where: str) -> Run:
    """`generate` sends nothing that the contract forbids, and says where it is wrong."""
    field = where.removeprefix("/").partition("/")[0]

    def run(subject: Subject) -> Broken | None:
        with wire(_picture()) as route:
            try:
                subject.client.generate(body)
            except subject.client.sdk.InvalidRequestError as error:
                if field not in str(error):
                    return Broken("a refusal names the field", f"generate {body}", field, str(error))
            except TypeError as error:
                return Broken("a refusal is a typed error", f"generate {body}", "InvalidRequestError", repr(error))
        if route.called:
            sent = route.calls.last.request.content.decode(errors="replace")
            return Broken("what the contract forbids is never sent", f"generate {body}", "InvalidRequestError", sent)
        return None

    return run


def asks(host: str, base_url: str | None) -> Run:
    """The request goes to a host."""

    def run(subject: Subject) -> Broken | None:
        with wire(_picture()) as route:
            subject.client.generate({"model": "text", "prompt": "text"}, base_url=base_url)
        url = str(route.calls.last.request.url)
        promise = "the contract's server is asked, or the one that was given"
        return None if url.startswith(f"{host}/") else Broken(promise, f"base_url={base_url}", host, url)

    return run


def tries(name: str, declared: Json) -> Run:
    """A failure that may have been billed is met by one request, any other by a second one."""
    billed = bool(declared.get("x-billed"))

    def run(subject: Subject) -> Broken | None:
        values, body = whole_arguments(name)
        with wire() as route:
            route.side_effect = [httpx.Response(500, json={"error": {"message": "no"}}), success(name)]
            with suppress(subject.client.sdk.APIStatusError):
                subject.client.call(name, values, body, max_retries=1)
        if route.call_count == (1 if billed else 2):
            return None
        return Broken(
            "what may have been billed is not sent twice", name, str(1 if billed else 2), str(route.call_count)
        )

    return run


def completes(name: str, declared: Json) -> Run:
    """The names and literal values that an editor completes."""
    schema = contract.resolve(body_schema(declared) or {})

    def run(subject: Subject) -> Broken | None:
        model = get_type_hints(subject.client.endpoint(name).build_request)["body"]
        named = set(model.JSON_NAMES.values())
        if named != set(schema["properties"]):
            return Broken(
                "a model has the declared properties", name, str(sorted(schema["properties"])), str(sorted(named))
            )
        siblings = importlib.import_module(model.__module__.rpartition(".")[0])
        hints = get_type_hints(model, localns=vars(siblings))
        for field, rules in schema["properties"].items():
            wanted, got = _choices(rules), _literals(hints[field])
            if wanted != got:
                return Broken(
                    "the declared choices are typed", f"{name} {field}", str(sorted(wanted)), str(sorted(got))
                )
            optional = subject.client.types.Unset in get_args(hints[field])
            if optional == (field in schema.get("required", ())):
                return Broken("what is required has no default", f"{name} {field}", str(not optional), str(optional))
        return None

    return run


def _choices(schema: Json) -> set[str]:
    node = contract.resolve(schema)
    return set(node.get("enum", ())).union(*(_choices(branch) for branch in node.get("anyOf", ())))


def _literals(hint: Any) -> set[str]:
    if isinstance(hint, str):
        return {hint}
    return set().union(*(_literals(member) for member in get_args(hint) if member is not hint))


def wrong_request(name: str, sent: httpx.Request, values: dict[str, Any], body: Any) -> Broken | None:
    """How a captured request differs from what the contract declares for given arguments."""
    expected = request(name, body, values)
    _, _, declared = contract.operation(name)
    headers = {key.lower(): value for key, value in expected.headers}
    allowed = headers.keys() | _OF_HTTP | (set() if declared.get("security") else _OF_A_CLIENT)
    pairs: dict[str, tuple[Any, Any]] = {
        "the declared method is used": (expected.method, sent.method),
        "the declared path is used": (_path(expected.path), _path(sent.url.raw_path.decode().partition("?")[0])),
        "only declared query parameters are sent": (_query(expected.query), _query(sent.url.params.multi_items())),
        "declared headers are sent": (headers, {key: sent.headers.get(key) for key in headers}),
        "the host's own headers and the declared ones are all": ([], sorted(set(sent.headers) - allowed)),
    }
    schema = body_schema(declared)
    if schema is None:
        pairs["no body is sent"] = (b"", sent.content)
    else:
        found = json.loads(sent.content)
        pairs["the body is what the contract declares"] = ([], contract.differences(found, schema))
        as_asked = contract.same(found, body, schema)
        pairs["the body is the one that was asked for"] = (body, body if as_asked else found)
    for promise, (wanted, got) in pairs.items():
        if wanted != got:
            return Broken(promise, f"{expected.method} {expected.path}", str(wanted), str(got))
    return None


def _path(path: str) -> str:
    return "/".join(quote(contract.said(unquote(step)), safe="") for step in path.split("/"))


def _query(query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted((name, contract.said(text)) for name, text in query)


def _picture() -> httpx.Response:
    return httpx.Response(200, json={"data": [{"url": "https://pictures.example/a.png"}]})


def success(name: str) -> httpx.Response:
    """The smallest success that an operation declares."""
    _, _, declared = contract.operation(name)
    status, response = next(pair for pair in declared["responses"].items() if pair[0].startswith("2"))
    content = contract.resolve(response).get("content")
    if not content:
        return httpx.Response(contract.code(status))
    media_type, media = next(iter(content.items()))
    return written(
        contract.code(status), media_type, contract.body(media_type, media["schema"], sample(media["schema"]))
    )


def written(code: int, media_type: str, body: Any) -> httpx.Response:
    """An answer with a body: bytes and texts as they stand, unless the media type says that they are JSON."""
    raw = body if isinstance(body, bytes) else str(body).encode()
    content = json.dumps(body).encode() if contract.is_json(media_type) else raw
    return httpx.Response(code, headers={"content-type": media_type}, content=content)

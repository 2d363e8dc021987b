"""What the contract promises of a client: what it sends, what it refuses to send, and what it makes of answers."""

from __future__ import annotations

import importlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import httpx

from contract_tests import _contract as contract
from contract_tests._checks import Broken, Check, Subject
from contract_tests._client import BASE, GENERATE, wire
from contract_tests._requests import body_schema, parameters, request
from contract_tests._values import sample, whole
from contract_tests._walk import cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests._contract import Json

_IDS = {"x-oneapi-request-id": "request_id", "x-request-id": "request_id", "retry-after": "retry_after"}
"""The attribute of an error in which each declared header arrives."""


def client_checks() -> Iterator[Check]:
    """Every promise of every operation that a client can be asked about."""
    for path, method, declared in contract.operations():
        name = declared["operationId"]
        here = f"/paths/{contract.escape(path)}/{method}"
        yield _check(name, here, True, "a request by the generated function", _sends(name, whole_arguments(name)))
        if name == GENERATE:
            yield from _generate(name, declared, f"{here}/requestBody")
            server = contract.document()["servers"][0]["url"]
            yield _check(name, "/servers/0/url", True, "the usual address", _asks(server, None))
            yield _check(name, "/servers/0/url", False, "another address", _asks(BASE, BASE))
        if body_schema(declared) is not None:
            content = f"{here}/requestBody/content/{contract.escape('application/json')}"
            yield _check(name, content, True, "names of the body", _completes(name, declared))
        for status, response in declared["responses"].items():
            yield from _answers(name, declared, f"{here}/responses", status, response)
        yield _check(name, f"{here}/x-billed", True, "tries again after 500", _tries(name, declared))


def _check(operation: str, rule: str, keeps: bool, name: str, run: Callable[[Subject], Broken | None]) -> Check:
    return Check("client", operation, rule, keeps, name, run)


def whole_arguments(name: str) -> tuple[dict[str, Any], Any]:
    """Values for every parameter of an operation, and a body with every property."""
    path, _, declared = contract.operation(name)
    values = {parameter["name"]: sample(parameter["schema"]) for parameter in parameters(path, declared)}
    schema = body_schema(declared)
    return values, None if schema is None else whole(schema)


def _generate(name: str, declared: Json, here: str) -> Iterator[Check]:
    schema = body_schema(declared) or {}
    content = f"{here}/content/{contract.escape('application/json')}"
    for case in cases(schema, f"{content}/schema"):
        if isinstance(case.instance, dict) and _can_be_said(case.instance, schema):
            run = _sends_body(name, case.instance) if case.ok else _refuses(case.instance, case.where)
            yield _check(name, case.rule, case.ok, f"generate {case}", run)
    full = whole(schema)
    yield _check(name, content, True, "generate with everything", _sends_body(name, full))
    yield _check(name, f"{here}/required", True, "generate with the least", _sends_body(name, sample(schema)))


def _can_be_said(body: dict[str, Any], schema: Json) -> bool:
    """Whether Python's arguments can say a body: None leaves a field out, and required ones are always given."""
    required = set(contract.resolve(schema).get("required", ()))
    return required <= body.keys() and not any(value is None for value in body.values())


def _sends(name: str, arguments: tuple[dict[str, Any], Any]) -> Callable[[Subject], Broken | None]:
    values, body = arguments

    def run(subject: Subject) -> Broken | None:
        with wire(_success(name)) as route:
            subject.client.call(name, values, body)
        return wrong_request(name, route.calls.last.request, values, body)

    return run


def _sends_body(name: str, body: dict[str, Any]) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        with wire(_picture()) as route:
            try:
                subject.client.generate(body)
            except (subject.client.sdk.FluxImagesError, TypeError) as error:
                return Broken("what the contract allows can be sent", f"generate {body}", "a request", repr(error))
        return wrong_request(name, route.calls.last.request, {}, body)

    return run


def _refuses(body: dict[str, Any], where: str) -> Callable[[Subject], Broken | None]:
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


def wrong_request(name: str, sent: httpx.Request, values: dict[str, Any], body: Any) -> Broken | None:
    """How a captured request differs from what the contract declares for given arguments."""
    expected = request(name, body, values)
    _, _, declared = contract.operation(name)
    headers = {key.lower(): value for key, value in expected.headers}
    seen = {key: sent.headers.get(key) for key in headers}
    pairs: dict[str, tuple[Any, Any]] = {
        "the declared method is used": (expected.method, sent.method),
        "the declared path is used": (expected.path, sent.url.raw_path.decode().partition("?")[0]),
        "only declared query parameters are sent": (sorted(expected.query), sorted(sent.url.params.multi_items())),
        "declared headers are sent": (headers, seen),
        "the host's own headers and the declared ones are all": (
            [],
            sorted(set(sent.headers) - headers.keys() - _OF_HTTP),
        ),
    }
    schema = body_schema(declared)
    if schema is None:
        pairs["no body is sent"] = (b"", sent.content)
    else:
        written = json.loads(sent.content)
        pairs["the body is the one that was asked for"] = (body, written)
        pairs["the body is what the contract declares"] = ([], contract.differences(written, schema))
    for promise, (wanted, got) in pairs.items():
        if wanted != got:
            return Broken(promise, f"{expected.method} {expected.path}", str(wanted), str(got))
    return None


_OF_HTTP = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "content-type"}


def _asks(host: str, base_url: str | None) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        with wire(_picture()) as route:
            subject.client.generate({"model": "text", "prompt": "text"}, base_url=base_url)
        url = str(route.calls.last.request.url)
        promise = "the contract's server is asked, or the one that was given"
        return None if url.startswith(f"{host}/") else Broken(promise, f"base_url={base_url}", host, url)

    return run


def _completes(name: str, declared: Json) -> Callable[[Subject], Broken | None]:
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
            if optional == (field in schema["required"]):
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


def _answers(name: str, declared: Json, here: str, status: str, response: Json) -> Iterator[Check]:
    pointer, node = contract.follow(f"{here}/{status}", response)
    code = 418 if status == "default" else int(status.replace("X", "0"))
    for media_type, media in node.get("content", {}).items():
        at = f"{pointer}/content/{contract.escape(media_type)}"
        for case in cases(media["schema"], f"{at}/schema"):
            answer = _written(code, media_type, case.instance)
            run = _reads(name, answer, case.instance) if case.ok else _rejects(name, answer)
            yield _check(name, case.rule, case.ok, f"{status} {case}", run)
        full = whole(media["schema"])
        yield _check(name, at, True, f"{status} with everything", _knows(name, _written(code, media_type, full), full))
        page = httpx.Response(code, headers={"content-type": "text/html"}, text="<html>")
        yield _check(name, at, False, f"{status} as a web page", _rejects(name, page))
        yield _check(
            name, f"{here}/{status}", True, f"{status} with everything", _typed(name, declared, status, code, full)
        )
        yield _check(name, f"{here}/{status}", False, f"{status} as a web page", _rejects(name, page))
    if code >= 400:
        for header in node.get("headers", {}):
            for value, keeps in (("17", True), ("", False)):
                rule = contract.follow("", node["headers"][header])[0]
                run = _header(name, code, header, value, keeps=keeps)
                yield _check(name, f"{rule}/schema/minLength", keeps, f"{status} {header}={value!r}", run)


def _written(code: int, media_type: str, instance: Any) -> httpx.Response:
    return httpx.Response(code, headers={"content-type": media_type}, content=json.dumps(instance).encode())


def _reads(name: str, answer: httpx.Response, instance: Any) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        promise = "an answer that the contract allows is read, and nothing of it is lost"
        where = f"{answer.status_code} {instance!r:.200}"
        try:
            parsed = subject.client.endpoint(name).parse_response(answer).parsed
        except subject.client.errors.ResponseError as error:
            return Broken(promise, where, "the typed answer", repr(error))
        kept = parsed.to_dict() if hasattr(parsed, "to_dict") else parsed
        return None if kept == instance else Broken(promise, where, str(instance), str(kept))

    return run


def _knows(name: str, answer: httpx.Response, full: Any) -> Callable[[Subject], Broken | None]:
    """Every declared property is an attribute of its own, none is left among the undeclared ones."""

    def run(subject: Subject) -> Broken | None:
        parsed = subject.client.endpoint(name).parse_response(answer).parsed
        strangers = sorted(_strangers(parsed))
        promise = "every declared property has a name in the model"
        return None if not strangers else Broken(promise, str(answer.status_code), str(full), f"unknown: {strangers}")

    return run


def _strangers(model: Any) -> set[str]:
    if isinstance(model, list):
        return set().union(*(_strangers(item) for item in model))
    if not hasattr(model, "JSON_NAMES"):
        return set()
    own = set(model.additional_properties) if model.JSON_NAMES else set()
    return own.union(*(_strangers(getattr(model, field)) for field in model.JSON_NAMES))


def _rejects(name: str, answer: httpx.Response) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        try:
            parsed = subject.client.endpoint(name).parse_response(answer).parsed
        except subject.client.errors.InvalidBody:
            return None
        where = f"{answer.status_code} {answer.text:.200}"
        return Broken("an answer that the contract forbids is a typed error", where, "InvalidBody", repr(parsed))

    return run


def _typed(name: str, declared: Json, status: str, code: int, full: Any) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        client = subject.client
        values, body = whole_arguments(name)
        outcomes = client.endpoint(name).OUTCOMES.statuses
        if outcomes != set(declared["responses"]):
            return Broken(
                "the declared statuses are known", name, str(sorted(declared["responses"])), str(sorted(outcomes))
            )
        with wire(_written(code, "application/json", full)):
            try:
                answer: Any = client.call(name, values, body)
            except client.sdk.FluxImagesError as error:
                answer = error
        is_error = isinstance(answer, client.sdk.APIStatusError)
        if is_error == (code < 400) or (is_error and answer.status_code != code):
            return Broken("a status arrives as a typed answer or error", f"{status}", str(code), repr(answer))
        return None

    return run


def _header(name: str, code: int, header: str, value: str, *, keeps: bool) -> Callable[[Subject], Broken | None]:
    attribute = _IDS[header.lower()]

    def run(subject: Subject) -> Broken | None:
        client = subject.client
        values, body = whole_arguments(name)
        with wire(httpx.Response(code, headers={header: value}, json={"error": {"message": "no"}})):
            try:
                client.call(name, values, body)
            except client.sdk.APIStatusError as error:
                found = getattr(error, attribute)
                if (found is not None) == keeps and (found is None or str(found).removesuffix(".0") == value):
                    return None
                return Broken(f"{header} arrives as {attribute}, if it holds something", str(code), value, str(found))
        return Broken("an error status is raised", str(code), "APIStatusError", "nothing")

    return run


def _tries(name: str, declared: Json) -> Callable[[Subject], Broken | None]:
    billed = bool(declared.get("x-billed"))

    def run(subject: Subject) -> Broken | None:
        values, body = whole_arguments(name)
        with wire() as route:
            route.side_effect = [httpx.Response(500, json={"error": {"message": "no"}}), _success(name)]
            with suppress(subject.client.sdk.APIStatusError):
                subject.client.call(name, values, body, max_retries=1)
        if route.call_count == (1 if billed else 2):
            return None
        return Broken(
            "what may have been billed is not sent twice", name, str(1 if billed else 2), str(route.call_count)
        )

    return run


def _picture() -> httpx.Response:
    return httpx.Response(200, json={"data": [{"url": "https://pictures.example/a.png"}]})


def _success(name: str) -> httpx.Response:
    """The smallest success that an operation declares."""
    _, _, declared = contract.operation(name)
    status, response = next(pair for pair in declared["responses"].items() if pair[0].startswith("2"))
    content = contract.resolve(response).get("content")
    if not content:
        return httpx.Response(int(status))
    media_type, media = next(iter(content.items()))
    return _written(int(status), media_type, sample(media["schema"]))

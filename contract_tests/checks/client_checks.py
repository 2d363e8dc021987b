"""What the contract promises of a client: what it sends, what it refuses to send, and what it makes of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from contract_tests.checks.check import Check, Run
from contract_tests.checks.client import BASE, GENERATE
from contract_tests.checks.client_reads import (
    ATTRIBUTES,
    brings_header,
    knows,
    passes_on,
    raises,
    reads,
    rejects,
    typed,
)
from contract_tests.checks.client_sends import (
    asks,
    completes,
    refuses,
    sends,
    sends_body,
    tries,
    whole_arguments,
    written,
)
from contract_tests.contract import document as contract
from contract_tests.contract.requests import body_schema
from contract_tests.contract.values import sample, whole
from contract_tests.contract.walk import cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.contract.document import Json


def client_checks() -> Iterator[Check]:
    """Every promise of every operation that a client can be asked about."""
    for path, method, declared in contract.operations():
        name = declared["operationId"]
        here = f"/paths/{contract.escape(path)}/{method}"
        yield _check(name, here, True, "a request by the generated function", sends(name, whole_arguments(name)))
        if name == GENERATE:
            yield from _generate(name, declared, f"{here}/requestBody")
            server = contract.document()["servers"][0]["url"]
            yield _check(name, "/servers/0/url", True, "the usual address", asks(server, None))
            yield _check(name, "/servers/0/url", False, "another address", asks(BASE, BASE))
        if body_schema(declared) is not None:
            content = f"{here}/requestBody/content/{contract.escape('application/json')}"
            yield _check(name, content, True, "names of the body", completes(name, declared))
        for status, response in declared["responses"].items():
            yield from _answers(name, declared, f"{here}/responses", status, response)
        yield _check(name, f"{here}/x-billed", True, "tries again after 500", tries(name, declared))


def _check(operation: str, rule: str, keeps: bool, name: str, run: Run) -> Check:
    return Check("client", operation, rule, keeps, name, run)


def _generate(name: str, declared: Json, here: str) -> Iterator[Check]:
    schema = body_schema(declared) or {}
    content = f"{here}/content/{contract.escape('application/json')}"
    for case in cases(schema, f"{content}/schema"):
        if isinstance(case.instance, dict) and _can_be_said(case.instance, schema):
            run = sends_body(name, case.instance) if case.ok else refuses(case.instance, case.where)
            yield _check(name, case.rule, case.ok, f"generate {case}", run)
    full = whole(schema)
    yield _check(name, content, True, "generate with everything", sends_body(name, full))
    yield _check(name, f"{here}/required", True, "generate with the least", sends_body(name, sample(schema)))


def _can_be_said(body: dict[str, Any], schema: Json) -> bool:
    """Whether Python's arguments can say a body: None leaves a field out, and required ones are always given."""
    required = set(contract.resolve(schema).get("required", ()))
    return required <= body.keys() and not any(value is None for value in body.values())


def _answers(name: str, declared: Json, here: str, status: str, response: Json) -> Iterator[Check]:
    pointer, node = contract.follow(f"{here}/{status}", response)
    code = contract.code(status)
    content = node.get("content", {})
    for media_type, media in content.items():
        yield from _bodies(
            name, f"{pointer}/content/{contract.escape(media_type)}", f"{here}/{status}", media_type, media
        )
    if not content:
        yield _check(name, f"{here}/{status}", True, f"{status} alone", typed(name, status, httpx.Response(code)))
    if other := contract.undeclared_success(declared):
        run = raises(name, httpx.Response(other, json={}))
        yield _check(name, f"{here}/{status}", False, f"{other} for {status}", run)
    for header, value in node.get("headers", {}).items():
        if code >= 400 and header.lower() in ATTRIBUTES:
            at, _ = contract.follow(f"{pointer}/headers/{header}", value)
            for text, keeps in (("17", True), ("", False)):
                run = brings_header(name, code, header, text, keeps=keeps)
                yield _check(name, f"{at}/schema/minLength", keeps, f"{status} {header}={text!r}", run)


def _bodies(name: str, at: str, response: str, media_type: str, media: Json) -> Iterator[Check]:
    status = response.rpartition("/")[2]
    code, schema = contract.code(status), media["schema"]
    full = contract.body(media_type, schema, whole(schema))
    answer = written(code, media_type, full)
    yield _check(name, response, True, f"{status} with everything", typed(name, status, answer))
    yield _check(name, at, True, f"{status} {media_type} whole", reads(name, answer, full, schema))
    if not contract.is_json(media_type):
        return
    yield _check(name, at, True, f"{status} with everything", knows(name, answer, full))
    page = rejects(name, httpx.Response(code, headers={"content-type": "text/html"}, text="<html>"))
    for rule in (at, response):
        yield _check(name, rule, False, f"{status} as a web page", page)
    for case in cases(schema, f"{at}/schema"):
        answer = written(code, media_type, case.instance)
        if case.ok:
            run = reads(name, answer, case.instance, schema)
        elif contract.violations(case.instance, schema, only_types=True):
            run = rejects(name, answer)
        else:
            run = passes_on(name, answer)
        yield _check(name, case.rule, case.ok, f"{status} {case}", run)

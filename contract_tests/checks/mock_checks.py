"""What the contract promises of a server, operation by operation: asked over HTTP, byte by byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contract_tests.checks.check import Check, Run
from contract_tests.checks.mock_verdicts import costs, plays, refused, samples, sends_header, taken, turned_away
from contract_tests.contract import document as contract
from contract_tests.contract.requests import body_schema, parameters, request
from contract_tests.contract.values import around
from contract_tests.contract.walk import cases, rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.contract.document import Json

_TOO_LARGE = 128 * 2**20 + 1
"""Bytes: the contract says that most gateways take 128 MiB."""
_MADE = {"x-oneapi-request-id", "x-request-id"}
"""Headers that every gateway of the family sends; the others are optional, as the contract says."""


def mock_checks() -> Iterator[Check]:
    """Every promise of every operation that a mock can be asked about."""
    for path, method, declared in contract.operations():
        name = declared["operationId"]
        here = f"/paths/{contract.escape(path)}/{method}"
        yield from _bodies(name, declared, f"{here}/requestBody")
        yield from _parameters(name, path, declared, here)
        yield from _security(name, declared, f"{here}/security")
        yield from _routes(name, path, here)
        yield from _answers(name, declared, f"{here}/responses")
        yield from _bill(name, declared, f"{here}/x-billed")


def _check(operation: str, rule: str, keeps: bool, name: str, run: Run) -> Check:
    return Check("mock", operation, rule, keeps, name, run)


def _bodies(name: str, declared: Json, here: str) -> Iterator[Check]:
    schema = body_schema(declared)
    if schema is None:
        return
    content = f"{here}/content/{contract.escape('application/json')}"
    for case in cases(schema, f"{content}/schema"):
        sent = request(name, case.instance)
        run = taken(name, sent) if case.ok else refused(name, sent, case.where)
        yield _check(name, case.rule, case.ok, str(case), run)
    good = request(name)
    refusal = contract.document()["x-mock-errors"]["too-large"]
    large = good.with_header("Content-Length", str(_TOO_LARGE))._replace(body=None)
    yield _check(
        name, "/x-mock-errors/too-large", True, "a body too large", turned_away(name, large, "too-large", refusal)
    )
    yield _check(name, "/x-mock-errors/too-large", False, "a small body", taken(name, good))
    unfit = good._replace(body=b"{")
    yield _check(name, "/x-mock-errors/invalid-request", True, "half a body", refused(name, unfit, ""))
    yield _check(name, "/x-mock-errors/invalid-request", False, "a whole body", taken(name, good))
    for media_type in ("application/json", "application/json; charset=utf-8"):
        labelled = good.with_header("Content-Type", media_type)
        yield _check(name, content, True, f"body as {media_type}", taken(name, labelled))
    for media_type in ("text/plain", "application/xml", "application/jso"):
        labelled = good.with_header("Content-Type", media_type)
        yield _check(name, content, False, f"body as {media_type}", refused(name, labelled, ""))
    if contract.resolve(declared["requestBody"]).get("required"):
        yield _check(name, f"{here}/required", True, "with a body", taken(name, good))
        empty = good._replace(body=b"").with_header("Content-Type", None)
        yield _check(name, f"{here}/required", False, "without a body", refused(name, empty, ""))


def _parameters(name: str, path: str, declared: Json, here: str) -> Iterator[Check]:
    for parameter in parameters(path, declared):
        rule = f"{here}/parameters/{parameter['name']}"
        if parameter.get("required"):
            yield _check(name, f"{rule}/required", True, f"with {parameter['name']}", taken(name, request(name)))
        if parameter.get("required") and parameter["in"] in ("query", "header"):
            sent = request(name)
            query = tuple(line for line in sent.query if line[0] != parameter["name"])
            without = sent._replace(query=query).with_header(parameter["name"], None)
            yield _check(
                name,
                f"{rule}/required",
                False,
                f"without {parameter['name']}",
                refused(name, without, parameter["name"]),
            )
        for found in rules(parameter["schema"], rule):
            for value in around(found.keyword, found.node):
                read = _as_read(found.put(value), parameter["schema"])
                if read is None:
                    continue
                keeps = not contract.violations(read, parameter["schema"])
                sent = request(name, values={parameter["name"]: read})
                run = taken(name, sent) if keeps else refused(name, sent, parameter["name"])
                yield _check(name, found.pointer, keeps, f"{parameter['name']}={read!r}", run)


def _as_read(value: Any, schema: Json) -> Any:
    """A value as a server reads it back from text; None for what can't be written in a parameter."""
    items = value if isinstance(value, list) else [value]
    texts = [item if isinstance(item, str) else json.dumps(item) for item in items if item not in (None, [], {})]
    if not texts or not all(text.isascii() and text.isprintable() and text and text == text.strip() for text in texts):
        return None
    node = contract.resolve(schema)
    if node.get("type") == "array":
        return texts
    if node.get("type") in ("integer", "number", "boolean"):
        try:
            return json.loads(texts[0])
        except ValueError:
            return texts[0]
    return texts[0]


def _security(name: str, declared: Json, here: str) -> Iterator[Check]:
    good = request(name)
    if not declared.get("security"):
        return
    refusals = contract.document()["x-mock-errors"]
    for rule in (here, "/x-mock-errors/no-auth", "/x-mock-errors/bad-auth"):
        yield _check(name, rule, rule == here, "with the key", taken(name, good))
    bad: dict[str, tuple[str, str | None]] = {
        "no key": ("no-auth", None),
        "an empty header": ("no-auth", ""),
        "the scheme alone": ("no-auth", "Bearer "),
        "another scheme": ("bad-auth", "Token sk-contract"),
        "basic": ("bad-auth", "Basic c2s6Y29udHJhY3Q="),
        "a bare key": ("bad-auth", "sk-contract"),
    }
    for what, (kind, value) in bad.items():
        for body in (good.body, b'{"broken":'):
            sent = good.with_header("Authorization", value)._replace(body=body)
            run = turned_away(name, sent, kind, refusals[kind])
            yield _check(name, f"/x-mock-errors/{kind}", True, f"{what}, body {body!r:.12}", run)
            yield _check(name, here, False, f"{what}, body {body!r:.12}", run)


def _routes(name: str, path: str, here: str) -> Iterator[Check]:
    refusals = contract.document()["x-mock-errors"]
    methods = [method.upper() for method in contract.METHODS if method in contract.document()["paths"][path]]
    good = request(name)
    for rule in (here, "/x-mock-errors/wrong-method", "/x-mock-errors/no-route"):
        yield _check(name, rule, rule == here, "the declared method and path", taken(name, good))
    for method in ("GET", "PUT", "POST", "DELETE", "PATCH"):
        if method not in methods:
            run = turned_away(None, good._replace(method=method), "wrong-method", refusals["wrong-method"])
            yield _check(name, "/x-mock-errors/wrong-method", True, f"method {method}", run)
            yield _check(name, here, False, f"method {method}", run)
    longer = [] if path.endswith("}") else [f"{good.path}x"]
    for other in (f"{good.path}/", *longer, f"/x{good.path}", "/v1"):
        run = turned_away(None, good._replace(path=other), "no-route", refusals["no-route"])
        yield _check(name, "/x-mock-errors/no-route", True, f"path {other}", run)
        yield _check(name, here, False, f"path {other}", run)


def _answers(name: str, declared: Json, here: str) -> Iterator[Check]:
    good = request(name)
    for status, response in declared["responses"].items():
        pointer, node = contract.follow(f"{here}/{status}", response)
        code = contract.code(status)
        usual = good.with_header("Prefer", f"code={code}")
        if not node.get("content"):
            yield _check(name, f"{here}/{status}", True, f"{status} alone", plays(name, usual, code, None, b""))
        for media_type, media in node.get("content", {}).items():
            for example, value in contract.media_examples(media):
                wish = good.with_header("Prefer", f"code={code}" + (f", example={example}" if example else ""))
                run = plays(name, wish, code, media_type, value)
                yield _check(name, f"{here}/{status}", True, f"{status} {example}", run)
            sampled = good.with_header("Prefer", f"code={code}, dynamic=true")
            content = f"{pointer}/content/{contract.escape(media_type)}"
            yield _check(name, content, True, f"{status} sampled", samples(name, sampled, code, media_type, media))
        for header, value in node.get("headers", {}).items():
            stands, schema = contract.follow(f"{pointer}/headers/{header}", value)
            run = sends_header(name, usual, header, required=header.lower() in _MADE or schema.get("required", False))
            for keyword in schema["schema"]:
                yield _check(name, f"{stands}/schema/{keyword}", True, f"{status} {header} {keyword}", run)


def _bill(name: str, declared: Json, here: str) -> Iterator[Check]:
    good = request(name)
    run = costs(good, money=bool(declared.get("x-billed")))
    yield _check(name, here, True, "a success on the bill", run)
    if declared.get("security"):
        stranger = good.with_header("Authorization", None)
        yield _check(name, here, False, "a refusal on the bill", costs(stranger, money=False))

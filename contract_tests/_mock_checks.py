"""What the contract promises of a server, operation by operation: asked over HTTP, byte by byte."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx

from contract_tests import _contract as contract
from contract_tests._checks import Broken, Check, Subject
from contract_tests._requests import Request, body_schema, parameters, request
from contract_tests._values import around, whole
from contract_tests._walk import cases, rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests._contract import Json
    from contract_tests._raw_http import Answer

_OF_HTTP = {"content-type", "content-length", "connection", "date", "vary", "www-authenticate", "allow"}
_TOO_LARGE = 128 * 2**20 + 1
"""Bytes: the contract says that most gateways take 128 MiB."""
_OTHER_STATUS = "418"
"""A status that no operation names, to ask for what stands under `default`."""


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


def _check(operation: str, rule: str, keeps: bool, name: str, run: Callable[[Subject], Broken | None]) -> Check:
    return Check("mock", operation, rule, keeps, name, run)


def _bodies(name: str, declared: Json, here: str) -> Iterator[Check]:
    schema = body_schema(declared)
    if schema is None:
        return
    content = f"{here}/content/{contract.escape('application/json')}"
    for case in cases(schema, f"{content}/schema"):
        sent = request(name, case.instance)
        run = _taken(name, sent) if case.ok else _refused(name, sent, case.where)
        yield _check(name, case.rule, case.ok, str(case), run)
    good = request(name)
    refusal = contract.document()["x-mock-errors"]["too-large"]
    large = good.with_header("Content-Length", str(_TOO_LARGE))._replace(body=None)
    yield _check(
        name, "/x-mock-errors/too-large", True, "a body too large", _turned_away(name, large, "too-large", refusal)
    )
    yield _check(name, "/x-mock-errors/too-large", False, "a small body", _taken(name, good))
    unfit = good._replace(body=b"{")
    yield _check(name, "/x-mock-errors/invalid-request", True, "half a body", _refused(name, unfit, ""))
    yield _check(name, "/x-mock-errors/invalid-request", False, "a whole body", _taken(name, good))
    for media_type in ("application/json", "application/json; charset=utf-8"):
        labelled = good.with_header("Content-Type", media_type)
        yield _check(name, content, True, f"body as {media_type}", _taken(name, labelled))
    for media_type in ("text/plain", "application/xml", "application/jso"):
        labelled = good.with_header("Content-Type", media_type)
        yield _check(name, content, False, f"body as {media_type}", _refused(name, labelled, ""))
    if contract.resolve(declared["requestBody"]).get("required"):
        yield _check(name, f"{here}/required", True, "with a body", _taken(name, good))
        empty = good._replace(body=b"").with_header("Content-Type", None)
        yield _check(name, f"{here}/required", False, "without a body", _refused(name, empty, ""))


def _parameters(name: str, path: str, declared: Json, here: str) -> Iterator[Check]:
    for parameter in parameters(path, declared):
        rule = f"{here}/parameters/{parameter['name']}"
        if parameter.get("required"):
            yield _check(name, f"{rule}/required", True, f"with {parameter['name']}", _taken(name, request(name)))
        if parameter.get("required") and parameter["in"] in ("query", "header"):
            sent = request(name)
            query = tuple(line for line in sent.query if line[0] != parameter["name"])
            without = sent._replace(query=query).with_header(parameter["name"], None)
            yield _check(
                name,
                f"{rule}/required",
                False,
                f"without {parameter['name']}",
                _refused(name, without, parameter["name"]),
            )
        for found in rules(parameter["schema"], rule):
            for value in around(found.keyword, found.node):
                read = _as_read(found.put(value), parameter["schema"])
                if read is None:
                    continue
                keeps = not contract.violations(read, parameter["schema"])
                sent = request(name, values={parameter["name"]: read})
                run = _taken(name, sent) if keeps else _refused(name, sent, parameter["name"])
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
        yield _check(name, rule, rule == here, "with the key", _taken(name, good))
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
            run = _turned_away(name, sent, kind, refusals[kind])
            yield _check(name, f"/x-mock-errors/{kind}", True, f"{what}, body {body!r:.12}", run)
            yield _check(name, here, False, f"{what}, body {body!r:.12}", run)


def _routes(name: str, path: str, here: str) -> Iterator[Check]:
    refusals = contract.document()["x-mock-errors"]
    taken = [method.upper() for method in contract.METHODS if method in contract.document()["paths"][path]]
    good = request(name)
    for rule in (here, "/x-mock-errors/wrong-method", "/x-mock-errors/no-route"):
        yield _check(name, rule, rule == here, "the declared method and path", _taken(name, good))
    for method in ("GET", "PUT", "POST", "DELETE", "PATCH"):
        if method not in taken:
            run = _turned_away(None, good._replace(method=method), "wrong-method", refusals["wrong-method"])
            yield _check(name, "/x-mock-errors/wrong-method", True, f"method {method}", run)
            yield _check(name, here, False, f"method {method}", run)
    longer = [] if path.endswith("}") else [f"{good.path}x"]
    for other in (f"{good.path}/", *longer, f"/x{good.path}", "/v1"):
        run = _turned_away(None, good._replace(path=other), "no-route", refusals["no-route"])
        yield _check(name, "/x-mock-errors/no-route", True, f"path {other}", run)
        yield _check(name, here, False, f"path {other}", run)


def _answers(name: str, declared: Json, here: str) -> Iterator[Check]:
    good = request(name)
    for status, response in declared["responses"].items():
        pointer, node = contract.follow(f"{here}/{status}", response)
        code = _OTHER_STATUS if status == "default" else status.replace("X", "0")
        for media_type, media in node.get("content", {}).items():
            for example, value in media.get("examples", {}).items():
                wish = good.with_header("Prefer", f"code={code}, example={example}")
                run = _example(name, wish, int(code), media_type, contract.resolve(value)["value"])
                yield _check(name, f"{here}/{status}", True, f"{status} {example}", run)
            sampled = good.with_header("Prefer", f"code={code}, dynamic=true")
            content = f"{pointer}/content/{contract.escape(media_type)}"
            yield _check(name, content, True, f"{status} sampled", _sampled(name, sampled, code, media))
        usual = good.with_header("Prefer", f"code={code}")
        for header, schema in node.get("headers", {}).items():
            run = _header(name, usual, header, required=header.lower() in _MADE)
            stands, _ = contract.follow(f"{pointer}/headers/{header}", schema)
            for keyword in contract.resolve(schema)["schema"]:
                yield _check(name, f"{stands}/schema/{keyword}", True, f"{status} {header} {keyword}", run)


_SAMPLES = 12
_OF_ANY_TYPE = {"/error/code"}
"""What the mock's samples leave out: a schema that allows everything asks for nothing."""
_MADE = {"x-oneapi-request-id", "x-request-id"}
"""Headers that every gateway of the family sends; the others are optional, as the contract says."""


def _bill(name: str, declared: Json, here: str) -> Iterator[Check]:
    billed = bool(declared.get("x-billed"))
    good = request(name)

    def costs(sent: Request, *, money: bool) -> Callable[[Subject], Broken | None]:
        def run(subject: Subject) -> Broken | None:
            before = _pictures(subject)
            subject.ask(sent.bytes())
            grown = _pictures(subject) - before
            if (grown > 0) == money:
                return None
            promise = "a success is billed where the contract says so, and nothing else is"
            return Broken(promise, _of(sent), f"billed: {money}", f"the bill grew by {grown}")

        return run

    yield _check(name, here, True, "a success on the bill", costs(good, money=billed))
    stranger = good.with_header("Authorization", None)
    if declared.get("security"):
        yield _check(name, here, False, "a refusal on the bill", costs(stranger, money=False))


def _pictures(subject: Subject) -> int:
    answer = httpx.get(f"{subject.mock.url}/__mock__/bill", trust_env=False)
    pictures: int = answer.json()["pictures"]
    return pictures


def _taken(name: str, sent: Request) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        answer = subject.ask(sent.bytes())
        if not 200 <= answer.status < 300:
            return Broken("what the contract allows is taken", _of(sent), "a declared success", _got(answer))
        return wrong_answer(name, answer, _of(sent))

    return run


def _refused(name: str, sent: Request, where: str) -> Callable[[Subject], Broken | None]:
    status = contract.document()["x-mock-errors"]["invalid-request"]["status"]

    def run(subject: Subject) -> Broken | None:
        answer = subject.ask(sent.bytes())
        if answer.status != status:
            return Broken("what the contract forbids is refused", _of(sent), str(status), _got(answer))
        told = json.loads(answer.body)["error"]["message"]
        listed = json.loads(answer.headers.get("x-mock-violations", "[]"))
        if where not in told or not all({"where", "expected", "got"} <= set(entry) for entry in listed) or not listed:
            return Broken("a refusal says where, what was expected and what was got", _of(sent), where, _got(answer))
        return wrong_answer(name, answer, _of(sent))

    return run


def _turned_away(name: str | None, sent: Request, kind: str, refusal: Json) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        answer = subject.ask(sent.bytes())
        if answer.status != refusal["status"]:
            return Broken(f"{kind}: the status of x-mock-errors", _of(sent), str(refusal["status"]), _got(answer))
        body = json.loads(answer.body)
        if not _fits(body, refusal["body"]):
            return Broken(f"{kind}: the body of x-mock-errors", _of(sent), str(refusal["body"]), _got(answer))
        return None if name is None else wrong_answer(name, answer, _of(sent))

    return run


def _fits(body: Any, template: Any) -> bool:
    """Whether a body was made of a template: the same but for what stands in the braces."""
    if isinstance(template, dict):
        same_keys = isinstance(body, dict) and body.keys() == template.keys()
        return same_keys and all(_fits(body[key], value) for key, value in template.items())
    if isinstance(template, str) and isinstance(body, str):
        pattern = re.sub(r"\\\{\w+\\\}", ".*", re.escape(template))
        return re.fullmatch(pattern, body, re.DOTALL) is not None
    return bool(body == template)


def _example(name: str, sent: Request, status: int, media_type: str, value: Any) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        answer = subject.ask(sent.bytes())
        expected = f"{status} {media_type} {value}"
        if (answer.status, answer.headers.get("content-type")) != (status, media_type):
            return Broken("a declared example is answered", _of(sent), expected, _got(answer))
        if json.loads(answer.body) != value:
            return Broken("a declared example arrives as it stands", _of(sent), expected, _got(answer))
        return wrong_answer(name, answer, _of(sent))

    return run


def _sampled(name: str, sent: Request, code: str, media: Json) -> Callable[[Subject], Broken | None]:
    named = names(whole(media["schema"]))

    def run(subject: Subject) -> Broken | None:
        found: set[str] = set()
        for number in range(_SAMPLES):
            other = sent._replace(query=(*sent.query, ("sample", str(number))))
            answer = subject.ask(other.bytes())
            if answer.status != int(code):
                return Broken("each declared status can be asked for", _of(sent), code, _got(answer))
            if broken := wrong_answer(name, answer, _of(other)):
                return broken
            found |= names(json.loads(answer.body))
        missing, undeclared = sorted(named - found - _OF_ANY_TYPE), sorted(found - named)
        if missing or undeclared:
            got = f"missing: {missing}, undeclared: {undeclared}"
            return Broken("samples have every declared property and no other", _of(sent), str(sorted(named)), got)
        return None

    return run


def names(value: Any, pointer: str = "") -> set[str]:
    """The pointers of all members of a document, whatever the index in a list."""
    if isinstance(value, dict):
        inner = [names(member, f"{pointer}/{key}") for key, member in value.items()]
        return {f"{pointer}/{key}" for key in value}.union(*inner)
    if isinstance(value, list):
        return set().union(*(names(member, f"{pointer}/*") for member in value))
    return set()


def _header(name: str, sent: Request, header: str, *, required: bool) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        answer = subject.ask(sent.bytes())
        if required and header.lower() not in answer.headers:
            return Broken(f"the declared header {header} is sent", _of(sent), header, str(sorted(answer.headers)))
        return wrong_answer(name, answer, _of(sent))

    return run


def wrong_answer(operation_id: str, answer: Answer, where: str) -> Broken | None:
    """How an answer differs from what the contract declares for its status: media type, body, headers."""
    _, _, declared = contract.operation(operation_id)
    responses = declared["responses"]
    for pattern in (str(answer.status), f"{answer.status // 100}XX", "default"):
        if pattern in responses:
            response = contract.resolve(responses[pattern])
            break
    else:
        return Broken("only declared statuses are answered", where, ", ".join(responses), _got(answer))
    content = response.get("content", {})
    if content:
        media_type = answer.headers.get("content-type", "nothing")
        if media_type not in content:
            return Broken("only declared media types are answered", where, ", ".join(content), media_type)
        found = contract.differences(json.loads(answer.body), content[media_type]["schema"])
        if found:
            return Broken("a body is what its status declares", where, f"status {answer.status}", "; ".join(found))
    headers = {name.lower(): contract.resolve(header) for name, header in response.get("headers", {}).items()}
    undeclared = {name for name in answer.headers if not name.startswith("x-mock-")} - headers.keys() - _OF_HTTP
    if undeclared:
        return Broken("only declared headers are sent", where, ", ".join(headers), ", ".join(sorted(undeclared)))
    for name, header in headers.items():
        found = contract.differences(answer.headers[name], header["schema"]) if name in answer.headers else []
        if found:
            return Broken(f"the header {name} is what the contract declares", where, str(header["schema"]), found[0])
    return None


def _of(sent: Request) -> str:
    return f"{sent.method} {sent.path} {sent.body or b''!r:.200}"


def _got(answer: Answer) -> str:
    return f"{answer.status} {answer.body.decode(errors='replace')[:300]}"

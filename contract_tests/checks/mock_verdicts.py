"""How a mock's answer to one request is judged: by its status, and by all that the contract says about it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx

from contract_tests.checks.check import Broken, Run, Subject
from contract_tests.contract import document as contract
from contract_tests.contract.values import KEYWORDS, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.checks.raw_http import Answer
    from contract_tests.contract.document import Json
    from contract_tests.contract.requests import Request

_OF_HTTP = {"content-type", "content-length", "connection", "date", "vary", "www-authenticate", "allow"}
_SAMPLES = 12
_DEEPEST = 8


def taken(name: str, sent: Request) -> Run:
    """A right request gets a declared success."""

    def run(subject: Subject) -> Broken | None:
        answer = subject.ask(sent.bytes())
        if not 200 <= answer.status < 300:
            return Broken("what the contract allows is taken", _of(sent), "a declared success", _got(answer))
        return wrong_answer(name, answer, _of(sent))

    return run


def refused(name: str, sent: Request, where: str) -> Run:
    """A wrong request is refused, and told where it is wrong."""
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


def turned_away(name: str | None, sent: Request, kind: str, refusal: Json) -> Run:
    """A request is turned away as `x-mock-errors` says for a kind of refusal."""

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


def plays(name: str, sent: Request, status: int, media_type: str | None, value: Any) -> Run:
    """A declared example is answered as it stands; bytes where there is no JSON."""

    def run(subject: Subject) -> Broken | None:
        answer = subject.ask(sent.bytes())
        expected = f"{status} {media_type} {value}"
        if (answer.status, answer.headers.get("content-type")) != (status, media_type):
            return Broken("a declared example is answered", _of(sent), expected, _got(answer))
        if _read(answer) != value:
            return Broken("a declared example arrives as it stands", _of(sent), expected, _got(answer))
        return wrong_answer(name, answer, _of(sent))

    return run


def samples(name: str, sent: Request, code: int, media_type: str, media: Json) -> Run:
    """Samples of a schema are valid, and together they show all that it names."""
    declared = dict(_declared(media["schema"]))
    named = {pointer for pointer in names(whole(media["schema"])) if declared[pointer]}

    def run(subject: Subject) -> Broken | None:
        found: set[str] = set()
        for number in range(_SAMPLES):
            other = sent._replace(query=(*sent.query, ("sample", str(number))))
            answer = subject.ask(other.bytes())
            if (answer.status, answer.headers.get("content-type")) != (code, media_type):
                expected = f"{code} {media_type}"
                return Broken("each declared answer can be asked for", _of(sent), expected, _got(answer))
            if broken := wrong_answer(name, answer, _of(other)):
                return broken
            found |= names(_read(answer))
        missing, undeclared = sorted(named - found), sorted(found - declared.keys())
        if missing or undeclared:
            got = f"missing: {missing}, undeclared: {undeclared}"
            return Broken("samples have every declared property and no other", _of(sent), str(sorted(named)), got)
        return None

    return run


def _declared(schema: Json, pointer: str = "") -> Iterator[tuple[str, bool]]:
    """Every name in a schema, and whether a rule stands there: where none does, samples may leave it out."""
    node = contract.resolve(schema)
    if pointer.count("/") > _DEEPEST:
        return
    for branch in (branch for keyword in ("allOf", "anyOf", "oneOf") for branch in node.get(keyword, ())):
        yield from _declared(branch, pointer)
    if "items" in node:
        yield from _declared(node["items"], f"{pointer}/*")
    for name, child in node.get("properties", {}).items():
        yield f"{pointer}/{name}", bool(contract.resolve(child).keys() & {*KEYWORDS, "allOf"})
        yield from _declared(child, f"{pointer}/{name}")


def _read(answer: Answer) -> Any:
    """A body: JSON and text if it says so, else bytes."""
    media_type = answer.headers.get("content-type", "")
    if contract.is_json(media_type):
        return json.loads(answer.body)
    return answer.body.decode() if media_type.startswith("text/") else answer.body


def costs(sent: Request, *, money: bool) -> Run:
    """The bill grows by a request, or does not."""

    def run(subject: Subject) -> Broken | None:
        before = _pictures(subject)
        subject.ask(sent.bytes())
        grown = _pictures(subject) - before
        if (grown > 0) == money:
            return None
        promise = "a success is billed where the contract says so, and nothing else is"
        return Broken(promise, _of(sent), f"billed: {money}", f"the bill grew by {grown}")

    return run


def names(value: Any, pointer: str = "") -> set[str]:
    """The pointers of all members of a document, whatever the index in a list."""
    if isinstance(value, dict):
        inner = [names(member, f"{pointer}/{key}") for key, member in value.items()]
        return {f"{pointer}/{key}" for key in value}.union(*inner)
    if isinstance(value, list):
        return set().union(*(names(member, f"{pointer}/*") for member in value))
    return set()


def sends_header(name: str, sent: Request, header: str, *, required: bool) -> Run:
    """A declared header is there, if it must be, and is what the contract declares."""

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
    media_type = answer.headers.get("content-type", "nothing")
    if content and media_type not in content:
        return Broken("only declared media types are answered", where, ", ".join(content), media_type)
    if not content and answer.body:
        return Broken("a status without a body has none", where, f"{answer.status} and no byte", _got(answer))
    if contract.is_json(media_type):
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


def _pictures(subject: Subject) -> int:
    answer = httpx.get(f"{subject.mock.url}/__mock__/bill", trust_env=False)
    pictures: int = answer.json()["pictures"]
    return pictures

"""Turn requests away in the description's own words, with every difference that was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import orjson

from flux_images_mock._answer.answer import Answer, problem
from flux_images_mock._answer.operation import Operation
from flux_images_mock._answer.responses import MismatchError, Response
from flux_images_mock._description.node import Node, is_array, is_object
from flux_images_mock._description.schema import Violation
from flux_images_mock._request.message import Pair, Request
from flux_images_mock._request.redact import hide, key_of

Kind = Literal["no-route", "wrong-method", "no-auth", "bad-auth", "invalid-request", "too-large"]

_WORD = re.compile(r"\{(\w+)\}")
_STATUSES: dict[Kind, tuple[int, ...]] = {
    "no-route": (404,),
    "wrong-method": (405,),
    "no-auth": (401, 403),
    "bad-auth": (401, 403),
    "invalid-request": (400, 422),
    "too-large": (413,),
}


class Refusals:
    """The refusals of one description: its `x-mock-errors`, else its declared responses, else RFC 9457."""

    def __init__(self, root: Node, operations: Sequence[Operation]) -> None:
        self._operations = operations
        self._templates: dict[str, tuple[int, Any]] = {}
        node = root.get("x-mock-errors")
        for kind, template in () if node is None else node.items():
            if kind not in _STATUSES:
                raise template.error(f"expected one of {', '.join(_STATUSES)}, got {kind!r}")
            status = template.mapping().get("status")
            if not isinstance(status, int) or not 400 <= status <= 599 or "body" not in template.mapping():
                raise template.error("a refusal needs a status from 400 to 599 and a body")
            self._templates[kind] = (status, template.mapping()["body"])

    def refuse(
        self,
        kind: Kind,
        request: Request,
        operation: Operation | None,
        violations: Sequence[Violation],
        detail: str = "",
        headers: Sequence[Pair] = (),
    ) -> Answer:
        """Return the refusal. No key is in it, though the caller may have put one in the wrong place.

        `detail` is for people, the differences themselves if it isn't given. `headers` are what HTTP asks of such
        an answer; a description with words of its own for it has its own ideas of headers as well.
        """
        key = key_of(request)
        violations = [
            replace(violation, where=hide(violation.where, key), got=hide(violation.got, key))
            for violation in violations
        ]
        words = {
            "method": request.method,
            "path": hide(request.path, key),
            "request_id": request.id.decode(),
            "detail": detail or "; ".join(map(str, violations)),
            "where": violations[0].where if violations else "",
        }
        if kind in self._templates:
            answer = self._templated(kind, request, operation, words)
        else:
            answer = self._declared(kind, request, operation, words["detail"])
            answer.headers += headers
        answer.violations = violations
        return answer

    def _templated(self, kind: Kind, request: Request, operation: Operation | None, words: dict[str, str]) -> Answer:
        status, template = self._templates[kind]
        body = fill(template, words)
        response = self._response(operation, status)
        if response is not None and operation is not None:
            for media in response.media.values():
                if violations := media.differences(body):
                    raise MismatchError(f"x-mock-errors {kind}", violations)
        headers = [] if response is None else response.headers(request.id)
        return Answer(status, [*headers, (b"content-type", b"application/json")], orjson.dumps(body), f"refusal {kind}")

    def _response(self, operation: Operation | None, status: int) -> Response | None:
        if operation is not None:
            return operation.responses.find(status)
        found = (other.responses.by_key.get(str(status)) for other in self._operations)
        return next((response for response in found if response is not None), None)

    def _declared(self, kind: Kind, request: Request, operation: Operation | None, detail: str) -> Answer:
        statuses = _STATUSES[kind]
        by_key = {} if operation is None else operation.responses.by_key
        status = next((status for status in statuses if str(status) in by_key), statuses[0])
        response = None if operation is None else operation.responses.find(status)
        answer = problem(status, detail, f"refusal {kind}")
        if response is None:
            return answer
        for media in response.media.values():
            for example in media.examples.values():
                return response.example(request.id, status, media, example)
        for media in response.media.values():
            if media.differences(orjson.loads(answer.body)):
                return response.value(
                    request.id, status, media, media.sample(request.path), f"sample for {kind}", check=True
                )
            return response.answer(request.id, status, media, answer.body, answer.origin)
        answer.headers += response.headers(request.id)
        return answer


def fill(template: Any, words: dict[str, str]) -> Any:
    """Return a copy of a JSON value in which each `{name}` of its strings is replaced."""
    if isinstance(template, str):
        return _WORD.sub(lambda match: words.get(match[1], match[0]), template)
    if is_object(template):
        return {key: fill(item, words) for key, item in template.items()}
    if is_array(template):
        return [fill(item, words) for item in template]
    return template

"""Turn requests away in the description's own words, with every difference that was found."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import orjson

from flux_images_mock._answer.responses import MismatchError, Response
from flux_images_mock._description.json import is_array, is_object
from flux_images_mock._request.message import Answer, Exchange, Pair, Violation, violations_header
from flux_images_mock._request.redact import hide, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_images_mock._answer.operation import Operation
    from flux_images_mock._description.node import Node

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
        exchange: Exchange,
        violations: Sequence[Violation],
        detail: str = "",
        headers: Sequence[Pair] = (),
    ) -> Answer:
        """Return the refusal. No key is in it, though the caller may have put one in the wrong place.

        `detail` is for people, the differences themselves if it isn't given. `headers` are what HTTP asks of such
        an answer; a description with words of its own for it has its own ideas of headers as well.
        """
        key = key_of(exchange)
        violations = exchange.violations = [
            replace(violation, where=hide(violation.where, key), got=hide(violation.got, key))
            for violation in violations
        ]
        words = {
            "method": exchange.request.method,
            "path": hide(exchange.request.path, key),
            "request_id": exchange.request_id.decode(),
            "detail": detail or "; ".join(map(str, violations)),
            "where": violations[0].where if violations else "",
        }
        if kind in self._templates:
            answer = self._templated(kind, exchange, words)
        else:
            answer = self._declared(kind, exchange, words)
            answer.headers += headers
        answer.headers.append((b"x-mock-violations", violations_header(violations)))
        return answer

    def _templated(self, kind: Kind, exchange: Exchange, words: dict[str, str]) -> Answer:
        status, template = self._templates[kind]
        body = fill(template, words)
        response = self._response(exchange.operation, status)
        if response is not None and exchange.operation is not None:
            for media in response.media.values():
                if violations := media.differences(body):
                    raise MismatchError(f"x-mock-errors {kind}", violations)
        return _json(status, body, "application/json", exchange, response, kind)

    def _response(self, operation: Operation | None, status: int) -> Response | None:
        if operation is not None:
            return operation.responses.find(status)
        found = (other.responses.by_key.get(str(status)) for other in self._operations)
        return next((response for response in found if response is not None), None)

    def _declared(self, kind: Kind, exchange: Exchange, words: dict[str, str]) -> Answer:
        statuses = _STATUSES[kind]
        status, response = statuses[0], None
        if exchange.operation is not None:
            by_key = exchange.operation.responses.by_key
            status = next((status for status in statuses if str(status) in by_key), status)
            response = exchange.operation.responses.find(status)
        if response is not None:
            for media in response.media.values():
                for example in media.examples.values():
                    return response.example(exchange, status, media, example)
        title = HTTPStatus(status).phrase
        problem = {"type": "about:blank", "title": title, "status": status, "detail": words["detail"]}
        if response is not None:
            for media in response.media.values():
                if media.differences(problem):
                    sample = media.sample(exchange.request.path)
                    return response.value(exchange, status, media, sample, f"sample for {kind}", check=True)
                return _json(status, problem, media.name, exchange, response, kind)
        return _json(status, problem, "application/problem+json", exchange, response, kind)


def _json(status: int, value: Any, media_type: str, exchange: Exchange, response: Response | None, kind: str) -> Answer:
    body = orjson.dumps(value)
    headers = [] if response is None else response.headers(exchange)
    headers += [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body))]
    return Answer(status, headers, body, f"refusal {kind}")


def fill(template: Any, words: dict[str, str]) -> Any:
    """Return a copy of a JSON value in which each `{name}` of its strings is replaced."""
    if isinstance(template, str):
        return _WORD.sub(lambda match: words.get(match[1], match[0]), template)
    if is_object(template):
        return {key: fill(item, words) for key, item in template.items()}
    if is_array(template):
        return [fill(item, words) for item in template]
    return template

"""The pipeline: route, authenticate, validate, respond, with scenarios striking in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from flux_images_mock._authenticate import Refused, authenticate, doubled_authorization
from flux_images_mock._clock import Clock
from flux_images_mock._encodings import EncodingError, decode
from flux_images_mock._http import Answer, Exchange, TooLargeError, Violation, violations_header
from flux_images_mock._operation import compile_operations
from flux_images_mock._options import MAX_BODY
from flux_images_mock._parameters import check_parameters
from flux_images_mock._pictures import OPERATION, CreateImage, Gallery
from flux_images_mock._refuse import Refusals
from flux_images_mock._respond import PreferenceError, declared, preferred, read_preferences, special
from flux_images_mock._responses import MismatchError
from flux_images_mock._route import Methods, Routes
from flux_images_mock._scenarios import Scenario, Scenarios, UnknownScenarioError, by_preference, by_token
from flux_images_mock._schema import Schemas
from flux_images_mock._spec import SpecError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flux_images_mock._options import Auth, Options
    from flux_images_mock._refuse import Kind
    from flux_images_mock._respond import Source
    from flux_images_mock._scenarios import Picker
    from flux_images_mock._spec import Node


def _say_nothing(text: str) -> None:
    """Take no notice of a warning."""


@dataclass(slots=True)
class State:
    """Everything in a mock that changes while it runs. Each part can be given from outside."""

    clock: Clock = field(default_factory=Clock)
    gallery: Gallery = field(default_factory=Gallery)


class Engine:
    """One description, ready to answer requests."""

    def __init__(self, root: Node, state: State, options: Options, warn: Callable[[str], None] = _say_nothing) -> None:
        requests, responses = Schemas(root, "request"), Schemas(root, "response")
        self.operations = list(compile_operations(root, requests, responses))
        for problem in requests.problems:
            if not options.get("lenient"):
                raise SpecError(f"{problem}; --lenient serves the rest all the same")
            warn(problem)
        self.scenarios = Scenarios(self.operations)
        self._auth: Auth = options.get("auth", "strict")
        self._max_body = options.get("max_body", MAX_BODY)
        self._routes = Routes(self.operations)
        self._refusals = Refusals(root, self.operations)
        named = options.get("scenario")
        always = None if named is None else (self.scenarios.get(named, "scenario").name, "scenario")
        self.pickers: list[Picker] = [by_preference, by_token, lambda _: always]
        pictures = CreateImage(state.gallery, state.clock, check=options.get("check_answers", True))
        self.sources: list[Source] = [preferred, special({OPERATION: pictures}), declared]

    async def answer(self, exchange: Exchange, read_body: Callable[[], Awaitable[bytes]]) -> Answer:
        """Return the answer to a request; `read_body` is called only once the caller may send one."""
        lines = exchange.request.headers.all(b"prefer")
        if lines:
            exchange.preferences = read_preferences(lines)
        try:
            return await self._answer(exchange, read_body)
        except PreferenceError as error:
            return self._refusals.refuse("invalid-request", exchange, [error.violation])
        except MismatchError as error:
            return _own_fault(error)

    async def _answer(self, exchange: Exchange, read_body: Callable[[], Awaitable[bytes]]) -> Answer:
        request, refuse = exchange.request, self._refusals.refuse
        try:
            scenario = self._pick(exchange)
        except UnknownScenarioError as error:
            kind: Kind = "bad-auth" if error.violation.where == "Authorization" else "invalid-request"
            return refuse(kind, exchange, [error.violation])
        if scenario is not None and scenario.at == "edge":
            return scenario.respond(exchange)

        methods, path_values = self._routes.find(request.path)
        operation = exchange.operation = methods.get(request.method)
        if operation is None:
            return self._refuse_route(exchange, methods)

        if operation.security:
            doubled = doubled_authorization(request)
            if doubled is not None:
                return refuse("invalid-request", exchange, [doubled])
            verdict = authenticate(operation.security, request, self._auth)
            if isinstance(verdict, Refused):
                return self._refuse_caller(exchange, verdict)
            exchange.credential = verdict
        if scenario is not None and scenario.at == "after-auth":
            return scenario.respond(exchange)

        try:
            content = await read_body()
            encoding = request.headers.get(b"content-encoding")
            if encoding is not None:
                content = decode(content, encoding.decode("latin-1"), self._max_body)
        except EncodingError as error:
            return refuse("invalid-request", exchange, [error.violation])
        except TooLargeError as error:
            answer = refuse("too-large", exchange, [Violation("body", "", str(error), "a larger one")])
            answer.close = True
            return answer
        if operation.parameters:
            check_parameters(operation.parameters, path_values, exchange)
        if operation.body is not None:
            exchange.body, violations = operation.body.read(request.headers, content)
            if violations:
                exchange.violations = [*exchange.violations, *violations]
        if exchange.violations:
            return refuse("invalid-request", exchange, exchange.violations)
        if scenario is not None:
            return scenario.respond(exchange)

        for source in self.sources:
            found = await source(exchange, operation)
            if found is not None:
                return found
        raise MismatchError(f"{operation.operation_id}: no source answers it, and that", [])

    def _pick(self, exchange: Exchange) -> Scenario | None:
        for picker in self.pickers:
            picked = picker(exchange)
            if picked is not None:
                return self.scenarios.get(*picked)
        return None

    def _refuse_route(self, exchange: Exchange, methods: Methods) -> Answer:
        request = exchange.request
        if methods:
            allow = ", ".join(sorted(methods))
            violation = Violation("method", request.path, allow, request.method)
            return self._refusals.refuse("wrong-method", exchange, [violation], headers=[(b"allow", allow.encode())])
        return self._refusals.refuse(
            "no-route", exchange, [Violation("path", "", "a path of the description", request.path)]
        )

    def _refuse_caller(self, exchange: Exchange, refused: Refused) -> Answer:
        got = "nothing" if refused.kind == "no-auth" else "something else"
        violation = Violation("header", "Authorization", refused.advice, got)
        challenge = [(b"www-authenticate", f'{refused.scheme} realm="mock"'.encode())]
        return self._refusals.refuse(refused.kind, exchange, [violation], refused.advice, challenge)


def _own_fault(error: MismatchError) -> Answer:
    problem = {
        "type": "about:blank",
        "title": "The mock's own answer does not fit the description",
        "status": 500,
        "detail": str(error),
    }
    body = orjson.dumps(problem)
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))]
    return Answer(500, [*headers, (b"x-mock-violations", violations_header(error.violations))], body, "mismatch")

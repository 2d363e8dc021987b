"""The pipeline: route, authenticate, validate, respond, with scenarios striking in between."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from flux_images_mock._authenticate import Refused, authenticate, doubled_authorization
from flux_images_mock._bill import is_billed, units
from flux_images_mock._encodings import EncodingError, decode
from flux_images_mock._http import Answer, Exchange, TooLargeError, Violation, violations_header
from flux_images_mock._operation import compile_operations
from flux_images_mock._options import MAX_BODY
from flux_images_mock._parameters import check_parameters
from flux_images_mock._pictures import OPERATION, CreateImage
from flux_images_mock._refuse import Refusals
from flux_images_mock._respond import PreferenceError, declared, preferred, read_preferences, special
from flux_images_mock._responses import MismatchError
from flux_images_mock._route import Methods, Routes
from flux_images_mock._scenarios import Scenario, Scenarios, UnknownScenarioError, by_preference, by_token
from flux_images_mock._schema import Schemas
from flux_images_mock._spec import SpecError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flux_images_mock._operation import Operation
    from flux_images_mock._options import Auth, Options
    from flux_images_mock._refuse import Kind
    from flux_images_mock._respond import Source
    from flux_images_mock._scenarios import Picker
    from flux_images_mock._spec import Node
    from flux_images_mock._state import State


_NOT_LISTED = Refused("bad-auth", "use a key that the mock was given", "Bearer")


def _say_nothing(text: str) -> None:
    """Take no notice of a warning."""


class Engine:
    """One description, ready to answer requests."""

    def __init__(self, root: Node, state: State, options: Options, warn: Callable[[str], None] = _say_nothing) -> None:
        requests, responses = Schemas(root, "request"), Schemas(root, "response")
        self.operations = list(compile_operations(root, requests, responses))
        for problem in requests.problems:
            if not options.get("lenient"):
                raise SpecError(f"{problem}; --lenient serves the rest all the same")
            warn(problem)
        self.scenarios = Scenarios(self.operations, map(Path, options.get("scenarios", ())), state.clock.now)
        self.description = root.mapping()
        self._state = state
        self._auth: Auth = options.get("auth", "strict")
        self._max_body = options.get("max_body", MAX_BODY)
        self._routes = Routes(self.operations)
        self._refusals = Refusals(root, self.operations)
        if state.queue.always is not None:
            self.scenarios.get(state.queue.always, "scenario")
        self.pickers: list[Picker] = [by_preference, self._queued, by_token, self._unasked]
        pictures = CreateImage(state.gallery, state.clock, check=options.get("check_answers", True))
        self.sources: list[Source] = [preferred, special({OPERATION: pictures}), declared]

    async def answer(self, exchange: Exchange, read_body: Callable[[], Awaitable[bytes]]) -> Answer:
        """Return the answer to a request; `read_body` is called only once the caller may send one."""
        lines = exchange.request.headers.all(b"prefer")
        if lines:
            exchange.preferences = read_preferences(lines)
        try:
            return await self._answer(exchange, read_body)
        except (PreferenceError, UnknownScenarioError) as error:
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
            return _strike(scenario, exchange)

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
            if verdict is not None and not self._state.knows(verdict):
                return self._refuse_caller(exchange, _NOT_LISTED)
            exchange.credential = verdict
        if scenario is None:
            scenario = self._named(self._state.traffic.at_the_door(exchange.credential or ""))
        if scenario is not None and scenario.at != "after-validation":
            return _strike(scenario, exchange)

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
        return await self._sell(exchange, operation, scenario)

    async def _sell(self, exchange: Exchange, operation: Operation, scenario: Scenario | None) -> Answer:
        """Answer a valid request: charge it, ask the model, and give the money back where that is not to be paid."""
        traffic, bill, key = self._state.traffic, self._state.bill, exchange.credential or ""
        cost = units(exchange) if operation.extensions.get("x-billed") else 0
        if scenario is None:
            turned_away = self._named(traffic.before_the_model(key, cost))
            if turned_away is not None:
                return _strike(turned_away, exchange)
        traffic.begin()
        exchange.finish = traffic.end
        if cost:
            bill.charge(key, cost)
        exchange.billed = cost
        try:
            answer = await self._ask_model(exchange, operation, scenario)
        except (PreferenceError, MismatchError):
            exchange.billed = 0
            raise
        else:
            if not (is_billed(answer.status) if scenario is None else scenario.billed):
                exchange.billed = 0
        finally:
            if exchange.billed != cost:
                bill.charge(key, -cost)
        answer.delay = traffic.duration()
        return answer

    async def _ask_model(self, exchange: Exchange, operation: Operation, scenario: Scenario | None) -> Answer:
        if scenario is not None and scenario.respond is not None:
            return _strike(scenario, exchange)
        exchange.scenario = scenario
        answer = await self._answered(exchange, operation)
        answer.fault = None if scenario is None else scenario.fault
        return answer

    async def _answered(self, exchange: Exchange, operation: Operation) -> Answer:
        for source in self.sources:
            found = await source(exchange, operation)
            if found is not None:
                return found
        raise MismatchError(f"{operation.operation_id}: no source answers it, and that", [])

    def _named(self, name: str | None) -> Scenario | None:
        return None if name is None else self.scenarios.get(name, "the mock's own limits")

    def _queued(self, exchange: Exchange) -> tuple[str, str] | None:
        del exchange
        name = self._state.queue.take()
        return None if name is None else (name, "queue")

    def _unasked(self, exchange: Exchange) -> tuple[str, str] | None:
        del exchange
        name = self._state.queue.always or self._state.traffic.trouble(self.scenarios.chaos)
        return None if name is None else (name, "scenario")

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


def _strike(scenario: Scenario, exchange: Exchange) -> Answer:
    exchange.scenario = scenario
    answer = Answer(200, [], b"", "") if scenario.respond is None else scenario.respond(exchange)
    answer.fault = scenario.fault
    return answer


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

"""The pipeline: route, authenticate, validate, respond, with scenarios striking in between."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from flux_images_mock._answer.operation import compile_operations
from flux_images_mock._answer.refuse import Refusals
from flux_images_mock._answer.respond import PreferenceError, declared, preferred, read_preferences, special
from flux_images_mock._answer.responses import MismatchError
from flux_images_mock._answer.scenarios import Scenario, Scenarios, UnknownScenarioError, by_preference, by_token
from flux_images_mock._description.node import SpecError
from flux_images_mock._description.schema import Schemas
from flux_images_mock._gateway.bill import is_billed, units
from flux_images_mock._options import MAX_BODY
from flux_images_mock._pictures.create_image import OPERATION, CreateImage
from flux_images_mock._request.authenticate import Refused, authenticate, doubled_authorization
from flux_images_mock._request.encodings import EncodingError, decode
from flux_images_mock._request.message import Answer, Exchange, TooLargeError, Violation, violations_header
from flux_images_mock._request.parameters import check_parameters
from flux_images_mock._request.route import Methods, Routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_images_mock._answer.operation import Operation
    from flux_images_mock._answer.respond import Source
    from flux_images_mock._answer.scenarios import Picker
    from flux_images_mock._description.node import Node
    from flux_images_mock._gateway.state import State
    from flux_images_mock._options import Auth, Options


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
        self.max_body = options.get("max_body", MAX_BODY)
        self._routes = Routes(self.operations)
        self._refusals = Refusals(root, self.operations)
        if state.queue.always is not None:
            self.scenarios.get(state.queue.always, "scenario")
        self.pickers: list[Picker] = [by_preference, self._queued, by_token, self._unasked]
        pictures = CreateImage(state.gallery, check=options.get("check_answers", True))
        self.sources: list[Source] = [preferred, special({OPERATION: pictures}), declared]

    def admit(self, exchange: Exchange) -> Answer | None:
        """Judge a request by its head; return nothing if the caller may send the body."""
        try:
            return self._admit(exchange)
        except (PreferenceError, UnknownScenarioError, MismatchError) as error:
            return self._instead(exchange, error)

    def answer(self, exchange: Exchange, content: bytes) -> Answer:
        """Return the answer to a request that was admitted, now that its body is here."""
        try:
            return self._answer(exchange, content)
        except (PreferenceError, UnknownScenarioError, MismatchError) as error:
            return self._instead(exchange, error)

    def complete(self, exchange: Exchange, answer: Answer) -> Answer:
        """Return an answer with `later`, made; for a thread of its own where there is an event loop."""
        if answer.later is None:
            return answer
        try:
            made = answer.later()
        except MismatchError as error:
            self._charge(exchange, -exchange.billed)
            return self._instead(exchange, error)
        made.delay, made.fault = answer.delay, answer.fault
        return made

    def too_large(self, exchange: Exchange) -> Answer:
        """Return the answer to a request whose body is past the limit."""
        expected = f"at most {self.max_body} bytes"
        answer = self._refusals.refuse("too-large", exchange, [Violation("body", "", expected, "a larger one")])
        answer.close = True
        return answer

    def _admit(self, exchange: Exchange) -> Answer | None:
        request, refuse = exchange.request, self._refusals.refuse
        if request.headers.get(b"prefer") is not None:
            exchange.preferences = read_preferences(request.headers.all(b"prefer"))
        scenario = self._pick(exchange)
        if scenario is not None and scenario.at == "edge":
            return _strike(scenario, exchange)

        methods, exchange.path_values = self._routes.find(request.path)
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
        exchange.picked = scenario

        length = request.headers.get(b"content-length")
        if length is not None and length.isdigit() and int(length) > self.max_body:
            return self.too_large(exchange)
        return None

    def _answer(self, exchange: Exchange, content: bytes) -> Answer:
        operation, headers, refuse = exchange.operation, exchange.request.headers, self._refusals.refuse
        assert operation is not None  # noqa: S101 -- what `admit` let in has one
        encoding = headers.get(b"content-encoding")
        if encoding is not None:
            try:
                content = decode(content, encoding.decode("latin-1"), self.max_body)
            except EncodingError as error:
                return refuse("invalid-request", exchange, [error.violation])
            except TooLargeError:
                return self.too_large(exchange)
        if operation.parameters:
            check_parameters(operation.parameters, exchange)
        if operation.body is not None:
            exchange.body, violations = operation.body.read(headers, content)
            if violations:
                exchange.violations = [*exchange.violations, *violations]
        if exchange.violations:
            return refuse("invalid-request", exchange, exchange.violations)
        return self._sell(exchange, operation)

    def _sell(self, exchange: Exchange, operation: Operation) -> Answer:
        """Answer a valid request: charge it, ask the model, and give the money back where that is not to be paid."""
        traffic, scenario = self._state.traffic, exchange.picked
        cost = units(exchange) if operation.extensions.get("x-billed") else 0
        if scenario is None:
            turned_away = self._named(traffic.before_the_model(exchange.credential or "", cost))
            if turned_away is not None:
                return _strike(turned_away, exchange)
        traffic.begin()
        exchange.finish = traffic.end
        latency = traffic.duration()
        exchange.due = exchange.begun + latency
        answer = self._ask_model(exchange, operation, scenario)
        if cost and (is_billed(answer.status) if scenario is None else scenario.billed):
            self._charge(exchange, cost)
        answer.delay += latency
        return answer

    def _charge(self, exchange: Exchange, pictures: int) -> None:
        exchange.billed += pictures
        self._state.bill.charge(exchange.credential or "", pictures)

    def _ask_model(self, exchange: Exchange, operation: Operation, scenario: Scenario | None) -> Answer:
        if scenario is not None and scenario.respond is not None:
            return _strike(scenario, exchange)
        exchange.scenario = scenario
        for source in self.sources:
            answer = source(exchange, operation)
            if answer is not None:
                answer.fault = None if scenario is None else scenario.fault
                return answer
        raise MismatchError(f"{operation.operation_id}: no source answers it, and that", [])

    def _instead(self, exchange: Exchange, error: PreferenceError | UnknownScenarioError | MismatchError) -> Answer:
        if isinstance(error, MismatchError):
            return _own_fault(error)
        of_key = error.violation.where == "Authorization"
        return self._refusals.refuse("bad-auth" if of_key else "invalid-request", exchange, [error.violation])

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

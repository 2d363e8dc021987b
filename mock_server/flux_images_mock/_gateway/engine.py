"""The pipeline: route, authenticate, validate, respond, with scenarios striking in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from flux_images_mock._answer.answer import BILLED, Answer
from flux_images_mock._answer.operation import Operation, compile_operations
from flux_images_mock._answer.refuse import Kind, Refusals
from flux_images_mock._answer.respond import Asked, PreferenceError, Source, declared, preferred, read_preferences
from flux_images_mock._answer.scenarios import Scenario, Scenarios, UnknownScenarioError
from flux_images_mock._description.node import JsonObject, Node, SpecError
from flux_images_mock._description.schema import Schemas, Violation
from flux_images_mock._gateway.exchange import Exchange
from flux_images_mock._gateway.run import Run, State
from flux_images_mock._options import MAX_BODY, Auth, OptionError, Options
from flux_images_mock._pictures.gallery import OPERATION, CreateImage
from flux_images_mock._request.authenticate import Refused, authenticate, doubled_authorization
from flux_images_mock._request.bodies import EncodingError, TooLargeError, decode, members
from flux_images_mock._request.message import Pair
from flux_images_mock._request.parameters import Values, read_parameters
from flux_images_mock._request.route import Routes

_TOKEN = b"sk-mock-"
_NOT_LISTED = Refused("bad-auth", "use a key that the mock was given", "Bearer")


class Engine:
    """One description, ready to answer requests."""

    def __init__(self, root: Node, state: State, options: Options, warn: Callable[[str], None]) -> None:
        requests, responses = Schemas(root, "request"), Schemas(root, "response")
        self.operations = list(compile_operations(root, requests, responses))
        for problem in requests.problems:
            if not options.get("lenient"):
                raise SpecError(f"{problem}; --lenient serves the rest all the same")
            warn(problem)
        self.description = root.mapping()
        self.max_body = options.get("max_body", MAX_BODY)
        self.scenarios = Scenarios(self.operations, map(Path, options.get("scenarios", ())), lambda: state.run.now())
        if state.run.queue.always is not None:
            self.scenarios.get(state.run.queue.always, "scenario")
        self.pick: Callable[[Exchange, Run], Scenario | None] = self._pick
        """Names the scenario that a request meets."""
        self.sources: dict[str, Source] = {}
        """What answers an operation in place of its examples and samples, by `operationId`."""
        for operation in self.operations:
            pictures = CreateImage.fitting(operation, state.gallery, check=options.get("check_answers", True))
            if operation.operation_id == OPERATION and pictures is not None:
                self.sources[OPERATION] = pictures
        self._auth: Auth = options.get("auth", "strict")
        self._routes = Routes(
            (path, operation.method, operation) for operation in self.operations for path in operation.templates
        )
        self._refusals = Refusals(root, self.operations)

    def admit(self, exchange: Exchange, run: Run) -> Answer | None:
        """Judge a request by its head; return nothing if the caller may send the body."""
        try:
            return self._admit(exchange, run)
        except (PreferenceError, UnknownScenarioError) as error:
            return self._refuse_wish(exchange, error.violation)

    def answer(self, exchange: Exchange, run: Run, content: bytes) -> Answer:
        """Return the answer to a request that was admitted, now that its body is here."""
        try:
            return self._answer(exchange, run, content)
        except (PreferenceError, UnknownScenarioError) as error:
            return self._refuse_wish(exchange, error.violation)
        except OptionError as error:
            return self._refuse_wish(
                exchange, Violation("body", f"/{error.option}", error.expected, repr(error.got)[:60])
            )

    def too_large(self, exchange: Exchange) -> Answer:
        """Return the answer to a request whose body is past the limit."""
        expected = f"at most {self.max_body} bytes"
        answer = self._refuse("too-large", exchange, [Violation("body", "", expected, "a larger one")])
        answer.close = True
        return answer

    def _admit(self, exchange: Exchange, run: Run) -> Answer | None:
        request = exchange.request
        if request.headers.get(b"prefer") is not None:
            exchange.preferences = read_preferences(request.headers.all(b"prefer"))
        scenario = self.pick(exchange, run)
        if scenario is not None and scenario.at == "edge":
            return _strike(scenario, exchange)

        methods, exchange.path_values = self._routes.find(request.path)
        operation = exchange.operation = methods.get(request.method)
        if operation is None:
            return self._refuse_route(exchange, methods)
        if scenario is not None:
            scenario = self.scenarios.of(operation, scenario)

        if operation.security:
            doubled = doubled_authorization(request)
            if doubled is not None:
                return self._refuse("invalid-request", exchange, [doubled])
            verdict = authenticate(operation.security, request, self._auth)
            if isinstance(verdict, str) and not run.knows(verdict):
                verdict = _NOT_LISTED
            if isinstance(verdict, Refused):
                return self._refuse_caller(exchange, verdict)
            request.credential = verdict
        if scenario is None:
            scenario = self._named(run.traffic.at_the_door(request.credential or ""))
        if scenario is not None and scenario.at != "after-validation":
            return _strike(scenario, exchange)
        exchange.picked = scenario

        length = request.headers.get(b"content-length")
        if length is not None and length.isdigit() and int(length) > self.max_body:
            return self.too_large(exchange)
        return None

    def _answer(self, exchange: Exchange, run: Run, content: bytes) -> Answer:
        request, operation = exchange.request, exchange.operation
        assert operation is not None  # noqa: S101 -- what `admit` let in has one
        encoding = request.headers.get(b"content-encoding")
        if encoding is not None:
            try:
                content = decode(content, encoding.decode("latin-1"), self.max_body)
            except EncodingError as error:
                return self._refuse("invalid-request", exchange, [error.violation])
            except TooLargeError:
                return self.too_large(exchange)
        exchange.content = content
        parameters: Values = {}
        violations: list[Violation] = []
        if operation.parameters:
            parameters, violations = read_parameters(operation.parameters, request, exchange.path_values)
        if operation.body is not None:
            exchange.body, differing = operation.body.read(request.headers, content)
            violations += differing
        if violations:
            return self._refuse("invalid-request", exchange, violations)
        return self._sell(exchange, run, operation, parameters)

    def _sell(self, exchange: Exchange, run: Run, operation: Operation, parameters: Values) -> Answer:
        """Answer a valid request: charge it, and ask the model. What it may cost is judged and charged in one."""
        with run.lock:
            return self._sold(exchange, run, operation, parameters)

    def _sold(self, exchange: Exchange, run: Run, operation: Operation, parameters: Values) -> Answer:
        scenario = exchange.picked
        cost = _units(members(exchange.body)) if operation.extensions.get("x-billed") else 0
        if scenario is None:
            turned_away = self._named(run.traffic.before_the_model(exchange.request.credential or "", cost))
            if turned_away is not None:
                return _strike(turned_away, exchange)
        latency = run.traffic.begin()
        exchange.finish = run.traffic.end
        if scenario is not None and scenario.respond is not None:
            answer = _strike(scenario, exchange)
        else:
            exchange.scenario = scenario
            due = exchange.begun + latency
            answer = self._ask_model(
                Asked(exchange.request, operation, parameters, exchange.body, exchange.preferences, scenario, due)
            )
        if cost and (answer.status in BILLED if scenario is None else scenario.billed):
            run.charge(exchange, cost)
        answer.delay += latency
        return answer

    def _ask_model(self, asked: Asked) -> Answer:
        answer = preferred(asked) if asked.preferences else None
        if answer is None:
            answer = self.sources.get(asked.operation.operation_id, declared)(asked)
        answer.fault = None if asked.scenario is None else asked.scenario.fault
        return answer

    def _named(self, name: str | None) -> Scenario | None:
        return None if name is None else self.scenarios.get(name, "the mock's own limits")

    def _pick(self, exchange: Exchange, run: Run) -> Scenario | None:
        """Return the scenario that a request meets; of those who may name one, the strongest comes first."""
        name, place = exchange.preferences.get("scenario"), "Prefer"
        if name is None:
            name, place = run.queue.take(exchange), "queue"
        if name is None:
            line = exchange.request.headers.get(b"authorization") or b""
            if _TOKEN in line:
                name, place = line.partition(_TOKEN)[2].decode("latin-1").strip(), "Authorization"
        if name is None:
            name, place = run.queue.always or run.traffic.trouble(self.scenarios.chaos), "scenario"
        return None if name is None else self.scenarios.get(name, place)

    def _refuse(
        self,
        kind: Kind,
        exchange: Exchange,
        violations: Sequence[Violation],
        detail: str = "",
        headers: Sequence[Pair] = (),
    ) -> Answer:
        return self._refusals.refuse(kind, exchange.request, exchange.operation, violations, detail, headers)

    def _refuse_wish(self, exchange: Exchange, violation: Violation) -> Answer:
        of_key = violation.where == "Authorization"
        return self._refuse("bad-auth" if of_key else "invalid-request", exchange, [violation])

    def _refuse_route(self, exchange: Exchange, methods: dict[str, Operation]) -> Answer:
        request = exchange.request
        if methods:
            allow = ", ".join(sorted(methods))
            violation = Violation("method", request.path, allow, request.method)
            return self._refuse("wrong-method", exchange, [violation], headers=[(b"allow", allow.encode())])
        return self._refuse("no-route", exchange, [Violation("path", "", "a path of the description", request.path)])

    def _refuse_caller(self, exchange: Exchange, refused: Refused) -> Answer:
        got = "nothing" if refused.kind == "no-auth" else "something else"
        violation = Violation("header", "Authorization", refused.advice, got)
        challenge = [(b"www-authenticate", f'{refused.scheme} realm="mock"'.encode())]
        return self._refuse(refused.kind, exchange, [violation], refused.advice, challenge)


def _units(fields: JsonObject) -> int:
    """Return how many pictures a valid request asks for, and so is charged."""
    count = fields.get("n", 1)
    return count if isinstance(count, int) and count > 0 else 1


def _strike(scenario: Scenario, exchange: Exchange) -> Answer:
    exchange.scenario = scenario
    answer = Answer(200, [], b"", "") if scenario.respond is None else scenario.respond(exchange.request.id)
    answer.fault = scenario.fault
    return answer

"""How every request is answered, step by step; the ways of reaching the mock only carry the steps out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

from flux_images_mock._answer.answer import Answer, problem
from flux_images_mock._answer.operation import MismatchError
from flux_images_mock._description.node import Node
from flux_images_mock._description.schema import violations_header
from flux_images_mock._gateway.control import CONTROL, Control
from flux_images_mock._gateway.engine import Engine
from flux_images_mock._gateway.exchange import Exchange
from flux_images_mock._gateway.run import Run, State
from flux_images_mock._options import Options
from flux_images_mock._pictures.gallery import PICTURES, TASKS
from flux_images_mock._request.message import Request

AccessLog = Callable[[Exchange, Answer, float], None]
"""Writes down a request, its answer and how long that took, in milliseconds."""

_LOG = logging.getLogger("flux_images_mock")


class NeedBody:
    """Send back the request's body, or nothing if it is larger than `Engine.max_body`."""


@dataclass(frozen=True, slots=True)
class Work:
    """Send back what `make` returns, which takes long and raises nothing."""

    make: Callable[[], Answer | Exception]


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on when so many seconds of the run's clock have passed; `sleep` is that clock's."""

    seconds: float
    sleep: Callable[[float], Awaitable[bool]]


NEED_BODY = NeedBody()

Step = NeedBody | Work | Wait | Answer
"""What an answer takes; an answer itself is to be sent."""
Play = Generator[Step, Any, None]


class Gateway:
    """One description, being played: its engine, its state, and the control API beside it."""

    def __init__(
        self, root: Node, options: Options, log: AccessLog | None = None, warn: Callable[[str], None] = lambda _: None
    ) -> None:
        self.state = State(options)
        self.engine = Engine(root, self.state, options, warn)
        self._control = Control(self.engine, self.state, options)
        self._log = log
        self.is_ending = False
        """Whether nobody gets an answer any more because the mock is being stopped."""

    def refuse(self, status: int, text: str, request: Request) -> None:
        """Note what was refused before it was a request of HTTP that could be played."""
        run = self.state.run
        exchange = Exchange(request, run.now(), status=status, duration=0.0)
        run.journal.add(exchange)
        if self._log is not None:
            self._log(exchange, Answer(status, [], b"", text), 0.0)

    def play(self, request: Request) -> Play:
        """Return the steps that answer a request, of which the last is the answer.

        Whoever carries them out goes on once the answer has left, and closes them where nobody waits for it any more.
        """
        run = self.state.run
        return self._steps(run, Exchange(request, run.now()))

    def _steps(self, run: Run, exchange: Exchange) -> Play:
        request, answer, is_added = exchange.request, None, False
        is_journaled = not request.path.startswith(CONTROL) or request.path.startswith(PICTURES)
        try:
            try:
                if request.path.startswith((PICTURES, TASKS)) and self.state.gallery.has(request.path):
                    answer = self.state.gallery.serve(request)
                else:
                    door = self.engine if is_journaled else self._control
                    answer = door.admit(exchange, run)
                    if answer is None:
                        content = yield NEED_BODY
                        answer = (
                            self.engine.too_large(exchange) if content is None else door.answer(exchange, run, content)
                        )
                if answer.later is not None:
                    made = yield Work(partial(_attempt, answer.later))
                    if isinstance(made, Exception):
                        raise made
                    made.delay, made.fault, answer = answer.delay, answer.fault, made
            except Exception as error:  # noqa: BLE001 -- whatever went wrong in the mock, its caller is told
                answer = _failed(error)
                run.charge(exchange, -exchange.billed)
            run.queue.settle(exchange)
            _frame(answer, request.method)
            exchange.violations = answer.violations
            if is_journaled:
                run.journal.add(exchange)
                is_added = True
            if answer.delay:
                yield Wait(answer.delay, run.sleep)
            fault = answer.fault
            answer.sleep = run.sleep
            exchange.status = None if fault is not None and fault.kind.endswith("before-headers") else answer.status
            yield answer
        except GeneratorExit:
            run.queue.settle(exchange)
            if answer is not None and self.is_ending:
                answer.origin = "the mock was stopped"
            elif answer is not None:
                answer.origin, exchange.client_left = "the client left", True
                if is_journaled and not is_added:
                    run.journal.add(exchange)
            raise
        finally:
            if exchange.finish is not None:
                exchange.finish()
            exchange.duration = run.now() - exchange.begun
            if self._log is not None and answer is not None:
                self._log(exchange, answer, exchange.duration * 1000)


def _attempt(make: Callable[[], Answer]) -> Answer | Exception:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 -- raised again where it is answered
        return error


def _failed(error: Exception) -> Answer:
    if not isinstance(error, MismatchError):
        _LOG.error("the mock failed", exc_info=error)
        return problem(500, f"{type(error).__name__} in the mock; its log has more", "failure")
    answer = problem(500, str(error), "mismatch", "The mock's own answer does not fit the description")
    answer.violations = error.violations
    return answer


def _frame(answer: Answer, method: str) -> None:
    """Say how long the answer is and what of it is sent: the one place where that is decided."""
    if answer.violations:
        answer.headers.append((b"x-mock-violations", violations_header(answer.violations)))
    if answer.status in (204, 304):
        answer.body = b""
        return
    answer.headers.append((b"content-length", b"%d" % len(answer.body)))
    if method == "HEAD":
        answer.body = b""

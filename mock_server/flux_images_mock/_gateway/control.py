"""The control API under `/__mock__/`: described in `control.yaml`, and served by an engine like everything else."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from flux_images_mock._answer.answer import Answer, problem
from flux_images_mock._answer.respond import Asked, Source
from flux_images_mock._description.node import load
from flux_images_mock._gateway.engine import Engine
from flux_images_mock._gateway.exchange import Exchange
from flux_images_mock._gateway.journal import requests
from flux_images_mock._gateway.run import Run, State
from flux_images_mock._options import Behaviour, OptionError, Options

Action = Callable[[Asked], Any]
"""Does what an operation says, and returns the JSON to answer with."""

CONTROL = "/__mock__/"

_DESCRIPTION = Path(__file__).with_name("control.yaml")
_REFERENCE = (
    Path(__file__).parents[1] / "reference.html",
    Path(__file__).parents[3] / "docs" / "reference" / "index.html",
)
"""As it came with this package, or the repository's in an editable install."""
_HOST = re.compile(r"([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)


class Control:
    """Answers requests that see and change the state of a mock."""

    def __init__(self, engine: Engine, state: State, options: Options) -> None:
        self._played = engine
        self._state = state
        self._own = State({})
        self._hosts = {"localhost", *map(_allowed, options.get("allow_hosts", ()))}

    def admit(self, exchange: Exchange, run: Run) -> Answer | None:
        """Judge a request by its head: a page that gave itself a name for this machine is turned away."""
        del run  # what is played has its own limits
        host = (exchange.request.headers.get(b"host") or b"").decode("latin-1")
        if (name := _name(host)) not in self._hosts and not _is_loopback(name):
            advice = f"the control API doesn't answer to the Host {host[:100]!r}; start the mock with --allow-host"
            return problem(403, advice, "control")
        return self._engine.admit(exchange, self._own.run)

    def answer(self, exchange: Exchange, run: Run, content: bytes) -> Answer:
        """Return the answer to a request that was admitted."""
        del run
        return self._engine.answer(exchange, self._own.run, content)

    @cached_property
    def _engine(self) -> Engine:
        engine = Engine(load(_DESCRIPTION), self._own, {}, lambda _: None)
        engine.pick = _nothing
        actions: dict[str, Action] = {
            "health": lambda _: {"status": "ok"},
            "spec": lambda _: self._played.description,
            "docs": lambda _: next(filter(Path.exists, _REFERENCE)).read_text("utf-8"),
            "requests": self._requests,
            "bill": lambda _: {"pictures": self._state.run.bill.pictures, "keys": dict(self._state.run.bill)},
            "scenarios": self._scenarios,
            "queue": self._queue,
            "enqueue": self._enqueue,
            "clear_queue": self._clear_queue,
            "clock": lambda _: {"now": self._state.run.now()},
            "advance": self._advance,
            "reset": self._reset,
        }
        engine.sources = {operation_id: _source(action) for operation_id, action in actions.items()}
        return engine

    def _requests(self, asked: Asked) -> Any:
        last: int = asked.parameters.get(("query", "last"), 0)
        return {"requests": [entry.as_json() for entry in requests(self._state.run.journal)[-last:]]}

    def _scenarios(self, _: Asked) -> Any:
        return {
            "scenarios": [
                {"name": each.name, "imitates": each.imitates, "provenance": each.provenance, "at": each.at}
                for each in self._played.scenarios
            ]
        }

    def _queue(self, _: Asked) -> Any:
        return {"queue": [{"name": name, "times": times} for name, times in self._state.run.queue.entries()]}

    def _enqueue(self, asked: Asked) -> Any:
        scenario = self._played.scenarios.get(asked.body["name"], "/name")
        self._state.run.queue.put(scenario.name, asked.body.get("times"))
        return self._queue(asked)

    def _clear_queue(self, asked: Asked) -> Any:
        self._state.run.queue.clear()
        return self._queue(asked)

    def _reset(self, asked: Asked) -> None:
        behaviour = cast("Behaviour", asked.body or {})  # the description has looked at it
        if (name := behaviour.get("scenario")) is not None:
            self._played.scenarios.get(name, "/scenario")
        self._state.reset(behaviour)

    def _advance(self, asked: Asked) -> Any:
        self._state.run.advance(asked.body["advance"])
        return {"now": self._state.run.now()}


def _nothing(*_: object) -> None:
    """Pick no scenario: the control API meets none."""


def _name(host: str) -> str:
    """Return the name or address in a Host header, in lower case; nothing where it is none."""
    match = _HOST.fullmatch(host)
    return "" if match is None else match[1].strip("[]").lower()


def _allowed(host: str) -> str:
    name = _name(host)
    if not name:
        raise OptionError("allow_hosts", "a host's name or address, without a scheme", host)
    return name


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _source(action: Action) -> Source:
    def answer(asked: Asked) -> Answer:
        result = action(asked)
        request_id = asked.request.id
        status, response = asked.operation.responses.in_turn()[0]
        for media in response.media.values():
            return response.value(request_id, status, media, result, "the control API", check=True)
        return response.answer(request_id, status, None, b"", "the control API")

    return answer

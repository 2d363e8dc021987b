"""The control API under `/__mock__/`: described in `control.yaml`, and served by an engine like everything else."""

from __future__ import annotations

import ipaddress
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from flux_images_mock._answer.respond import special
from flux_images_mock._description.node import load
from flux_images_mock._durations import OptionError
from flux_images_mock._gateway.engine import Engine
from flux_images_mock._gateway.state import State
from flux_images_mock._request.message import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_images_mock._answer.operation import Operation
    from flux_images_mock._answer.respond import Source
    from flux_images_mock._options import Options
    from flux_images_mock._request.message import Exchange

    Action = Callable[[Exchange], Any]
    """Does what an operation says, and returns the JSON to answer with."""

_DESCRIPTION = Path(__file__).with_name("control.yaml")
_HOST = re.compile(r"([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)


class Control:
    """Answers requests that see and change the state of a mock."""

    def __init__(self, engine: Engine, state: State, options: Options) -> None:
        self._played = engine
        self._state = state
        self._hosts = {"localhost", *map(_allowed, options.get("allow_hosts", ()))}

    def admit(self, exchange: Exchange) -> Answer | None:
        """Judge a request by its head: a page that gave itself a name for this machine is turned away."""
        host = (exchange.request.headers.get(b"host") or b"").decode("latin-1")
        return self.engine.admit(exchange) if self._trusts(host) else _forbidden(host)

    @cached_property
    def engine(self) -> Engine:
        """What answers the requests that come in."""
        engine = Engine(load(_DESCRIPTION), State(), {})
        engine.pickers = []
        actions: dict[str, Action] = {
            "health": lambda _: {"status": "ok"},
            "spec": lambda _: self._played.description,
            "requests": self._requests,
            "bill": lambda _: {"pictures": self._state.bill.pictures, "keys": dict(self._state.bill)},
            "scenarios": self._scenarios,
            "queue": self._queue,
            "enqueue": self._enqueue,
            "clear_queue": self._clear_queue,
            "clock": lambda _: {"now": self._state.clock.now()},
            "advance": self._advance,
            "reset": lambda _: self._state.reset(),
        }
        engine.sources = [special({operation_id: _source(action) for operation_id, action in actions.items()})]
        return engine

    def _trusts(self, host: str) -> bool:
        name = _name(host)
        return name in self._hosts or _is_loopback(name)

    def _requests(self, exchange: Exchange) -> Any:
        last: int = (exchange.parameters or {}).get(("query", "last"), 0)
        return {"requests": [entry.as_json() for entry in self._state.journal.requests()[-last:]]}

    def _scenarios(self, exchange: Exchange) -> Any:
        del exchange
        return {
            "scenarios": [
                {"name": each.name, "imitates": each.imitates, "provenance": each.provenance, "at": each.at}
                for each in self._played.scenarios
            ]
        }

    def _queue(self, exchange: Exchange) -> Any:
        del exchange
        return {"queue": [{"name": name, "times": times} for name, times in self._state.queue.entries()]}

    def _enqueue(self, exchange: Exchange) -> Any:
        scenario = self._played.scenarios.get(exchange.body["name"], "/name")
        self._state.queue.put(scenario.name, exchange.body.get("times"))
        return self._queue(exchange)

    def _clear_queue(self, exchange: Exchange) -> Any:
        self._state.queue.clear()
        return self._queue(exchange)

    def _advance(self, exchange: Exchange) -> Any:
        self._state.clock.advance(exchange.body["advance"])
        return {"now": self._state.clock.now()}


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
    def answer(exchange: Exchange, operation: Operation) -> Answer:
        result = action(exchange)
        status, response = operation.responses.in_turn()[0]
        for media in response.media.values():
            return response.value(exchange, status, media, result, "the control API", check=True)
        return response.answer(exchange, status, None, b"", "the control API")

    return answer


def _forbidden(host: str) -> Answer:
    problem = {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": f"the control API doesn't answer to the Host {host[:100]!r}; start the mock with --allow-host",
    }
    body = orjson.dumps(problem)
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))]
    return Answer(403, headers, body, "control")

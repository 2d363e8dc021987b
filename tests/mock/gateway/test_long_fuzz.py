"""Many thousand requests, most of them wrong: to our description and to a foreign one, to the control API, with faults.

`FLUX_FUZZ=200000` sets how many; without it there are few enough for every day.
"""

from __future__ import annotations

import json
import logging
import os
import time
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from flux_images_mock import app
from flux_images_mock._answer.answer import Answer
from flux_images_mock._gateway.delivery import NeedBody, Work
from flux_images_mock._gateway.journal import told
from flux_images_mock._request.message import Headers, Request
from tests.mock.asking import PATH

if TYPE_CHECKING:
    from pathlib import Path

    from flux_images_mock._gateway.exchange import Exchange
    from flux_images_mock._options import Behaviour
    from flux_images_mock._serve.asgi import MockApp

MANY = int(os.environ.get("FLUX_FUZZ", "4000"))
A_RUN = 200
LONGEST = 2.0
"""Seconds of the processor that one request may take, pictures of the largest size included."""

BEHAVIOURS: list[Behaviour] = [{}, {"credit": 50}, {"latency": "1s..9s"}, {"chaos": 0.2}]
WHOLE = {"model": "flux", "prompt": "a medal", "aspect_ratio": "1:1"}
VALUES: list[Any] = [None, True, 0, -1, 2, 11, 2**63, 2**70, 1e300, "", "1:1", "9:99", "b64_json", "url", "png", [], {}]
FIELDS = ["model", "prompt", "aspect_ratio", "n", "seed", "response_format", "output_format", "size", "x"]
TEXTS = [b"", b"{", b"[1,2", b'{"model":', b"\xff\xfe", b"[" * 5000, b'{"prompt":"p","prompt":"q"}', b"a=1&b=%ff"]
TYPES = ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""]
KEYS = [
    "Bearer sk-one-00000",
    "Bearer sk-two-00000",
    "Bearer sk-mock-panic",
    "",
    "Basic eDp5",
    "Bearer",
    "sk-one-00000",
]
FOREIGN = {
    "openapi": "3.1.0",
    "info": {"title": "shelves", "version": "1"},
    "paths": {
        "/shelves/{shelf}/{from}-{to}": {
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}}
                for name in ("shelf", "from", "to")
            ],
            "put": {
                "operationId": "put_books",
                "parameters": [
                    {"name": "page", "in": "query", "schema": {"type": "array", "items": {"type": "integer"}}}
                ],
                "requestBody": {
                    "content": {
                        kind: {"schema": {"type": "object", "properties": {"count": {"type": "integer"}}}}
                        for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
                    }
                },
                "responses": {
                    "200": {"description": "x", "content": {"application/json": {"schema": {"type": "object"}}}}
                },
            },
        }
    },
}
CONTROL: list[tuple[str, str, Any]] = [
    ("GET", "requests", None),
    ("GET", "bill", None),
    ("GET", "queue", None),
    ("POST", "queue", {"name": "panic", "times": 2}),
    ("POST", "queue", {"name": "stall-in-body", "times": 1}),
    ("POST", "queue", {"name": 7}),
    ("DELETE", "queue", None),
    ("POST", "clock", {"advance": 700}),
    ("POST", "reset", {"credit": 3}),
    ("POST", "reset", {"latency": "soon"}),
    ("GET", "nowhere", None),
]


class Fuzz:
    """Makes requests by chance, and carries their steps out by itself: time passes at once."""

    def __init__(self, mock: MockApp, seed: int) -> None:
        self.mock = mock
        self.chance = Random(seed)
        self.names = [scenario.name for scenario in mock.engine.scenarios if scenario.name != "picture-20-mib"]

    def ask(self, method: str, path: str, headers: dict[str, str], content: bytes) -> Answer:
        """Return the answer to one request."""
        target, _, query = path.partition("?")
        pairs = [(name.encode(), text.encode("latin-1")) for name, text in headers.items() if text]
        play = self.mock.play(Request(method, target, query.encode(), Headers(pairs), "http://mock"))
        step = next(play)
        while not isinstance(step, Answer):
            if isinstance(step, NeedBody):
                step = play.send(content)
            elif isinstance(step, Work):
                step = play.send(step.make())
            else:
                self.mock.state.run.advance(step.seconds)
                step = play.send(True)
        if self.chance.random() < 0.02:
            play.close()
        else:
            next(play, None)
        return step

    def once(self) -> Answer:
        """Ask for anything."""
        pick = self.chance.choice
        content = pick(TEXTS) if self.chance.random() < 0.2 else json.dumps(self._fields()).encode()
        headers = {
            "host": "localhost",
            "authorization": pick(KEYS),
            "content-type": "application/json" if self.chance.random() < 0.7 else pick(TYPES),
            "prefer": self._wish(),
            "content-encoding": "" if self.chance.random() < 0.95 else pick(["gzip", "br", "deflate", "x", "gzip, br"]),
        }
        kind = self.chance.random()
        if kind < 0.1:
            method, path, body = pick(CONTROL)
            headers |= {"x-flux-mock": "control", "content-type": "application/json", "authorization": "", "prefer": ""}
            return self.ask(method, f"/__mock__/{path}", headers, b"" if body is None else json.dumps(body).encode())
        if kind < 0.2:
            number = pick(["1", "-", "--", "9" * 30, "x", "%2f", "%ff", ""])
            return self.ask("PUT", f"/shelves/{number}/{number}-{number}?page={number}&page=1", headers, content)
        if kind < 0.25:
            return self.ask(pick(["GET", "HEAD", "PUT", "OPTIONS"]), pick([PATH, "/", "/favicon.ico"]), headers, b"")
        return self.ask("POST", PATH, headers, content)

    def _fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(WHOLE)
        while self.chance.random() < 0.5:
            fields[self.chance.choice(FIELDS)] = self.chance.choice(VALUES)
        return fields

    def _wish(self) -> str:
        if self.chance.random() < 0.7:
            return ""
        name = self.chance.choice(self.names)
        return self.chance.choice(
            [f"scenario={name}", f"example={name}", "code=404", "code=999", "dynamic=true", ' , ="']
        )


def _sold(exchange: Exchange, answer: Answer) -> int | None:
    """Return how many pictures an answer without a scenario says that it has; nothing where it can't be known."""
    if exchange.scenario is not None or exchange.preferences or answer.fault is not None:
        return None
    return len(json.loads(answer.body).get("data", [])) if answer.status == 200 else 0


@pytest.mark.parametrize("foreign", [False, True], ids=["ours", "foreign"])
def test_nothing_breaks_the_mock_or_its_bill(foreign: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No 5xx of its own, no request that takes long; what is billed is what the answers hold."""
    spec = tmp_path / "shelves.yaml"
    spec.write_text(yaml.safe_dump(FOREIGN))
    mock = app(spec) if foreign else app()
    fuzz = Fuzz(mock, seed=14)
    caplog.set_level(logging.ERROR)
    for number in range(MANY // 2):
        if number % A_RUN == 0:
            mock.state.reset(fuzz.chance.choice(BEHAVIOURS))
        run, asked = mock.state.run, len(mock.state.run.journal.entries())
        begun = time.process_time()
        answer = fuzz.once()
        assert time.process_time() - begun < LONGEST
        entries = run.journal.entries()
        if len(entries) > asked:
            entry = entries[-1]
            assert answer.origin not in ("failure", "mismatch"), told(entry)
            assert (sold := _sold(entry, answer)) is None or entry.billed == sold, told(entry)
        if answer.status >= 500:
            assert len(entries) > asked
            assert entries[-1].scenario is not None or entries[-1].preferences, told(entries[-1])
        assert run.bill.pictures == sum(run.bill.values()) == sum(each.billed for each in entries)
    assert not caplog.records

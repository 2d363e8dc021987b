"""Behaviours of real gateways by name, each in a file of its own, and which of them a request meets."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import jsonschema_rs
import orjson

from flux_images_mock._http import Answer, Exchange, Violation
from flux_images_mock._refuse import fill
from flux_images_mock._schema import differences
from flux_images_mock._spec import SpecError, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flux_images_mock._operation import Operation

    Picker = Callable[[Exchange], tuple[str, str] | None]
    """Names the scenario that a request meets and where it was asked for, or passes."""

Stage = Literal["edge", "after-auth", "after-validation"]

_FOLDER = Path(__file__).with_name("scenarios")
_TOKEN = b"sk-mock-"
_SHAPE = jsonschema_rs.Draft202012Validator(
    {
        "type": "object",
        "required": ["name", "imitates", "provenance", "at", "status"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
            "imitates": {"type": "string", "minLength": 1},
            "provenance": {"enum": ["seed", "gateway-family", "openai-convention", "flux-model"]},
            "at": {"enum": ["edge", "after-auth", "after-validation"]},
            "status": {"type": "integer", "minimum": 200, "maximum": 599},
            "headers": {"type": "object", "additionalProperties": {"type": "string"}},
            "body": {},
        },
    }
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One behaviour: where in the pipeline it strikes, and what the caller then gets."""

    name: str
    imitates: str
    provenance: str
    at: Stage
    respond: Callable[[Exchange], Answer]


class UnknownScenarioError(ValueError):
    """A request asks for a scenario that doesn't exist."""

    def __init__(self, name: str, known: Iterable[str], place: str) -> None:
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        hint = "the name of a scenario" + (f" (such as {' or '.join(near)})" if near else "")
        self.violation = Violation("header", place, hint, name[:60])
        super().__init__(str(self.violation))


class Scenarios:
    """The catalogue: the files, and every example that the description declares, under the example's name."""

    def __init__(self, operations: Iterable[Operation], folders: Iterable[Path] = ()) -> None:
        self._by_name: dict[str, Scenario] = {}
        for operation in operations:
            for scenario in _from_examples(operation):
                self._by_name.setdefault(scenario.name, scenario)
        for folder in (_FOLDER, *folders):
            for path in sorted(folder.glob("*.yaml")):
                scenario = read_scenario(path)
                self._by_name[scenario.name] = scenario

    def __iter__(self) -> Iterator[Scenario]:
        return iter(self._by_name.values())

    def get(self, name: str, place: str) -> Scenario:
        """Return a scenario by name; raises `UnknownScenarioError`, which names `place` as where it was asked for."""
        scenario = self._by_name.get(name)
        if scenario is None:
            raise UnknownScenarioError(name, self._by_name, place)
        return scenario


def read_scenario(path: Path) -> Scenario:
    """Return the scenario in a file; raises `SpecError` with every difference from the format."""
    value = read_tree(path)
    violations = differences(_SHAPE, value, "scenario")
    if not violations and value["name"] != path.stem:
        violations = [Violation("scenario", "/name", f"the file's name, {path.stem}", value["name"])]
    if violations:
        raise SpecError(f"{path}: {'; '.join(map(str, violations))}")
    template = value.get("body", "")
    headers = {name.lower(): text for name, text in value.get("headers", {}).items()}

    def respond(exchange: Exchange) -> Answer:
        words = {"request_id": exchange.request_id.decode()}
        filled = fill(template, words)
        body = filled.encode() if isinstance(filled, str) else orjson.dumps(filled)
        pairs = [(name.encode(), fill(text, words).encode()) for name, text in headers.items()]
        return Answer(
            value["status"], [*pairs, (b"content-length", b"%d" % len(body))], body, f"scenario {value['name']}"
        )

    return Scenario(value["name"], value["imitates"], value["provenance"], value["at"], respond)


def _from_examples(operation: Operation) -> Iterator[Scenario]:
    for status, response in operation.responses.in_turn():
        at: Stage = "after-auth" if status in (401, 403) else "after-validation"
        for media in response.media.values():
            for example in media.examples.values():
                respond = partial(response.example, status=status, media=media, example=example)
                yield Scenario(example.name, f"{operation.operation_id} {status}", example.provenance, at, respond)


def by_preference(exchange: Exchange) -> tuple[str, str] | None:
    """Pick what `Prefer: scenario=NAME` asks for."""
    name = exchange.preferences.get("scenario")
    return None if name is None else (name, "Prefer")


def by_token(exchange: Exchange) -> tuple[str, str] | None:
    """Pick what the token `sk-mock-NAME` asks for."""
    line = exchange.request.headers.get(b"authorization")
    if line is None or _TOKEN not in line:
        return None
    return line.partition(_TOKEN)[2].decode("latin-1").strip(), "Authorization"

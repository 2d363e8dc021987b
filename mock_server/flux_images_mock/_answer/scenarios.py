"""Behaviours of real gateways by name, each in a file of its own, and which of them a request meets."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
import orjson
import yaml

from flux_images_mock._answer.answer import BILLED, KINDS, Answer, Fault
from flux_images_mock._answer.operation import Example, Operation
from flux_images_mock._answer.refuse import fill
from flux_images_mock._description.node import JsonObject, SpecError, is_array, is_object, read_tree
from flux_images_mock._description.schema import Violation, differences
from flux_images_mock._request.message import Pairs

Stage = Literal["edge", "after-auth", "after-validation"]

_FOLDER = Path(__file__).parents[1] / "scenarios"
_STALL = 600.0
_DRIP = 1.0


@dataclass(frozen=True, slots=True)
class FileEffect:
    """What a scenario does to the files behind the addresses that its answer gives out."""

    answer: Callable[[bytes], Answer] | None = None
    """Makes an answer in place of the file, from the request's id."""
    fault: Fault | None = None
    times: int | None = None
    """How many requests get that answer, before the file comes."""
    expired: bool = False
    cut: bool = False
    least_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """How an answer is written around its pictures, where that is not as the contract has it."""

    status: int
    headers: Pairs
    entry: Any
    body: Any
    is_inline: bool
    """Whether the pictures themselves stand in it."""
    is_task: bool
    """Whether it names a task instead, to ask for the pictures by."""

    def write(self, pictures: list[dict[str, str]], words: dict[str, str]) -> bytes:
        """Return the body around pictures, each with the words that its entry may name."""
        entries = [fill(self.entry, picture) for picture in pictures]
        if isinstance(self.body, str):
            text: str = fill(self.body, {**words, "entries": "".join(entries)})
            return text.encode()
        as_text = orjson.dumps(entries).decode()
        body = fill(self.body, {**words, "entries_as_text": as_text})
        return orjson.dumps(_placed(body, {"{entries}": entries, "{first}": entries[0] if entries else None}))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One behaviour: where in the pipeline it strikes, and what the caller then gets."""

    name: str
    imitates: str
    provenance: str
    at: Stage
    respond: Callable[[bytes], Answer] | None
    """Makes the answer from the request's id; without it the answer is made as always, and the rest is done to that."""
    draw: JsonObject = field(default_factory=lambda: {})
    """Fields of the request that the gateway changes on the way to the model."""
    shape: Shape | None = None
    file: FileEffect | None = None
    fault: Fault | None = None
    billed: bool = False
    chaos: bool = False
    """Whether `--chaos` may pick it."""
    text: str = ""
    """The scenario as its file has it."""
    operation: Operation | None = None
    """The operation whose example it is; no other meets it."""


class UnknownScenarioError(ValueError):
    """A request asks for a scenario that doesn't exist."""

    def __init__(self, name: str, known: Iterable[str], place: str) -> None:
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        hint = "the name of a scenario" + (f" (such as {' or '.join(near)})" if near else "")
        self.violation = Violation("header", place, hint, name[:60])
        super().__init__(str(self.violation))


class Scenarios:
    """The catalogue: our files, the description's own examples under their names, and the user's files, later first."""

    def __init__(
        self, operations: Iterable[Operation], folders: Iterable[Path] = (), now: Callable[[], float] = time.time
    ) -> None:
        self._by_name = {scenario.name: scenario for scenario in _read_folder(_FOLDER, now)}
        self._examples: dict[tuple[int, str], Scenario] = {}
        for operation in reversed(list(operations)):
            examples = {scenario.name: scenario for scenario in reversed(list(_from_examples(operation)))}
            self._by_name |= examples
            self._examples |= {(id(operation), name): scenario for name, scenario in examples.items()}
        for folder in folders:
            if not folder.is_dir():
                raise SpecError(f"scenarios: there is no folder {folder}")
            self._by_name |= {scenario.name: scenario for scenario in _read_folder(folder, now)}
        self.chaos = [scenario.name for scenario in self if scenario.chaos]

    def __iter__(self) -> Iterator[Scenario]:
        return (self._by_name[name] for name in sorted(self._by_name))

    def get(self, name: str, place: str) -> Scenario:
        """Return a scenario by name; raises `UnknownScenarioError`, which names `place` as where it was asked for."""
        scenario = self._by_name.get(name)
        if scenario is None:
            raise UnknownScenarioError(name, self._by_name, place)
        return scenario

    def of(self, operation: Operation, scenario: Scenario) -> Scenario | None:
        """Return what an operation meets by a scenario: of an example, only its own of that name."""
        if scenario.operation is None:
            return scenario
        return self._examples.get((id(operation), scenario.name))


def _read_folder(folder: Path, now: Callable[[], float]) -> Iterator[Scenario]:
    validator = jsonschema_rs.Draft202012Validator(read_tree(_FOLDER / "format.json"))
    for path in sorted(folder.glob("*.yaml")):
        yield _read(path, validator, now)


def _read(path: Path, validator: jsonschema_rs.Validator, now: Callable[[], float]) -> Scenario:
    """Return the scenario in a file; raises `SpecError` with every difference from the format."""
    value = read_tree(path)
    violations = differences(validator, value, "scenario")
    if not violations and value["name"] != path.stem:
        violations = [Violation("scenario", "/name", f"the file's name, {path.stem}", value["name"])]
    if violations:
        raise SpecError(f"{path}: {'; '.join(map(str, violations))}")
    at: Stage = value["at"]
    fault = _fault(value)
    draws_or_breaks = at == "after-validation" and (fault is not None or value.get("status", 200) in BILLED)
    return Scenario(
        name=value["name"],
        imitates=value["imitates"],
        provenance=value["provenance"],
        at=at,
        respond=_answer(value, value["name"], now) if "status" in value else None,
        draw=value.get("draw", {}),
        shape=_shape(value["shape"]) if "shape" in value else None,
        file=_file(value["file"], value["name"], now) if "file" in value else None,
        fault=fault,
        billed=value.get("billed", draws_or_breaks),
        chaos=value.get("chaos", False),
        text=path.read_text("utf-8"),
    )


def _answer(value: JsonObject, name: str, now: Callable[[], float]) -> Callable[[bytes], Answer]:
    template = base64.b64decode(value["body-base64"]) if "body-base64" in value else value.get("body", "")
    headers = {key.lower(): text for key, text in value.get("headers", {}).items()}

    def respond(request_id: bytes) -> Answer:
        words = {"request_id": request_id.decode(), "date_in_30s": formatdate(now() + 30, usegmt=True)}
        filled = fill(template, words)
        body = filled if isinstance(filled, bytes) else filled.encode() if isinstance(filled, str) else None
        body = orjson.dumps(filled) if body is None else body
        pairs = [(key.encode(), fill(text, words).encode()) for key, text in headers.items()]
        return Answer(value["status"], pairs, body, f"scenario {name}")

    return respond


def _file(value: JsonObject, name: str, now: Callable[[], float]) -> FileEffect:
    return FileEffect(
        answer=_answer(value, name, now) if "status" in value else None,
        fault=_fault(value),
        times=value.get("times"),
        expired=value.get("expired", False),
        cut=value.get("cut", False),
        least_bytes=value.get("bytes", 0),
    )


def _shape(value: JsonObject) -> Shape:
    headers = {
        "content-type": "application/json",
        **{key.lower(): text for key, text in value.get("headers", {}).items()},
    }
    text = orjson.dumps([value.get("entry"), value["body"]]).decode()
    return Shape(
        status=value.get("status", 200),
        headers=[(key.encode(), each.encode()) for key, each in headers.items()],
        entry=value.get("entry", ""),
        body=value["body"],
        is_inline="{b64" in text,
        is_task="{task}" in text,
    )


def _placed(body: Any, places: dict[str, Any]) -> Any:
    """Return a JSON value in which values stand where a string names their place."""
    if isinstance(body, str):
        return places.get(body, body)
    if is_object(body):
        return {key: _placed(item, places) for key, item in body.items()}
    if is_array(body):
        return [_placed(item, places) for item in body]
    return body


def _fault(value: JsonObject) -> Fault | None:
    kind = value.get("fault")
    if kind is None:
        return None
    usual = 0.0 if not KINDS[kind].waits else _DRIP if kind == "drip" else _STALL
    return Fault(kind, float(value.get("seconds", usual)))


def _from_examples(operation: Operation) -> Iterator[Scenario]:
    for status, response in operation.responses.in_turn():
        at: Stage = "after-auth" if status in (401, 403) else "after-validation"
        billed = status in BILLED and bool(operation.extensions.get("x-billed"))
        for media in response.media.values():
            for example in media.examples.values():
                yield Scenario(
                    name=example.name,
                    imitates=example.summary or f"{operation.operation_id} {status}",
                    provenance=example.provenance,
                    at=at,
                    respond=partial(response.example, status=status, media=media, example=example),
                    billed=billed,
                    chaos=status in (429, 500, 502, 503),
                    text=_as_file(example, at, status, media.name),
                    operation=operation,
                )


def _as_file(example: Example, at: Stage, status: int, media_type: str) -> str:
    """Return a declared example as a scenario's file."""
    body: Any = example.body.decode()
    if media_type.endswith("json"):
        body = orjson.loads(example.body)
    value = {
        "name": example.name,
        "imitates": example.summary,
        "provenance": example.provenance,
        "at": at,
        "status": status,
        "headers": {"Content-Type": media_type},
        "body": body,
    }
    written = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
    return f"# An example of the description.\n{written}"

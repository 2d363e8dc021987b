"""What the contract promises of a client and a mock together: what one sends the other takes, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.checks.check import Broken, Check, Subject
from contract_tests.checks.client import GENERATE
from contract_tests.checks.client_sends import whole_arguments
from contract_tests.contract import document as contract
from contract_tests.contract.requests import body_schema
from contract_tests.contract.walk import cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.contract.document import Json

_OFF = 0.02
"""How far a drawn picture may be from the ratio asked for: pixels are whole."""


def pair_checks() -> Iterator[Check]:
    """Every promise that takes a client and a mock."""
    for path, method, declared in contract.operations():
        name = declared["operationId"]
        here = f"/paths/{contract.escape(path)}/{method}"
        yield Check("pair", name, here, True, "the generated function is answered", _answered(name))
        schema = body_schema(declared)
        if schema is not None:
            for case in cases(schema, f"{here}/requestBody/content/{contract.escape('application/json')}/schema"):
                if isinstance(case.instance, dict) and not case.ok:
                    yield Check(
                        "pair", name, case.rule, False, f"by hand {case}", _refused(name, case.instance, case.where)
                    )
        if name == GENERATE:
            for example in contract.examples():
                if example.status is None:
                    yield Check("pair", name, here, True, f"draws {example.name}", _draws(example.value))


def _answered(name: str) -> Callable[[Subject], Broken | None]:
    values, body = whole_arguments(name)

    def run(subject: Subject) -> Broken | None:
        try:
            subject.client.call(name, values, body, base_url=subject.mock.url)
        except subject.client.sdk.FluxImagesError as error:
            return Broken(
                "a client's request is answered by the mock", f"{name} {values} {body}", "a success", repr(error)
            )
        return None

    return run


def _refused(name: str, body: Json, where: str) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        client = subject.client
        try:
            answer = client.call(name, {}, body, base_url=subject.mock.url)
        except (client.errors.DecodeError, ValueError):
            return None  # the client's own types refuse it
        except client.sdk.BadRequestError as error:
            named = where in str(error)
            return (
                None if named else Broken("a refusal that reaches the caller says where", str(body), where, str(error))
            )
        return Broken("what the contract forbids is refused by one of the two", str(body), "an error", repr(answer))

    return run


def _draws(body: Json) -> Callable[[Subject], Broken | None]:
    def run(subject: Subject) -> Broken | None:
        try:
            return _difference(body, subject.client.open(subject.mock.url))
        except subject.client.sdk.FluxImagesError as error:
            return Broken("the documented request gets pictures", str(body), "pictures", repr(error))

    return run


def _difference(body: Json, opened: Any) -> Broken | None:
    with opened as flux:
        generation = flux.generate(**body)
        image = generation.image
        image.read()
        width, height = map(int, body["aspect_ratio"].split(":"))
        in_ratio = abs(image.width / image.height / (width / height) - 1) < _OFF
        kind = f"image/{body['output_format']}" if "output_format" in body else image.media_type
        facts: dict[str, tuple[Any, Any]] = {
            "as many pictures as were asked for": (body.get("n", 1), len(generation.images)),
            "inside the answer or behind an address, as asked": (
                body.get("response_format", "url"),
                "b64_json" if image.url is None else "url",
            ),
            "in the ratio asked for": (
                body["aspect_ratio"],
                body["aspect_ratio"] if in_ratio else f"{image.width} x {image.height} px",
            ),
            "in the format asked for": (kind, image.media_type),
            "with the id of the request": (True, bool(generation.request_id)),
        }
    for promise, (wanted, got) in facts.items():
        if wanted != got:
            return Broken(promise, str(body), str(wanted), str(got))
    return None

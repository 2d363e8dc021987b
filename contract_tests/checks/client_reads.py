"""What a client makes of answers: the typed value, the typed error, and nothing lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from contract_tests.checks.check import Broken, Run, Subject
from contract_tests.checks.client import wire
from contract_tests.checks.client_sends import whole_arguments
from contract_tests.contract import document as contract

if TYPE_CHECKING:
    from contract_tests.contract.document import Json

ATTRIBUTES = {"x-oneapi-request-id": "request_id", "x-request-id": "request_id", "retry-after": "retry_after"}
"""The attribute of an error in which a header arrives, of those that the SDK reads."""


def reads(name: str, answer: httpx.Response, instance: Any, schema: Json) -> Run:
    """What the contract allows arrives whole: bytes as bytes, a time as the same instant, all else as it stands."""

    def run(subject: Subject) -> Broken | None:
        promise = "an answer that the contract allows is read, and nothing of it is lost"
        where = f"{answer.status_code} {instance!r:.200}"
        try:
            parsed = subject.client.endpoint(name).parse_response(answer).parsed
        except subject.client.errors.ResponseError as error:
            return Broken(promise, where, "the typed answer", repr(error))
        kept = _as_json(parsed)
        return None if contract.same(kept, instance, schema) else Broken(promise, where, str(instance), str(kept))

    return run


def passes_on(name: str, answer: httpx.Response) -> Run:
    """What is of the declared types but out of bounds is no error: it may have been paid for."""

    def run(subject: Subject) -> Broken | None:
        try:
            subject.client.endpoint(name).parse_response(answer)
        except subject.client.errors.ResponseError as error:
            where = f"{answer.status_code} {answer.text:.200}"
            return Broken("an answer of the declared types is read, in bounds or not", where, "the answer", repr(error))
        return None

    return run


def _as_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if hasattr(value, "payload"):
        return value.payload.read()
    return value.to_dict() if hasattr(value, "to_dict") else value


def knows(name: str, answer: httpx.Response, full: Any) -> Run:
    """Every declared property is an attribute of its own, none is left among the undeclared ones."""

    def run(subject: Subject) -> Broken | None:
        parsed = subject.client.endpoint(name).parse_response(answer).parsed
        strangers = sorted(_strangers(parsed))
        promise = "every declared property has a name in the model"
        return None if not strangers else Broken(promise, str(answer.status_code), str(full), f"unknown: {strangers}")

    return run


def _strangers(model: Any) -> set[str]:
    if isinstance(model, list):
        return set().union(*(_strangers(item) for item in model))
    if not hasattr(model, "JSON_NAMES"):
        return set()
    own = set(getattr(model, "additional_properties", ())) if model.JSON_NAMES else set()
    return own.union(*(_strangers(getattr(model, field)) for field in model.JSON_NAMES))


def rejects(name: str, answer: httpx.Response) -> Run:
    """What is not of the declared types is a typed error."""

    def run(subject: Subject) -> Broken | None:
        try:
            parsed = subject.client.endpoint(name).parse_response(answer).parsed
        except subject.client.errors.InvalidBody:
            return None
        where = f"{answer.status_code} {answer.text:.200}"
        return Broken("an answer that the contract forbids is a typed error", where, "InvalidBody", repr(parsed))

    return run


def typed(name: str, status: str, answer: httpx.Response) -> Run:
    """A status arrives as its kind: a success is returned, an error is raised with its status."""
    _, _, declared = contract.operation(name)

    def run(subject: Subject) -> Broken | None:
        known, wanted = subject.client.endpoint(name).OUTCOMES.statuses, set(declared["responses"])
        if known != wanted:
            return Broken("the declared statuses are known", name, str(sorted(wanted)), str(sorted(known)))
        got = _outcome(subject, name, answer)
        raised = getattr(got, "status_code", None)
        if raised == (answer.status_code if answer.status_code >= 400 else None):
            return None
        expected = f"{'an error with' if answer.status_code >= 400 else 'the typed answer of'} {answer.status_code}"
        return Broken("a status arrives as a typed answer or error", f"{name} {status}", expected, repr(got))

    return run


def raises(name: str, answer: httpx.Response) -> Run:
    """An answer whose status the contract does not declare is never a success."""

    def run(subject: Subject) -> Broken | None:
        got = _outcome(subject, name, answer)
        if isinstance(got, subject.client.sdk.FluxImagesError):
            return None
        where = f"{name} {answer.status_code}"
        return Broken("an undeclared status is a typed error", where, "FluxImagesError", repr(got))

    return run


def _outcome(subject: Subject, name: str, answer: httpx.Response) -> Any:
    """What a caller gets for an answer: a value, or the error that was raised."""
    values, body = whole_arguments(name)
    with wire(answer):
        try:
            return subject.client.call(name, values, body)
        except subject.client.sdk.FluxImagesError as error:
            return error


def brings_header(name: str, code: int, header: str, value: str, *, keeps: bool) -> Run:
    """What the SDK reads from a header stands in the error."""
    attribute = ATTRIBUTES[header.lower()]

    def run(subject: Subject) -> Broken | None:
        answer = httpx.Response(code, headers={header: value}, json={"error": {"message": "no"}})
        found = getattr(_outcome(subject, name, answer), attribute, None)
        if (found is not None) == keeps and (found is None or str(found).removesuffix(".0") == value):
            return None
        promise = f"{header} arrives as {attribute} of the error, if it holds something"
        return Broken(promise, f"{name} {code} {header}: {value!r}", value or "None", str(found))

    return run

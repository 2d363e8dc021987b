"""Every declared answer, played by the mock, arrives as the documented type or error."""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import TYPE_CHECKING, Any

import pytest

import flux_images
import flux_images_api.api
from contract_tests.checks.raw_http import post
from contract_tests.contract import document as contract

if TYPE_CHECKING:
    from contract_tests.conftest import Ask, Generate
    from flux_images_mock import MockServer

PATH = "/v1/images/generations"
BODY = json.dumps({"model": "flux-pro-1.1-ultra", "prompt": "a medal"}).encode()
EXAMPLES = [example for example in contract.examples() if example.status]
ERRORS = {row["example"]: row["error"] for row in contract.cases("error_rows") if "example" in row}
SCENARIOS = {row["scenario"]: row["error"] for row in contract.cases("error_rows") if "scenario" in row}
EMPTY = {"empty-object", "data-null", "data-empty", "url-null"}

responses = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def _prefer(example: contract.Example) -> str:
    return f"code={_status(example)}, example={example.name}"


def _status(example: contract.Example) -> int:
    """The status to ask for; a `default` is asked for by one that stands in its example."""
    return 418 if example.status == "default" else int(str(example.status))


@responses
def test_the_mock_answers_with_the_example(example: contract.Example, ask: Ask) -> None:
    """The status, body and headers are the declared ones."""
    answer = ask(post(PATH, [b"Authorization: Bearer sk-key", f"Prefer: {_prefer(example)}".encode()], BODY))
    assert answer.status == _status(example)
    assert json.loads(answer.body) == example.value
    assert answer.headers["content-type"].startswith("application/json")
    _, _, declared = contract.operation(example.operation_id)
    headers = contract.resolve(declared["responses"][example.status])["headers"]
    assert {"x-oneapi-request-id", "x-request-id"} <= {name.lower() for name in headers} & set(answer.headers)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.status == "200"], ids=str)
def test_a_success_arrives_as_a_generation(example: contract.Example, generate: Generate, mock: MockServer) -> None:
    """Pictures arrive as images; a paid call with nothing in it is an error that says so."""
    headers = {"Prefer": _prefer(example)}
    if example.name in EMPTY:
        with pytest.raises(flux_images.EmptyGenerationError) as caught:
            generate(mock.url, "a medal", extra_headers=headers)
        assert caught.value.may_have_been_billed
        return
    generation = generate(mock.url, "a medal", extra_headers=headers)
    assert len(generation.images) == len(example.value["data"])
    assert generation.created == example.value["created"]
    assert generation.request_id
    for image, entry in zip(generation.images, example.value["data"], strict=True):
        assert image.url == (entry.get("url") or None)
        assert image.revised_prompt == (entry.get("revised_prompt") or None)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.status != "200"], ids=str)
def test_an_error_arrives_as_its_class(example: contract.Example, generate: Generate, mock: MockServer) -> None:
    """Each declared error is the class that a caller would branch on, with its parts."""
    with pytest.raises(flux_images.FluxImagesError) as caught:
        generate(mock.url, "a medal", extra_headers={"Prefer": _prefer(example)})
    error = caught.value
    assert type(error).__name__ == ERRORS[example.name], f"{example}: the SDK's error class; it says: {error}"
    assert isinstance(error, flux_images.APIStatusError)
    assert error.status_code == _status(example)
    assert error.code == (example.value["error"].get("code") or None)
    assert error.type == example.value["error"]["type"]
    assert error.request_id


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_arrives_as_its_class(name: str, generate: Generate, mock: MockServer) -> None:
    """Answers that are no JSON arrive as the class that a caller would branch on, too."""
    with pytest.raises(flux_images.FluxImagesError) as caught:
        generate(mock.url, "a medal", extra_headers={"Prefer": f"scenario={name}"})
    assert type(caught.value).__name__ == SCENARIOS[name], f"{name}: the SDK's error class; it says: {caught.value}"


def _endpoints() -> dict[str, Any]:
    """The generated endpoint modules, by name."""
    found: dict[str, Any] = {}
    for tag in pkgutil.iter_modules(flux_images_api.api.__path__):
        package = importlib.import_module(f"flux_images_api.api.{tag.name}")
        for module in pkgutil.iter_modules(package.__path__):
            found[module.name] = importlib.import_module(f"{package.__name__}.{module.name}")
    return found


def test_the_client_has_exactly_the_declared_operations() -> None:
    """Each operation has its module, with the declared method, path and statuses, and there is no other."""
    declared = {
        operation["operationId"]: (f"{method.upper()} {path}", set(operation["responses"]))
        for path, method, operation in contract.operations()
    }
    endpoints = {name: module.OUTCOMES for name, module in _endpoints().items()}
    assert {name: (outcomes.operation, outcomes.statuses) for name, outcomes in endpoints.items()} == declared


def test_every_operation_asks_for_the_bearer() -> None:
    """The scheme is HTTP bearer, the one that the client sends."""
    schemes = contract.document()["components"]["securitySchemes"]
    for _, _, operation in contract.operations():
        for requirement in operation["security"]:
            assert [(schemes[name]["type"], schemes[name]["scheme"]) for name in requirement] == [("http", "bearer")]

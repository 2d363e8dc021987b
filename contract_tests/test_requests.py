"""What the client sends is what the contract takes, and what it refuses the mock refuses too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx

from contract_tests.checks.raw_http import post
from contract_tests.contract import document as contract
from flux_images import FluxImagesError
from flux_images_api import models

if TYPE_CHECKING:
    from contract_tests.conftest import Ask, Generate

BASE = "https://gateway.example"
OPERATION = "create_image"
DEFAULT_MODEL = {"model": "flux-pro-1.1-ultra"}


def _declared() -> tuple[str, str, contract.Json]:
    path, method, declared = contract.operation(OPERATION)
    return path, method.upper(), contract.json_schema(contract.resolve(declared["requestBody"])["content"])


def _send(generate: Generate, call: dict[str, Any]) -> httpx.Request:
    with respx.mock:
        route = respx.route().mock(
            return_value=httpx.Response(200, json={"data": [{"url": "https://p.example/a.png"}]})
        )
        generate(BASE, **call)
    sent: httpx.Request = route.calls.last.request
    assert route.call_count == 1
    return sent


@pytest.mark.parametrize("case", contract.cases("requests"), ids=lambda case: case["name"])
def test_request_is_what_the_contract_declares(case: dict[str, Any], generate: Generate) -> None:
    """Method, path, media type and every key of the body are declared, and the body is valid."""
    path, method, schema = _declared()
    sent = _send(generate, case["call"])
    body = json.loads(sent.content)
    assert (sent.method, sent.url.path, sent.url.query) == (method, path, b"")
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["authorization"] == "Bearer sk-contract"
    assert body == case["body"]
    assert contract.differences(body, schema) == []
    assert contract.undeclared(body, schema) == set(case["call"].get("extra_body", {}))


@pytest.mark.parametrize("case", contract.cases("refused_requests"), ids=lambda case: str(case["call"]))
def test_what_the_contract_refuses_is_never_sent(case: dict[str, Any], generate: Generate) -> None:
    """The SDK names the field at fault and sends nothing."""
    _, _, schema = _declared()
    with respx.mock(assert_all_called=False) as router:
        route = router.route().mock(return_value=httpx.Response(200, json={}))
        with pytest.raises((FluxImagesError, ValueError), match=case["field"]):
            generate(BASE, **case["call"])
    assert not route.called
    if "x-ratio-range" not in contract.resolve(schema)["properties"][case["field"]]:
        assert contract.differences({**DEFAULT_MODEL, **case["call"]}, schema)


@pytest.mark.parametrize("case", contract.cases("refused_requests"), ids=lambda case: str(case["call"]))
def test_what_the_sdk_refuses_the_mock_refuses(case: dict[str, Any], ask: Ask) -> None:
    """The mock answers 400 and points at the same field."""
    path, _, _ = _declared()
    body = json.dumps({**DEFAULT_MODEL, **case["call"]}).encode()
    answer = ask(post(path, [b"Authorization: Bearer sk-key"], body))
    assert answer.status == 400
    assert f"/{case['field']}" in json.loads(answer.body)["error"]["message"]


def test_a_refusal_lists_every_difference(ask: Ask) -> None:
    """Where, what was expected and what was got, for each fault of the body."""
    path, _, _ = _declared()
    body = {"prompt": "", "n": 99, "aspect_ratio": "22:9", "response_format": "gif"}
    answer = ask(post(path, [b"Authorization: Bearer sk-key"], json.dumps(body).encode()))
    message = json.loads(answer.body)["error"]["message"]
    assert answer.status == 400
    assert all(field in message for field in ("model", "/prompt", "/n", "/aspect_ratio", "/response_format"))
    violations = json.loads(answer.headers["x-mock-violations"])
    assert len(violations) == 5
    assert all(set(violation) >= {"where", "expected", "got"} for violation in violations)


def test_a_typed_field_in_extra_body_is_refused(generate: Generate) -> None:
    """A key that has an argument of its own can't be smuggled past its checks."""
    _, _, schema = _declared()
    for name in contract.resolve(schema)["properties"]:
        with pytest.raises((FluxImagesError, ValueError), match=name):
            generate(BASE, "a medal", extra_body={name: "x"})


@pytest.mark.parametrize("name", sorted(contract.document()["components"]["schemas"]))
def test_models_know_exactly_the_declared_properties(name: str) -> None:
    """Each generated model has the contract's properties, under the contract's names, and no other."""
    declared = contract.document()["components"]["schemas"][name].get("properties")
    if declared is None:
        assert set(models.known_model.KNOWN_MODEL_VALUES) == set(
            contract.document()["components"]["schemas"][name]["enum"]
        )
    else:
        assert set(getattr(models, name).JSON_NAMES.values()) == set(declared)

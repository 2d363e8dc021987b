"""Whatever is asked for: what leaves is what the contract declares, and what the contract forbids never leaves."""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract_tests.checks.client_sends import wrong_request
from contract_tests.contract import document as contract
from flux_images import AsyncFluxImages, FluxImages, InvalidRequestError
from flux_images_api import models

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

OPERATION = "create_image"
BASE = "https://gateway.example"
KEY = "sk-contract"
ANSWER = httpx.Response(200, json={"data": [{"url": "https://pictures.example/a.png"}]})
EXAMPLES = int(os.environ.get("FLUX_EXAMPLES", "80"))
"""`make contract-deep` tries more, and others each time."""

_path, _method, _declared = contract.operation(OPERATION)
SCHEMA = contract.json_schema(contract.resolve(_declared["requestBody"])["content"])
FIELDS = contract.resolve(SCHEMA)["properties"]
REQUIRED = set(contract.resolve(SCHEMA)["required"])

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def _near(rules: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values in and around what a field takes, and of any other type."""
    node = contract.resolve(rules)
    strategies: list[st.SearchStrategy[Any]] = [json_values.filter(lambda value: value is not None)]
    if "enum" in node:
        strategies += [st.sampled_from(node["enum"])] * 2
    if node.get("type") == "integer":
        low, high = node.get("minimum", -5), node.get("maximum", 2**70)
        strategies += [st.integers(low - 2, high + 2), st.integers(low, high).map(float), st.integers(low, high)]
    if node.get("type") == "boolean":
        strategies += [st.booleans()] * 2
    if "pattern" in node:
        numbers = st.integers(0, 12000)
        strategies += [st.from_regex(node["pattern"], fullmatch=True), st.builds("{}:{}".format, numbers, numbers)]
        strategies.append(st.builds(lambda width, by: f"{width}:{max(1, width + by)}", numbers, st.integers(-99, 99)))
    return st.one_of(strategies)


def _fields(only_texts: bool) -> st.SearchStrategy[dict[str, Any]]:
    near = {name: _near(rules) for name, rules in FIELDS.items()}
    always = {name: texts.filter(bool) if only_texts else near[name] | texts for name in REQUIRED}
    return st.fixed_dictionaries(always, optional={name: near[name] for name in FIELDS if name not in REQUIRED})


def _sync(fields: dict[str, Any], extra: dict[str, Any]) -> None:
    with FluxImages(KEY, base_url=BASE, max_retries=0) as flux:
        flux.generate(**fields, extra_body=extra)


def _async(fields: dict[str, Any], extra: dict[str, Any]) -> None:
    async def call() -> None:
        async with AsyncFluxImages(KEY, base_url=BASE, max_retries=0) as flux:
            await flux.generate(**fields, extra_body=extra)

    asyncio.run(call())


def _generated_sync(fields: dict[str, Any], extra: dict[str, Any]) -> None:
    endpoint = importlib.import_module("flux_images_api.api.images.create_image")
    with FluxImages(KEY, base_url=BASE, max_retries=0) as flux:
        endpoint.sync(client=flux.api, body=models.CreateImageRequest.from_dict({**extra, **fields}))


def _generated_async(fields: dict[str, Any], extra: dict[str, Any]) -> None:
    endpoint = importlib.import_module("flux_images_api.api.images.create_image")

    async def call() -> None:
        async with AsyncFluxImages(KEY, base_url=BASE, max_retries=0) as flux:
            await endpoint.asyncio(client=flux.api, body=models.CreateImageRequest.from_dict({**extra, **fields}))

    asyncio.run(call())


public = pytest.mark.parametrize("send", [_sync, _async], ids=["sync", "async"])
every = pytest.mark.parametrize(
    "send", [_sync, _async, _generated_sync, _generated_async], ids=["sync", "async", "generated", "generated-async"]
)
extras = st.dictionaries(texts.filter(lambda name: name not in FIELDS), json_values, max_size=3)


@every
@given(fields=_fields(only_texts=True), extra=extras)
@settings(max_examples=EXAMPLES, deadline=None, derandomize="FLUX_EXAMPLES" not in os.environ)
def test_what_leaves_is_what_the_contract_declares(
    send: Callable[[dict[str, Any], dict[str, Any]], None], fields: dict[str, Any], extra: dict[str, Any]
) -> None:
    """Method, path, headers, media type and body; undeclared fields come only from `extra_body`."""
    body = {**extra, **fields}
    if contract.violations(body, SCHEMA):
        return
    with respx.mock(assert_all_called=False) as router:
        route = router.route().mock(return_value=ANSWER)
        send(fields, extra)
    assert route.call_count == 1
    assert wrong_request(OPERATION, route.calls.last.request, {}, body) is None


@public
@given(fields=_fields(only_texts=False), extra=extras)
@example(fields={"model": "m", "prompt": "p", "n": 1.0}, extra={})
@example(fields={"model": "m", "prompt": "p", "n": True}, extra={})
@example(fields={"model": "m", "prompt": "p", "aspect_ratio": "1:1\n"}, extra={})
@settings(max_examples=EXAMPLES, deadline=None, derandomize="FLUX_EXAMPLES" not in os.environ)
def test_the_sdk_refuses_exactly_what_the_contract_refuses(
    send: Callable[[dict[str, Any], dict[str, Any]], None], fields: dict[str, Any], extra: dict[str, Any]
) -> None:
    """On every input the two agree; a refusal names a field at fault, and nothing was sent."""
    found = contract.violations({**extra, **fields}, SCHEMA)
    with respx.mock(assert_all_called=False) as router:
        route = router.route().mock(return_value=ANSWER)
        refused = _refusal(send, fields, extra)
    assert bool(found) == bool(refused), f"the contract says {found}, the SDK {refused!r}"
    assert route.called != bool(refused)


def _refusal(
    send: Callable[[dict[str, Any], dict[str, Any]], None], fields: dict[str, Any], extra: dict[str, Any]
) -> str | None:
    try:
        send(fields, extra)
    except InvalidRequestError as error:
        return str(error)
    return None

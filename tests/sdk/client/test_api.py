"""Every operation of the contract, through `.api`, as careful as `generate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

import flux_images as flux
from flux_images import AsyncFluxImages, FluxImages
from flux_images_api.api.images import create_image
from flux_images_api.contract import OPERATIONS
from flux_images_api.models import ImagesResponse
from tests.sdk.answering import BODY, INLINE, PATH, answering, mocked
from tests.sdk.conftest import KEY


def _call_api(flavour: str, handle: Callable[[httpx.Request], httpx.Response], **options: Any) -> Any:
    """``create_image`` of the generated client, through ``.api``."""
    if flavour == "sync":
        with FluxImages(KEY, http_client=mocked("sync", handle), **options) as client:
            return create_image.sync(client=client.api, body=BODY)

    async def main() -> Any:
        async with AsyncFluxImages(KEY, http_client=mocked("asyncio", handle), **options) as client:
            return await create_image.asyncio(client=client.api, body=BODY)

    return anyio.run(main)


def test_every_operation_works_through_api(flavour: str) -> None:
    """With the same retries, errors and redaction as ``generate``."""
    handle, seen = answering(httpx.Response(429), httpx.Response(200, json=INLINE))
    assert isinstance(_call_api(flavour, handle), ImagesResponse)
    assert len(seen) == 2
    assert seen[1].headers["authorization"] == f"Bearer {KEY}"
    for response, kind, billed in (
        (httpx.Response(401, json={"error": {"message": f"bad {KEY}"}}), flux.AuthenticationError, False),
        (httpx.Response(200, json={"error": {"message": "x"}}), flux.APIStatusError, True),
        (httpx.Response(200, json={"data": 5}), flux.UnexpectedResponseError, True),
        (httpx.Response(200, html="<html>"), flux.UnexpectedResponseError, True),
        (httpx.Response(200, content=b"{"), flux.UnexpectedResponseError, True),
        (httpx.Response(200, content=b'{"a":'), flux.UnexpectedResponseError, True),
    ):
        with pytest.raises(flux.FluxImagesError) as caught:
            _call_api(flavour, answering(response)[0])
        assert type(caught.value) is kind
        assert caught.value.may_have_been_billed is billed
        assert KEY not in str(caught.value.__dict__)


def test_an_operation_that_costs_nothing_retries_as_usual(flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without x-billed, lost answers and server errors are tried again, and nothing may have been billed."""
    free = {"create_image": OPERATIONS["create_image"]._replace(billed=False)}
    monkeypatch.setattr("flux_images_api.contract.OPERATIONS", free)
    from flux_images._send import billing

    billing._operations.cache_clear()
    try:
        handle, seen = answering(httpx.ReadTimeout("x"), httpx.Response(500), httpx.Response(200, json=INLINE))
        _call_api(flavour, handle)
        assert len(seen) == 3
        for last in (httpx.Response(502), httpx.ReadError("x"), httpx.Response(200, json={"data": 5})):
            with pytest.raises(flux.FluxImagesError) as caught:
                _call_api(flavour, answering(last)[0])
            assert not caught.value.may_have_been_billed
    finally:
        billing._operations.cache_clear()


def test_a_path_that_the_contract_does_not_know_may_be_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates match their own paths; anything else is taken for paid."""
    from flux_images._send import billing

    free = OPERATIONS["create_image"]._replace(method="GET", path="/v1/things/{thing_id}/parts", billed=False)
    monkeypatch.setattr("flux_images_api.contract.OPERATIONS", {**OPERATIONS, "free": free})
    billing._operations.cache_clear()
    try:
        for method, path, billed in (
            ("GET", "/v1/things/7/parts", False),
            ("GET", "/proxy/v1/things/7/parts", False),
            ("POST", "/v1/things/7/parts", True),
            ("GET", "/v1/things/7/8/parts", True),
            ("GET", "/v1/things/7/parts/9", True),
            ("GET", "/v1/other", True),
            ("POST", PATH, True),
        ):
            assert billing.is_billed(httpx.Request(method, "https://gateway.example" + path)) is billed
        assert not billing.is_billed_operation("GET /v1/things/{thing_id}/parts")
        assert billing.is_billed_operation("GET /v1/unknown")
    finally:
        billing._operations.cache_clear()


def test_the_generated_client_s_own_options_work() -> None:
    """Headers, cookies and timeouts, without losing the key; and a word where sync and async are mixed up."""
    handle, seen = answering(httpx.Response(200, json=INLINE))
    with FluxImages(KEY, http_client=mocked("sync", handle)) as client:
        api = client.api.with_headers({"X-A": "b"}).with_cookies({"c": "d", "e": "f"}).with_timeout(httpx.Timeout(3))
        create_image.sync(client=api, body=BODY)
        create_image.sync_detailed(client=client.api, body=BODY)
        with pytest.raises(flux.ConfigurationError, match="use AsyncFluxImages"):
            client.api.get_async_httpx_client()
    assert (seen[0].headers["x-a"], seen[0].headers["cookie"]) == ("b", "c=d; e=f")
    assert seen[0].extensions["timeout"]["read"] == 3
    assert "x-a" not in seen[1].headers
    assert {request.headers["authorization"] for request in seen} == {f"Bearer {KEY}"}
    with pytest.raises(flux.ConfigurationError, match="use FluxImages"):
        AsyncFluxImages(KEY).api.get_httpx_client()

"""The clients as people make, share and close them."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
import respx

import flux_images as flux
from flux_images import AsyncFluxImages, FluxImages
from flux_images_api.api.images import create_image
from flux_images_api.contract import SERVER
from flux_images_api.models import ImagesResponse
from tests.sdk.answering import BODY, INLINE, PATH, PNG, answering, mocked
from tests.sdk.conftest import KEY, Buy
from tests.sdk.raw_server import answer, raw_server
from tests.sdk.rows import GOOD_URL


@respx.mock
def test_a_user_s_own_respx_intercepts_everything(buy: Buy) -> None:
    """The default transport is the one that people mock: the call, and the picture."""
    post = respx.post(f"{SERVER}{PATH}").respond(
        json={"data": [{"url": "https://pictures.example/a.png"}, *INLINE["data"]]}
    )
    get = respx.get("https://pictures.example/a.png").respond(content=PNG)
    generation, pictures = buy(None, aspect_ratio="16:9", seed=7)
    assert pictures == [PNG, PNG]
    request = post.calls.last.request
    assert json.loads(request.content) == {
        "model": "flux-pro-1.1-ultra",
        "prompt": "a medal",
        "aspect_ratio": "16:9",
        "seed": 7,
    }
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["user-agent"] == f"flux-images/{flux.__version__}"
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in get.calls.last.request.headers
    assert isinstance(generation.raw, ImagesResponse)
    assert generation.raw.data
    assert generation.raw.data[1].b64_json == f"<{len(PNG)} bytes>"


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
@pytest.mark.parametrize("prefix", ["", "/proxy"])
@pytest.mark.parametrize("given", ["argument", "environment"])
@respx.mock
def test_a_base_url_means_the_same_with_or_without_v1(
    suffix: str, prefix: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever people paste."""
    route = respx.post(f"https://gateway.example{prefix}{PATH}").respond(json=INLINE)
    url = f"https://gateway.example{prefix}{suffix}"
    if given == "environment":
        monkeypatch.setenv("FLUX_BASE_URL", url)
    with FluxImages(KEY, base_url=url if given == "argument" else None) as client:
        client.generate("a medal")
        create_image.sync(client=client.api, body=BODY)
    assert route.call_count == 2
    assert {str(call.request.url) for call in route.calls} == {f"https://gateway.example{prefix}{PATH}"}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("gateway.example", "with its scheme and host"),
        ("ftp://gateway.example", "with its scheme and host"),
        ("https://", "with its scheme and host"),
        ("https://user:pw@gateway.example", "leave user name and password out"),
        ("https://gateway.example/?a=b", "without \\? or #"),
        ("https://gateway.example/#a", "without \\? or #"),
        ("https://gateway.example:port", "not an address"),
        ("http://gateway.example", "allow_insecure=True"),
        ("http://127.0.0.1.gateway.example", "allow_insecure=True"),
        ("http://10.0.0.1", "allow_insecure=True"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, says: str) -> None:
    """Before anything is sent, naming where it came from; plain http would show the key."""
    with pytest.raises(flux.ConfigurationError, match=f"^base_url: .*{says}"):
        FluxImages(KEY, base_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost", "http://a.localhost", "http://[::1]:80"])
def test_plain_http_is_fine_on_this_machine(url: str) -> None:
    """A mock needs no certificate."""
    FluxImages(KEY, base_url=url).close()
    FluxImages(KEY, base_url="http://gateway.example", allow_insecure=True).close()


def test_a_closed_client_says_so(flavour: str) -> None:
    """Before anything is sent, also through ``.api`` and clients of the same pool."""
    if flavour == "sync":
        client = FluxImages(KEY)
        other = client.with_options(max_retries=1)
        client.close()
        for call in (client.generate, other.generate):
            with pytest.raises(flux.ClientClosedError, match="make a new one"):
                call("a medal")
        with pytest.raises(flux.ClientClosedError):
            create_image.sync(client=client.api, body=BODY)
        return

    async def main() -> None:
        client = AsyncFluxImages(KEY)
        await client.close()
        with pytest.raises(flux.ClientClosedError, match="make a new one"):
            await client.generate("a medal")
        with pytest.raises(flux.ClientClosedError):
            await create_image.asyncio(client=client.api, body=BODY)

    anyio.run(main)


def test_options_make_a_new_client_on_the_same_pool() -> None:
    """Time, retries and headers differ; connections are shared; the first stays as it was."""
    handle, seen = answering(httpx.Response(429))
    with FluxImages(KEY, http_client=mocked("sync", handle)) as client:
        other = client.with_options(max_retries=0, timeout=5, headers={"X-Team": "a"}).with_options(
            headers={"X-B": "b"}
        )
        with pytest.raises(flux.RateLimitError):
            other.generate("a medal", extra_headers={"X-Team": "c", "x-own": "d"})
        assert len(seen) == 1
        assert {name: seen[0].headers[name] for name in ("x-team", "x-b", "x-own")} == {
            "x-team": "c",
            "x-b": "b",
            "x-own": "d",
        }
        assert seen[0].extensions["timeout"]["read"] <= 5
        with pytest.raises(flux.RateLimitError):
            client.generate("a medal")
        assert len(seen) == 4
        assert "x-team" not in seen[1].headers
        stages = {stage: math.ceil(limit) for stage, limit in seen[1].extensions["timeout"].items()}
        assert stages == {"connect": 10, "read": 600, "write": 30, "pool": 600}
        with pytest.raises(flux.ConfigurationError, match="Authorization"):
            client.with_options(headers={"authorization": "x"})


def test_a_user_s_client_lends_its_transport_only(flavour: str, buy: Buy) -> None:
    """Its headers, cookies, credentials and redirects reach neither the gateway nor the picture's host."""
    handle, seen = answering(
        httpx.Response(200, json={"data": [{"url": "https://user:pw@pictures.example/a.png"}]}),
        httpx.Response(302, headers={"location": "/b.png", "set-cookie": "a=b"}),
        httpx.Response(200, content=PNG),
    )
    own = mocked(flavour, handle, headers={"X-Own": "1"}, cookies={"c": "d"}, auth=("u", "p"), follow_redirects=True)
    assert buy(None, options={"http_client": own})[1] == [PNG]
    assert [request.headers.get("authorization") for request in seen] == [f"Bearer {KEY}", None, None]
    assert not any({"x-own", "cookie"} & set(request.headers) for request in seen)
    assert [str(request.url) for request in seen[1:]] == [
        "https://pictures.example/a.png",
        "https://pictures.example/b.png",
    ]


def test_a_client_of_the_wrong_kind_is_refused() -> None:
    """At construction, not at the first call."""
    with pytest.raises(flux.ConfigurationError, match=r"expected an httpx.Client, got AsyncClient"):
        FluxImages(KEY, http_client=httpx.AsyncClient())  # type: ignore[arg-type]  # that is the point
    with pytest.raises(flux.ConfigurationError, match=r"expected an httpx.AsyncClient, got Client"):
        AsyncFluxImages(KEY, http_client=httpx.Client())  # type: ignore[arg-type]  # that is the point


def test_a_client_serves_many_threads() -> None:
    """Calls and pictures from eight threads at once stay apart."""
    with raw_server(GOOD_URL, {"/picture.png": [answer(200, PNG)]}) as server:
        server.reply = [answer(200, json.dumps({"data": [{"url": f"{server.url}/picture.png"}]}).encode())]
        results: list[bytes] = []
        with FluxImages(KEY, base_url=server.url) as client:

            def work() -> None:
                results.append(client.generate("a medal").image.read())

            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert results == [PNG] * 8
        assert len(server.posts) == 8


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"timeout": httpx.Timeout(float("nan"))}, "timeout: connect: expected seconds, more than 0, got nan"),
        ({"timeout": httpx.Timeout(5, read=0)}, "timeout: read: expected seconds, more than 0, got 0"),
        ({"timeout": httpx.Timeout(5, pool=-1)}, "timeout: pool: expected seconds, more than 0, got -1"),
        ({"timeout": float("nan")}, "timeout: expected seconds, more than 0, got nan"),
        ({"timeout": "60"}, "timeout: expected seconds, more than 0, got '60'"),
        ({"timeout": True}, "timeout: expected seconds, more than 0, got True"),
        ({"max_retries": 2.5}, "max_retries: expected a whole number, 0 or more, got 2.5"),
        ({"max_retries": "2"}, "max_retries: expected a whole number, 0 or more, got '2'"),
        ({"max_retries": True}, "max_retries: expected a whole number, 0 or more, got True"),
        ({"base_url": b"https://gateway.example"}, "base_url: expected an address as text, got bytes"),
        ({"base_url": 5}, "base_url: expected an address as text, got int"),
        ({"base_url": " "}, "base_url is empty: give the gateway's address"),
    ],
)
@pytest.mark.parametrize("make", [FluxImages, AsyncFluxImages])
def test_an_option_that_cannot_be_used_is_refused(
    make: Callable[..., object], options: dict[str, Any], says: str
) -> None:
    """By both clients, in one sentence, before anything is sent."""
    with pytest.raises(flux.ConfigurationError) as caught:
        make(KEY, **options)
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Host", "Connection", "Content-Encoding"])
def test_a_header_that_frames_the_request_is_refused(name: str, flavour: str, buy: Buy) -> None:
    """A second one would cut the body, or send it elsewhere; nothing is sent."""
    handle, seen = answering(httpx.Response(200, json=INLINE))
    with pytest.raises(flux.ConfigurationError, match=f"the header {name} is made from the address and the body"):
        buy(None, options={"http_client": mocked(flavour, handle)}, extra_headers={name: "1"})
    with pytest.raises(flux.ConfigurationError, match="must be text"):
        buy(None, options={"http_client": mocked(flavour, handle)}, extra_headers={"x": 1})
    assert not seen


def test_an_empty_variable_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the key would go to a host that is not the user's."""
    monkeypatch.setenv("FLUX_BASE_URL", "")
    with pytest.raises(flux.ConfigurationError, match=r"^FLUX_BASE_URL is empty: .* or leave it unset for https://"):
        FluxImages(KEY)


@pytest.mark.parametrize(
    "end", ["", "/", "/v1", "/v1/", "/v1/images", "/v1/images/generations", "/v1/images/generations/"]
)
def test_an_endpoint_s_address_is_trimmed_to_its_base(end: str, flavour: str, buy: Buy) -> None:
    """Whatever a vendor's page prints."""
    handle, seen = answering(httpx.Response(200, json=INLINE))
    buy(f"https://gateway.example/relay{end}", options={"http_client": mocked(flavour, handle)})
    assert str(seen[0].url) == "https://gateway.example/relay/v1/images/generations"


@pytest.mark.parametrize(
    ("timeout", "read", "total"),
    [
        (None, 600, 600),
        (400, 400, 400),
        (5, 5, 5),
        (httpx.Timeout(400), 400, 600),
        (httpx.Timeout(5, read=900), 900, 900),
        (httpx.Timeout(None), 600, 600),
    ],
    ids=str,
)
def test_a_caller_s_bound_reaches_every_stage(timeout: Any, read: int, total: int, flavour: str, buy: Buy) -> None:
    """A silent gateway ends when the caller said, not before; no stage outlives the call."""
    handle, seen = answering(httpx.Response(200, json=INLINE))
    buy(None, options={"http_client": mocked(flavour, handle), "timeout": timeout})
    buy(None, options={"http_client": mocked(flavour, handle)}, timeout=timeout)
    for request in seen:
        stages = request.extensions["timeout"]
        assert math.ceil(stages["read"]) == read
        assert all(0 < limit <= total for limit in stages.values())
    with FluxImages(KEY, timeout=timeout) as client:
        assert client._options.limits.total == total

"""The clients as people use them."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import respx

import flux_images as flux
from flux_images import AsyncFluxImages, ConfigurationError, FluxImages, Retry
from flux_images_api.api.images import create_image
from flux_images_api.contract import OPERATIONS, SERVER
from flux_images_api.models import CreateImageRequest, ImagesResponse
from tests.sdk.conftest import KEY, Buy
from tests.sdk.pictures import picture
from tests.sdk.raw_server import answer, raw_server, stall
from tests.sdk.rows import GOOD_URL, middleware

PNG = picture()
INLINE = {"data": [{"b64_json": base64.b64encode(PNG).decode()}]}
PATH = "/v1/images/generations"
BODY = CreateImageRequest(model="flux", prompt="a medal")


def answering(
    *answers: httpx.Response | Exception,
) -> tuple[Callable[[httpx.Request], httpx.Response], list[httpx.Request]]:
    """A handler that gives these answers in turn, the last for ever; and the requests that it saw."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        given = answers[min(len(seen), len(answers) - 1)]
        seen.append(request)
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, headers=given.headers, content=given.content)

    return handle, seen


def mocked(flavour: str, handle: Callable[[httpx.Request], httpx.Response], **options: Any) -> Any:
    """An ``http_client`` of the right kind."""
    kind = httpx.Client if flavour == "sync" else httpx.AsyncClient
    return kind(transport=httpx.MockTransport(handle), **options)


@pytest.fixture(params=["sync", "asyncio"])
def flavour(request: pytest.FixtureRequest) -> str:
    """Which client."""
    return str(request.param)


@pytest.fixture
def buy(flavour: str) -> Buy:
    """That client's way to buy."""
    from tests.sdk.conftest import BUYERS

    return BUYERS[flavour]


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


def test_fields_pass_through_only_where_they_should(flavour: str, buy: Buy) -> None:
    """Unknown models and fields go as they are; a typed field may not hide in extra_body."""
    handle, seen = answering(httpx.Response(200, json=INLINE))
    buy(None, options={"http_client": mocked(flavour, handle)}, model="flux-9", extra_body={"steps": 4}, n=1)
    assert json.loads(seen[0].content) == {"model": "flux-9", "prompt": "a medal", "n": 1, "steps": 4}
    for fields, says in (
        ({"extra_body": {"seed": 4}}, "pass seed=... instead"),
        ({"extra_body": {"x": {1}}}, "x: cannot be written as JSON"),
        ({"prompt": "\ud800"}, "prompt: cannot be written as JSON"),
        ({"aspect_ratio": "1:0"}, "aspect_ratio: expected"),
        ({"extra_headers": {"Authorization": "x"}}, "pass api_key instead"),
        ({"extra_headers": {"a b": "x"}}, "cannot be sent"),
        ({"extra_headers": {"a": "x\r\ny"}}, "value of the header a"),
        ({"extra_headers": {"a": "é"}}, "value of the header a"),
        ({"timeout": 0}, "timeout: expected seconds, more than 0, got 0"),
        ({"timeout": float("inf")}, "timeout: expected seconds"),
    ):
        with pytest.raises(flux.FluxImagesError, match=says) as caught:
            buy(None, options={"http_client": mocked(flavour, handle)}, **fields)
        assert isinstance(caught.value, ValueError)
        assert not caught.value.may_have_been_billed
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("error", "kind", "billed", "posts"),
    [
        (httpx.PoolTimeout("x"), flux.APITimeoutError, False, 3),
        (httpx.ConnectTimeout("x"), flux.APITimeoutError, False, 3),
        (httpx.ConnectError("x"), flux.APIConnectionError, False, 3),
        (httpx.ProxyError("x"), flux.APIConnectionError, False, 3),
        (httpx.UnsupportedProtocol("x"), flux.APIConnectionError, False, 3),
        (httpx.LocalProtocolError("x"), flux.APIConnectionError, True, 1),
        (httpx.WriteTimeout("x"), flux.APITimeoutError, True, 1),
        (httpx.WriteError("x"), flux.APIConnectionError, True, 1),
        (httpx.ReadTimeout("x"), flux.APITimeoutError, True, 1),
        (httpx.ReadError("x"), flux.APIConnectionError, True, 1),
        (httpx.RemoteProtocolError("x"), flux.APIConnectionError, True, 1),
        (httpx.CloseError("x"), flux.APIConnectionError, True, 1),
    ],
)
def test_every_stage_has_its_error(
    error: httpx.HTTPError, kind: type[flux.FluxImagesError], billed: bool, posts: int, flavour: str, buy: Buy
) -> None:
    """What httpx raises becomes a typed error that knows the bill, chained to it without the key."""
    handle, seen = answering(error)
    with pytest.raises(flux.FluxImagesError) as caught:
        buy(None, options={"http_client": mocked(flavour, handle)})
    assert type(caught.value) is kind
    assert caught.value.may_have_been_billed is billed
    assert len(seen) == posts
    assert caught.value.__cause__ is error
    assert "authorization" not in error.request.headers
    assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in seen)


def test_retries_heal_and_are_told(flavour: str, buy: Buy, caplog: pytest.LogCaptureFixture) -> None:
    """A failed connection and a busy gateway are tried again, and the hook hears of each."""
    told: list[Retry] = []
    handle, seen = answering(httpx.ConnectError("down"), httpx.Response(429), httpx.Response(200, json=INLINE))
    generation, _ = buy(None, options={"http_client": mocked(flavour, handle), "on_retry": told.append})
    assert len(seen) == 3
    assert len(generation.images) == 1
    assert [(type(retry.error), retry.attempt) for retry in told] == [
        (flux.APIConnectionError, 1),
        (flux.RateLimitError, 2),
    ]
    assert all(retry.wait >= 0 for retry in told)
    assert caplog.text.count("trying again in 0.0 s") == 2
    assert "although" not in caplog.text


def test_paying_twice_must_be_asked_for(flavour: str, buy: Buy, caplog: pytest.LogCaptureFixture) -> None:
    """``retry_possibly_billed`` tries lost answers again, and says so in the log."""
    handle, seen = answering(httpx.ReadTimeout("x"), httpx.Response(502), httpx.Response(200, json=INLINE))
    buy(None, options={"http_client": mocked(flavour, handle), "retry_possibly_billed": True})
    assert len(seen) == 3
    assert caplog.text.count("although it may have been billed") == 2


@pytest.mark.parametrize(("retries", "posts"), [(0, 1), (1, 2), (5, 6)])
def test_max_retries_is_kept(retries: int, posts: int, flavour: str, buy: Buy) -> None:
    """Neither more nor fewer."""
    handle, seen = answering(httpx.Response(429))
    with pytest.raises(flux.RateLimitError):
        buy(None, options={"http_client": mocked(flavour, handle), "max_retries": retries})
    assert len(seen) == posts
    with pytest.raises(flux.ConfigurationError, match="max_retries"):
        FluxImages(KEY, max_retries=-1)


def test_the_total_time_bounds_all_attempts(buy: Buy) -> None:
    """A gateway that stays silent, or drips its head or its body, is left when the time is up."""

    stopped = threading.Event()

    def drip(connection: Any) -> None:
        for _ in range(50):
            connection.sendall(b" ")
            if stopped.wait(0.05):
                return

    for reply in (
        (stall,),
        (b"HTTP/1.1 200 OK\r\nX: ", drip),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", drip),
    ):
        stopped.clear()
        with raw_server(reply) as server:
            started = time.monotonic()
            with pytest.raises(flux.APITimeoutError) as caught:
                buy(server.url, timeout=0.3)
            stopped.set()
            assert time.monotonic() - started < 1.5
        assert caught.value.may_have_been_billed
        assert len(server.posts) == 1


def test_stages_can_be_bounded_apart(buy: Buy) -> None:
    """An ``httpx.Timeout`` bounds the stages and leaves the total time as it is."""
    with raw_server((stall,)) as server, pytest.raises(flux.APITimeoutError, match="no answer in time"):
        buy(server.url, timeout=httpx.Timeout(5, read=0.1))


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
        assert seen[1].extensions["timeout"] == {"connect": 10.0, "read": 300.0, "write": 30.0, "pool": 300.0}
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
    from flux_images import _call

    _call._operations.cache_clear()
    try:
        handle, seen = answering(httpx.ReadTimeout("x"), httpx.Response(500), httpx.Response(200, json=INLINE))
        _call_api(flavour, handle)
        assert len(seen) == 3
        for last in (httpx.Response(502), httpx.ReadError("x"), httpx.Response(200, json={"data": 5})):
            with pytest.raises(flux.FluxImagesError) as caught:
                _call_api(flavour, answering(last)[0])
            assert not caught.value.may_have_been_billed
    finally:
        _call._operations.cache_clear()


def test_a_path_that_the_contract_does_not_know_may_be_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates match their own paths; anything else is taken for paid."""
    from flux_images import _call

    free = OPERATIONS["create_image"]._replace(method="GET", path="/v1/things/{thing_id}/parts", billed=False)
    monkeypatch.setattr("flux_images_api.contract.OPERATIONS", {**OPERATIONS, "free": free})
    _call._operations.cache_clear()
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
            assert _call.is_billed(httpx.Request(method, "https://gateway.example" + path)) is billed
        assert not _call.is_billed_operation("GET /v1/things/{thing_id}/parts")
        assert _call.is_billed_operation("GET /v1/unknown")
    finally:
        _call._operations.cache_clear()


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


def test_a_call_is_one_line_in_the_log(
    buy: Buy, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Model, ratio, status, time and request id; the prompt only when asked for; no escape of the gateway's."""
    caplog.set_level(logging.INFO, "flux_images")
    with raw_server(middleware(401, "\x1b[31mno\n")) as server:
        for prompts in (False, True):
            if prompts:
                caplog.set_level(logging.DEBUG, "flux_images")
                monkeypatch.setenv("FLUX_LOG_PROMPTS", "1")
            caplog.clear()
            with pytest.raises(flux.AuthenticationError):
                buy(server.url, "a secret\nmedal", aspect_ratio="1:1", model="flux-9")
            records = [record for record in caplog.records if record.name == "flux_images"]
            line = records[0].getMessage()
            assert f"POST {PATH} model=flux-9 aspect_ratio=1:1 AuthenticationError status=401" in line
            assert line.endswith("request_id=2026112209301512345678abcdefgh")
            assert [record.getMessage() for record in records[1:]] == (["prompt: a secret medal"] if prompts else [])
    assert "\x1b" not in caplog.text


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


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelling_ends_the_request_at_once(backend: str, caplog: pytest.LogCaptureFixture) -> None:
    """The connection closes, the pool is free again, and the log says that it may have been billed."""
    hung_up = threading.Event()

    def wait(connection: Any) -> None:
        stall(connection)
        hung_up.set()

    caplog.set_level(logging.INFO, "flux_images")
    with raw_server((wait,)) as server:
        pool = httpx.AsyncClient(limits=httpx.Limits(max_connections=1))

        async def main() -> None:
            async with AsyncFluxImages(KEY, base_url=server.url, http_client=pool) as client:
                with anyio.move_on_after(0.2) as scope:
                    await client.generate("a medal")
                assert scope.cancelled_caught
                assert hung_up.wait(1)
                server.reply = [answer(200, json.dumps(INLINE).encode())]
                assert await (await client.generate("a medal")).image.read() == PNG

        anyio.run(main, backend=backend)
    assert "cancelled status=-" in caplog.text


def test_a_cancelled_call_says_what_it_may_cost() -> None:
    """As a note on what is raised."""
    from flux_images._call import Call

    with FluxImages(KEY) as client:
        call = Call(httpx.Request("POST", SERVER + PATH), client._config.settings)
    error = KeyboardInterrupt()
    call.cancelled(error)
    assert error.__notes__ == ["flux_images: the request was cancelled on its way; it may have been billed"]


def test_the_certificates_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the first client that needs them; again where the environment names others; not for plain http."""
    from flux_images import _pool

    _pool._read_certificates.cache_clear()
    FluxImages(KEY, base_url="http://127.0.0.1:1").close()
    assert _pool._read_certificates.cache_info().misses == 0
    for _ in range(3):
        FluxImages(KEY, base_url="https://gateway.example").close()
    assert _pool._read_certificates.cache_info().misses == 1
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    FluxImages(KEY, base_url="https://gateway.example").close()
    assert _pool._read_certificates.cache_info().misses == 2
    _pool._read_certificates.cache_clear()


@pytest.mark.parametrize("make", [FluxImages, AsyncFluxImages])
def test_certificates_that_cannot_be_read_are_said_to_be(
    make: type[FluxImages | AsyncFluxImages], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """To the caller; the thread that reads them ahead says nothing."""
    from flux_images import _pool

    _pool._read_certificates.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(ConfigurationError, match=r"certificates cannot be read; look at SSL_CERT_FILE.*No such file"):
        make(KEY, base_url="https://gateway.example")


class _Breaking(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that begins, and then fails as a transport chooses to say it."""

    def __init__(self, error: httpx.HTTPError) -> None:
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield b"{"
        raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{"
        raise self._error


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (httpx.ConnectTimeout("x"), 200, flux.APITimeoutError),
        (httpx.ConnectTimeout("x"), 429, flux.APITimeoutError),
        (httpx.ConnectError("x"), 200, flux.UnexpectedResponseError),
        (httpx.PoolTimeout("x"), 200, flux.APITimeoutError),
        (httpx.ReadError("x"), 200, flux.UnexpectedResponseError),
        (httpx.ReadError("x"), 401, flux.AuthenticationError),
    ],
)
def test_once_an_answer_began_it_may_have_been_billed(
    error: httpx.HTTPError, status: int, kind: type[flux.FluxImagesError], flavour: str, buy: Buy
) -> None:
    """Whatever a transport calls what broke the body off; it is sent once."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, stream=_Breaking(error))

    with pytest.raises(flux.FluxImagesError) as caught:
        buy(None, options={"http_client": mocked(flavour, handle)})
    assert type(caught.value) is kind
    assert caught.value.may_have_been_billed
    assert len(seen) == 1
    assert caught.value.__cause__ is error
    assert "authorization" not in error.request.headers


def test_an_echoed_key_goes_no_further(flavour: str, buy: Buy) -> None:
    """Whether in the target of a redirect or in a header so broken that the parser quotes it."""
    redirect = httpx.Response(302, headers={"location": f"https://elsewhere.example/?k={KEY}"})
    with pytest.raises(flux.APIStatusError) as moved:
        buy(None, options={"http_client": mocked(flavour, answering(redirect)[0])})
    assert "https://elsewhere.example/?k=***" in str(moved.value)
    with (
        raw_server([f"HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n".encode()]) as server,
        pytest.raises(flux.APIConnectionError, match=r"illegal header line: .*\*\*\*") as broken,
    ):
        buy(server.url)
    assert KEY not in "".join(traceback.format_exception(broken.value))

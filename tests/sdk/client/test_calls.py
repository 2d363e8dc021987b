"""What becomes of one call: its fields, its errors, its retries, its time, its line in the log."""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpx
import pytest

import flux_images as flux
from flux_images import AsyncFluxImages, FluxImages, Retry
from flux_images_api.contract import SERVER
from tests.sdk.answering import INLINE, PATH, PNG, answering, mocked
from tests.sdk.conftest import KEY, Buy
from tests.sdk.raw_server import answer, raw_server, stall
from tests.sdk.rows import middleware


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
    from flux_images._send.loop import Call

    with FluxImages(KEY) as client:
        call = Call(httpx.Request("POST", SERVER + PATH), client._options)
    error = KeyboardInterrupt()
    call.cancelled(error)
    assert error.__notes__ == ["flux_images: the request was cancelled on its way; it may have been billed"]


@pytest.mark.parametrize("error", [OSError("disk"), RuntimeError("loop is closed"), ValueError("x"), KeyError("k")])
def test_whatever_a_transport_raises_is_typed(error: Exception, flavour: str, buy: Buy) -> None:
    """The request may have left: it may have been billed, and is sent once."""
    handle, seen = answering(error)
    with pytest.raises(flux.APIConnectionError) as caught:
        buy(None, options={"http_client": mocked(flavour, handle)})
    assert caught.value.may_have_been_billed
    assert caught.value.__cause__ is error
    assert len(seen) == 1


def test_a_circle_of_errors_ends(flavour: str, buy: Buy) -> None:
    """Each the cause of the other, as respx makes them: the key is taken out of all, and no more."""
    first, second = httpx.ReadError(f"a {KEY}"), httpx.ReadError(f"b {KEY}")
    first.__cause__, second.__cause__ = second, first
    handle, _ = answering(first)
    with pytest.raises(flux.APIConnectionError) as caught:
        buy(None, options={"http_client": mocked(flavour, handle)})
    assert KEY not in f"{caught.value}{first}{second}"


def test_an_interrupted_call_says_what_it_may_cost() -> None:
    """Ctrl-C while the picture is drawn."""

    def interrupt(_: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    with FluxImages(KEY, http_client=mocked("sync", interrupt)) as client, pytest.raises(KeyboardInterrupt) as caught:
        client.generate("a medal")
    assert "may have been billed" in caught.value.__notes__[0]


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

"""Whatever is raised once a request began to leave arrives as one typed error that knows the bill."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import h11
import httpx
import pytest
import respx

import flux_images as flux
from flux_images import FluxImages
from flux_images._request.options import Limits
from flux_images._send.retry import wait_before_next
from tests.sdk.answering import INLINE, PNG, answering, mocked
from tests.sdk.conftest import KEY, Buy
from tests.sdk.raw_server import raw_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    pass

GATEWAY = "https://gateway.example"
POST = f"{GATEWAY}/v1/images/generations"
PASSWORD = "pw-of-the-proxy"


class ForeignError(Exception):
    """An error of a user's own, which keeps what it was given."""

    def __init__(self, request: httpx.Request | None = None) -> None:
        super().__init__(f"no luck with {KEY} at http://me:{PASSWORD}@proxy.example/x?sig=s3cret", KEY.encode())
        self.request = request
        self.echo = KEY


@pytest.mark.parametrize(
    ("error", "kind", "billed", "posts"),
    [
        (OSError("x"), flux.APIConnectionError, True, 1),
        (ValueError("x"), flux.APIConnectionError, True, 1),
        (RuntimeError("Event loop is closed"), flux.APIConnectionError, True, 1),
        (h11.RemoteProtocolError("x"), flux.APIConnectionError, True, 1),
        (TimeoutError("x"), flux.APITimeoutError, True, 1),
        (ExceptionGroup("x", [OSError("y")]), flux.APIConnectionError, True, 1),
        (httpx.StreamConsumed(), flux.APIConnectionError, True, 1),
        (ForeignError(), flux.APIConnectionError, True, 1),
        (ConnectionRefusedError("x"), flux.APIConnectionError, False, 3),
        (socket.gaierror("x"), flux.APIConnectionError, False, 3),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_user_s_transport_may_raise_anything(
    error: Exception, kind: type[flux.FluxImagesError], billed: bool, posts: int, flavour: str, buy: Buy
) -> None:
    """Its class, its bill and the host; no secret in it or behind it."""
    handle, seen = answering(error)
    with pytest.raises(flux.FluxImagesError) as caught:
        buy(GATEWAY, options={"http_client": mocked(flavour, handle)})
    assert (type(caught.value), caught.value.may_have_been_billed, len(seen)) == (kind, billed, posts)
    assert "gateway.example" in str(caught.value)
    assert caught.value.__cause__ is error
    for secret in (KEY, PASSWORD, "s3cret"):
        assert secret not in str(caught.value) + repr(error) + repr(vars(error))


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A whole body, whose end goes wrong."""

    def __init__(self, error: Exception, data: bytes, *, closing: bool) -> None:
        self.error, self.data, self.closing = error, data, closing

    def __iter__(self) -> Any:
        yield self.data
        if not self.closing:
            raise self.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.data
        if not self.closing:
            raise self.error

    def close(self) -> None:
        if self.closing:
            raise self.error

    async def aclose(self) -> None:
        self.close()


@pytest.mark.parametrize(
    "error", [OSError("x"), RuntimeError("x"), ForeignError()], ids=lambda error: type(error).__name__
)
@pytest.mark.parametrize("closing", [False, True], ids=["reading", "closing"])
def test_what_breaks_an_answer_off_loses_no_picture(error: Exception, closing: bool, flavour: str, buy: Buy) -> None:
    """Whole pictures are handed out; what is cut is typed, billed and sent once."""
    whole = httpx.Response(200, json=INLINE).content
    posts = 0
    data = whole

    def handle(_: httpx.Request) -> httpx.Response:
        nonlocal posts
        posts += 1
        return httpx.Response(200, stream=_Body(error, data, closing=closing))

    assert buy(GATEWAY, options={"http_client": mocked(flavour, handle)})[1] == [PNG]
    data = whole[:30]
    with pytest.raises(flux.UnexpectedResponseError) as caught:
        buy(GATEWAY, options={"http_client": mocked(flavour, handle)})
    assert caught.value.may_have_been_billed
    assert KEY not in str(caught.value)
    assert posts == 2


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize(
    ("status", "kind"), [(401, flux.AuthenticationError), (429, flux.RateLimitError), (504, flux.GatewayTimeoutError)]
)
def test_a_hook_that_raises_for_a_status_is_read_as_that_status(
    status: int, kind: type[flux.APIStatusError], reads: bool, flavour: str, buy: Buy
) -> None:
    """With its body where the hook has read it; else nobody knows what it said of the bill."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, stream=httpx.ByteStream(b'{"error":{"message":"boom","code":"c7"}}'))

    def hook(response: httpx.Response) -> None:
        if reads:
            response.read()
        response.raise_for_status()

    async def async_hook(response: httpx.Response) -> None:
        if reads:
            await response.aread()
        response.raise_for_status()

    client = mocked(flavour, handle, event_hooks={"response": [hook if flavour == "sync" else async_hook]})
    with pytest.raises(flux.APIStatusError) as caught:
        buy(GATEWAY, options={"http_client": client, "max_retries": 0})
    assert type(caught.value) is kind
    assert caught.value.code == ("c7" if reads else None)
    assert caught.value.may_have_been_billed is (status == 504 or not reads)
    assert len(seen) == 1


def test_a_hook_s_own_error_keeps_no_request_with_the_key(flavour: str, buy: Buy) -> None:
    """Its message, arguments and attributes are cleaned as well."""
    errors: list[ForeignError] = []

    def hook(response: httpx.Response) -> None:
        errors.append(ForeignError(response.request))
        raise errors[0]

    async def async_hook(response: httpx.Response) -> None:
        hook(response)

    client = mocked(
        flavour,
        answering(httpx.Response(200, json=INLINE))[0],
        event_hooks={"response": [hook if flavour == "sync" else async_hook]},
    )
    with pytest.raises(flux.APIConnectionError) as caught:
        buy(GATEWAY, options={"http_client": client})
    assert caught.value.may_have_been_billed
    (error,) = errors
    assert error.request is not None
    assert "authorization" not in error.request.headers
    assert KEY not in repr(error) + repr(vars(error)) + str(caught.value)


def test_a_chain_that_is_a_circle_ends(flavour: str, buy: Buy) -> None:
    """respx makes one whenever a side effect raises."""
    with respx.mock as router:
        post = router.post(POST).mock(side_effect=httpx.ReadTimeout)
        with pytest.raises(flux.APITimeoutError) as caught:
            buy(GATEWAY)
        assert caught.value.may_have_been_billed
        assert post.call_count == 1
    first, second = OSError("a"), OSError("b")
    first.__context__, second.__context__ = second, first
    with pytest.raises(flux.APIConnectionError):
        buy(GATEWAY, options={"http_client": mocked(flavour, answering(first)[0])})


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_says_what_it_may_cost(interrupt: type[BaseException]) -> None:
    """Ctrl-C, and what a signal's handler raises, as cancelling does."""

    def handle(_: httpx.Request) -> httpx.Response:
        raise interrupt

    with (
        FluxImages(KEY, base_url=GATEWAY, http_client=mocked("sync", handle)) as client,
        pytest.raises(interrupt) as caught,
    ):
        client.generate("a medal")
    assert caught.value.__notes__ == ["flux_images: the request was cancelled on its way; it may have been billed"]


def test_a_client_closed_while_a_retry_waits_says_so(flavour: str, buy: Buy) -> None:
    """Nothing more is sent."""
    handle, seen = answering(httpx.Response(429))
    client = mocked(flavour, handle)

    def close(_: flux.Retry) -> None:
        client._state = httpx._client.ClientState.CLOSED

    with pytest.raises(flux.ClientClosedError):
        buy(GATEWAY, options={"http_client": client, "on_retry": close})
    assert len(seen) == 1


def test_what_an_earlier_attempt_may_have_cost_is_not_forgotten(flavour: str, buy: Buy) -> None:
    """Where the last one was surely free."""
    handle, seen = answering(httpx.ReadTimeout("x"), httpx.Response(401))
    with pytest.raises(flux.AuthenticationError) as caught:
        buy(GATEWAY, options={"http_client": mocked(flavour, handle), "retry_possibly_billed": True})
    assert caught.value.may_have_been_billed
    assert len(seen) == 2


def test_every_connection_error_names_the_host(way: Buy) -> None:
    """On every way of calling: one that was never made, one that broke, one that took too long."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = f"127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(flux.APIConnectionError, match=dead) as refused:
        way(f"http://{dead}", options={"max_retries": 0})
    assert not refused.value.may_have_been_billed
    with raw_server(()) as server, pytest.raises(flux.APIConnectionError, match=server.url[7:]) as broken:
        way(server.url)
    assert broken.value.may_have_been_billed


def test_what_cannot_heal_is_not_tried_again() -> None:
    """A certificate that does not verify will not verify in a second."""
    error = flux.APIConnectionError("x")
    assert wait_before_next(Limits(), error, 1, 0.0) is not None
    error.can_heal = False
    assert wait_before_next(Limits(), error, 1, 0.0) is None

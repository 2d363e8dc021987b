"""Pictures on their way: fetched with suspicion, without a key, as often as it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

import flux_images as flux
from flux_images._picture import download
from tests.sdk.answering import PNG, PUBLIC, buy_with, by_url, gateway
from tests.sdk.conftest import BUYERS, Buy
from tests.sdk.raw_server import answer, raw_server, stall


def test_a_paid_picture_can_be_fetched_after_closing(flavour: str) -> None:
    """The client's end is not the picture's."""
    with raw_server(pictures={"/a.png": [answer(200, PNG)]}) as server:
        server.reply = by_url(f"{server.url}/a.png")
        generation, _ = BUYERS[flavour](server.url, read=False)
        image: Any = generation.image
        assert (image.read() if flavour == "sync" else anyio.run(image.read)) == PNG


def test_a_picture_of_a_closed_client_of_the_user_says_so(flavour: str) -> None:
    """Nothing goes past the transport that the user gave."""
    transport, seen = gateway(PUBLIC)
    kind: Callable[..., Any] = httpx.Client if flavour == "sync" else httpx.AsyncClient
    generation, _ = BUYERS[flavour](None, options={"http_client": kind(transport=transport)}, read=False)
    image: Any = generation.image
    with pytest.raises(flux.ClientClosedError, match="before closing it"):
        image.read() if flavour == "sync" else anyio.run(image.read)
    assert len(seen) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.png",
        "http://localhost:1/a.png",
        "https://10.1.2.3/a.png",
        "https://192.168.0.1/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/a.png",
        "http://[fd00::1]/a.png",
        "http://[fe80::1]/a.png",
        "http://[::ffff:127.0.0.1]/a.png",
        "http://0.0.0.0/a.png",
    ],
)
@pytest.mark.parametrize("redirected", [False, True], ids=["given", "by redirect"])
def test_a_public_gateway_may_not_give_private_addresses(url: str, redirected: bool, flavour: str) -> None:
    """Directly or by a redirect; unless it is allowed."""
    steps = [PUBLIC, httpx.Response(302, headers={"location": url})] if redirected else []
    transport, seen = gateway(
        *steps or [httpx.Response(200, json={"data": [{"url": url}]})], httpx.Response(200, content=PNG)
    )
    with pytest.raises(flux.ImageDownloadError, match="allow_local_images=True"):
        buy_with(flavour, transport)
    assert len(seen) == (2 if redirected else 1)
    seen.clear()
    assert buy_with(flavour, transport, allow_local_images=True) == [PNG]


def test_a_name_that_leads_to_a_private_address_is_refused(flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After DNS, before a byte is sent: the connection's own peer is looked at."""
    with raw_server(pictures={"/a.png": [answer(200, PNG)]}) as server:
        port = httpx.URL(server.url).port
        server.reply = by_url(f"http://localtest:{port}/a.png")
        monkeypatch.setattr("flux_images._request.options.is_private", lambda _: False)
        resolve = __import__("socket").getaddrinfo

        def lookup(host: Any, *rest: Any, **options: Any) -> Any:
            return resolve("127.0.0.1" if host in ("localtest", b"localtest") else host, *rest, **options)

        monkeypatch.setattr("socket.getaddrinfo", lookup)
        with pytest.raises(flux.ImageDownloadError, match=r"private network \(127.0.0.1\)"):
            BUYERS[flavour](server.url)
        assert not server.gets
        assert BUYERS[flavour](server.url, options={"allow_local_images": True})[1] == [PNG]


def test_a_proxy_s_own_address_is_not_the_picture_s(flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy on this machine may fetch public pictures."""
    with raw_server() as gateway_server, raw_server() as proxy:
        proxy.pictures["http://pictures.example/a.png"] = [answer(200, PNG)]
        gateway_server.reply = by_url("http://pictures.example/a.png")
        monkeypatch.setattr("flux_images._request.options.is_private", lambda _: False)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert BUYERS[flavour](gateway_server.url)[1] == [PNG]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://pictures.example/a.png", "is not http"),
        ("file:///etc/passwd", "is not http"),
        ("https://", "is not http"),
        ("http://pictures.example:port/", "an address that is none"),
        ("\x1b[31m", "is not http|an address that is none"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, says: str, flavour: str) -> None:
    """Other schemes, and no address at all."""
    transport, seen = gateway(httpx.Response(200, json={"data": [{"url": url}]}))
    with pytest.raises(flux.ImageDownloadError, match=says) as caught:
        buy_with(flavour, transport)
    assert "\x1b" not in str(caught.value)
    assert len(seen) == 1


@pytest.mark.parametrize(
    "first",
    [httpx.ReadError("x"), httpx.ReadTimeout("x"), httpx.Response(503), httpx.Response(429), httpx.Response(408)],
)
def test_fetching_is_free_and_tried_again(first: Any, flavour: str) -> None:
    """Where a second attempt can help."""
    transport, seen = gateway(PUBLIC, first, httpx.Response(200, content=PNG))
    assert buy_with(flavour, transport) == [PNG]
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("answers", "gets", "says", "status"),
    [
        ([httpx.ConnectError("no\nroute")], 6, "broke off: no route", None),
        ([httpx.ReadTimeout("")], 6, "broke off: ReadTimeout", None),
        ([httpx.Response(500)], 6, "answers 500; the picture was paid for", 500),
        *[
            ([httpx.Response(status)], gets, f"answers {status}: it has expired", status)
            for status, gets in ((401, 6), (403, 6), (404, 6), (410, 1))
        ],
        ([httpx.Response(418)], 1, "answers 418", 418),
        ([httpx.Response(302, headers={"location": "/a"})], 6, "more than 5 times", None),
        ([httpx.Response(302, headers={"location": "http://a:port/"})], 6, "Invalid URL in location", None),
        ([httpx.Response(302, headers={"location": "ftp://a/"})], 1, "is not http", None),
        ([httpx.Response(302)], 1, "answers 302", 302),
        ([httpx.Response(200, content=b"\0" * 101)], 1, "larger than 100 bytes", None),
    ],
)
def test_a_failed_fetch_says_that_the_picture_is_paid_for(
    answers: list[Any], gets: int, says: str, status: int | None, flavour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, redirects, size and connection: one line, and never "not billed"."""
    monkeypatch.setattr(download, "MAX_BYTES", 100)
    transport, seen = gateway(PUBLIC, *answers)
    with pytest.raises(flux.ImageDownloadError) as caught:
        buy_with(flavour, transport)
    assert says in str(caught.value)
    assert caught.value.may_have_been_billed
    assert caught.value.status_code == status
    assert caught.value.generation is not None
    assert len(seen) == 1 + gets


def test_five_redirects_are_followed_without_cookies(flavour: str) -> None:
    """And each request is made from nothing but the address."""
    hop = httpx.Response(307, headers={"location": "?next", "set-cookie": "a=b; Path=/"})
    transport, seen = gateway(PUBLIC, hop, hop, hop, hop, hop, httpx.Response(200, content=PNG))
    assert buy_with(flavour, transport) == [PNG]
    assert len(seen) == 7
    assert {name for request in seen[1:] for name in request.headers} == {"host", "user-agent", "accept"}


def test_the_size_limit_itself_is_allowed(flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of exactly that many bytes arrives."""
    monkeypatch.setattr(download, "MAX_BYTES", len(PNG))
    assert buy_with(flavour, gateway(PUBLIC, httpx.Response(200, content=PNG))[0]) == [PNG]


def test_a_fetch_has_its_time(buy: Buy) -> None:
    """A host that stays silent is left when the total time is up."""
    with raw_server(pictures={"/a.png": [stall]}) as server:
        server.reply = by_url(f"{server.url}/a.png")
        with pytest.raises(flux.ImageDownloadError):
            buy(server.url, options={"timeout": 0.3})

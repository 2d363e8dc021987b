"""Pictures in hand: fetched with suspicion, looked at to the end, saved whole."""

from __future__ import annotations

import base64
import io
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

import flux_images as flux
from flux_images import AsyncFluxImages, FluxImages, _download
from tests.sdk.conftest import BUYERS, KEY, Buy
from tests.sdk.pictures import picture
from tests.sdk.raw_server import Reply, answer, raw_server, stall

PNG = picture()
JPEG = picture("JPEG")


def inline(*files: bytes) -> Reply:
    """An answer with these files inside."""
    data = [{"b64_json": base64.b64encode(file).decode()} for file in files]
    return [answer(200, json.dumps({"data": data}).encode(), "x-request-id: r1")]


def by_url(*urls: str) -> Reply:
    """An answer with these addresses."""
    return [answer(200, json.dumps({"data": [{"url": url} for url in urls]}).encode(), "x-request-id: r1")]


def gateway(*answers: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A transport that gives these answers in turn, the last for ever."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        given = answers[min(len(seen), len(answers) - 1)]
        seen.append(request)
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, headers=given.headers, content=given.content)

    return httpx.MockTransport(handle), seen


PUBLIC = httpx.Response(200, json={"data": [{"url": "https://pictures.example/a.png?sig=s3cret"}]})


@pytest.fixture(params=["sync", "asyncio"])
def flavour(request: pytest.FixtureRequest) -> str:
    """Which client."""
    return str(request.param)


def buy_with(flavour: str, transport: httpx.MockTransport, **options: Any) -> list[bytes]:
    """Buy at a public gateway, through this transport."""
    kind: Callable[..., Any] = httpx.Client if flavour == "sync" else httpx.AsyncClient
    return BUYERS[flavour](None, options={"http_client": kind(transport=transport), **options})[1]


@pytest.mark.parametrize(("file", "kind", "suffix"), [(PNG, "png", ".png"), (JPEG, "jpeg", ".jpg")])
def test_a_picture_knows_itself(file: bytes, kind: str, suffix: str, tmp_path: Path) -> None:
    """Type, size and prompt; it saves itself, and shows itself in a notebook and in Pillow."""
    with raw_server(inline(file)) as server, FluxImages(KEY, base_url=server.url) as client:
        generation = client.generate("a medal")
        image = generation.image
        assert repr(image) == "<Image inline>"
        assert (image.media_type, image.width, image.height) == (f"image/{kind}", 24, 16)
        assert (image.url, image.revised_prompt) == (None, None)
        assert image.save(tmp_path / "medal") == tmp_path / f"medal{suffix}"
        assert (tmp_path / f"medal{suffix}").read_bytes() == image.read() == file
        assert image._repr_png_() == (file if kind == "png" else None)
        assert image._repr_jpeg_() == (file if kind == "jpeg" else None)
        assert image.to_pil().size == (24, 16)
        assert repr(image) == f"<Image inline, image/{kind}, 24x16>"
        assert repr(generation) == "<Generation of 1 pictures, request id r1>"
        with pytest.raises(FileExistsError):
            image.save(tmp_path / "medal")
        image.save(tmp_path / "medal", overwrite=True)


def test_an_awaited_picture_knows_itself_once_it_is_here(tmp_path: Path) -> None:
    """Before, it says what to await."""
    with raw_server(pictures={"/a.png": [answer(200, PNG)]}) as server:
        server.reply = by_url(f"{server.url}/a.png?sig=s3cret")

        async def main() -> None:
            async with AsyncFluxImages(KEY, base_url=server.url) as client:
                image = (await client.generate("a medal")).image
                with pytest.raises(flux.FluxImagesError, match="await its read"):
                    _ = image.width
                assert image._repr_png_() is None
                assert image._repr_jpeg_() is None
                assert await image.save(tmp_path / "a") == tmp_path / "a.png"
                assert (image.media_type, image.width, image.height) == ("image/png", 24, 16)
                assert image._repr_png_() == PNG
                assert image._repr_jpeg_() is None
                assert (await image.to_pil()).size == (24, 16)
                assert "s3cret" not in repr(image)

        anyio.run(main)
        assert len(server.gets) == 1


def test_a_picture_is_fetched_once_and_when_needed() -> None:
    """Not by ``generate``, and not twice."""
    with raw_server(pictures={"/a.png": [answer(200, PNG)]}) as server, FluxImages(KEY, base_url=server.url) as client:
        server.reply = by_url(f"{server.url}/a.png")
        image = client.generate("a medal").image
        assert not server.gets
        assert image.width == 24
        assert image._repr_png_() == image.read() == PNG
        assert image._repr_jpeg_() is None
        assert len(server.gets) == 1


def test_pillow_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is missing."""
    with raw_server(inline(PNG)) as server, FluxImages(KEY, base_url=server.url) as client:
        image = client.generate("a medal").image
        monkeypatch.setitem(sys.modules, "PIL", None)
        monkeypatch.setitem(sys.modules, "PIL.Image", None)
        with pytest.raises(ImportError, match=r"flux-images\[pillow\]"):
            image.to_pil()


def test_a_broken_picture_never_lands(tmp_path: Path) -> None:
    """From inside the answer or from an address, whichever way it is asked for."""
    with (
        raw_server(inline(PNG[:-5]), {"/a.png": [answer(200, PNG[:-5])]}) as server,
        FluxImages(KEY, base_url=server.url) as client,
    ):
        image = client.generate("a medal").image
        for ask in (image.read, lambda: image.save(tmp_path / "a.png"), lambda: image.width, image._repr_png_):
            with pytest.raises(flux.UnexpectedResponseError, match="cut short") as caught:
                ask()
            assert caught.value.request_id == "r1"
            assert caught.value.may_have_been_billed
        server.reply = by_url(f"{server.url}/a.png")
        generation = client.generate("a medal")
        for ask in (generation.image.read, lambda: generation.image.save(tmp_path / "a.png")):
            with pytest.raises(flux.ImageDownloadError, match="cut short") as failed:
                ask()
            assert failed.value.generation is generation
            assert failed.value.request_id == "r1"
        server.pictures["/a.png"] = [answer(200, PNG)]
        assert failed.value.generation is not None
        assert generation.image.read() == PNG
    assert list(tmp_path.iterdir()) == []
    assert len(server.gets) == 3


def test_a_target_is_judged_before_the_fetch(tmp_path: Path, flavour: str) -> None:
    """A name that is taken costs no download."""
    (tmp_path / "a.png").touch()
    with raw_server() as server:
        server.reply = by_url(f"{server.url}/a.png")
        if flavour == "sync":
            with FluxImages(KEY, base_url=server.url) as client, pytest.raises(FileExistsError):
                client.generate("a medal").image.save(tmp_path / "a.png")
        else:

            async def main() -> None:
                async with AsyncFluxImages(KEY, base_url=server.url) as client:
                    with pytest.raises(FileExistsError):
                        await (await client.generate("a medal")).image.save(tmp_path / "a.png")

            anyio.run(main)
        assert not server.gets


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


def test_generations_pickle_without_the_key(flavour: str) -> None:
    """With what was read; what was not is fetched afresh by whoever unpickles it."""
    with raw_server(inline(PNG), {"/a.png": [answer(200, PNG)]}) as server:
        for reply in (inline(PNG), by_url(f"{server.url}/a.png")):
            server.reply = reply
            generation, _ = BUYERS[flavour](server.url, read=False)
            packed = pickle.dumps(generation)
            assert KEY.encode() not in packed
            image: Any = pickle.loads(packed).image
            assert (image.read() if flavour == "sync" else anyio.run(image.read)) == PNG


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
        monkeypatch.setattr("flux_images._config.is_private", lambda _: False)
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
        monkeypatch.setattr("flux_images._config.is_private", lambda _: False)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert BUYERS[flavour](gateway_server.url)[1] == [PNG]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://pictures.example/a.png", "is not http"),
        ("file:///etc/passwd", "is not http"),
        ("/a.png", "is not http"),
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
        ([httpx.ConnectError("no\nroute")], 3, "broke off: no route", None),
        ([httpx.ReadTimeout("")], 3, "broke off: ReadTimeout", None),
        ([httpx.Response(500)], 3, "answers 500; the picture was paid for", 500),
        *[
            ([httpx.Response(status)], 1, f"answers {status}: it has expired", status)
            for status in (401, 403, 404, 410)
        ],
        ([httpx.Response(418)], 1, "answers 418", 418),
        ([httpx.Response(302, headers={"location": "/a"})], 6, "more than 5 times", None),
        ([httpx.Response(302, headers={"location": "http://a:port/"})], 3, "Invalid URL in location", None),
        ([httpx.Response(302, headers={"location": "ftp://a/"})], 1, "is not http", None),
        ([httpx.Response(302)], 1, "answers 302", 302),
        ([httpx.Response(200, content=b"\0" * 101)], 1, "larger than 100 bytes", None),
    ],
)
def test_a_failed_fetch_says_that_the_picture_is_paid_for(
    answers: list[Any], gets: int, says: str, status: int | None, flavour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, redirects, size and connection: one line, and never "not billed"."""
    monkeypatch.setattr(_download, "MAX_BYTES", 100)
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
    monkeypatch.setattr(_download, "MAX_BYTES", len(PNG))
    assert buy_with(flavour, gateway(PUBLIC, httpx.Response(200, content=PNG))[0]) == [PNG]


def test_a_fetch_has_its_time(buy: Buy) -> None:
    """A host that stays silent is left when the total time is up."""
    with raw_server(pictures={"/a.png": [stall]}) as server:
        server.reply = by_url(f"{server.url}/a.png")
        with pytest.raises(flux.ImageDownloadError):
            buy(server.url, options={"timeout": 0.3})


def test_an_unread_picture_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that waits on disk goes with its image, whatever the collector's order."""
    monkeypatch.setattr("flux_images._base64_stream.IN_MEMORY", 10)
    with raw_server(inline(PNG)) as server:
        generation, _ = BUYERS["sync"](server.url, read=False)
        file = generation.image._file
        assert file is not None
        assert not file.closed
        del generation
        __import__("gc").collect()
        assert file.closed


def test_partial_success_says_what_is_missing(buy: Buy, caplog: pytest.LogCaptureFixture) -> None:
    """What came is given, the rest is counted and logged."""
    with raw_server(inline(PNG, JPEG)) as server:
        generation, pictures = buy(server.url, n=4)
    assert pictures == [PNG, JPEG]
    assert generation.missing == 2
    assert "2 of the pictures asked for did not come" in caplog.text
    assert generation.created is None


def test_webp_arrives_too(buy: Buy, tmp_path: Path) -> None:
    """Although no gateway was seen to send it."""
    webp = picture("WEBP")
    with raw_server(inline(webp)) as server:
        assert buy(server.url)[1] == [webp]
    assert io.BytesIO(webp).read(4) == b"RIFF"

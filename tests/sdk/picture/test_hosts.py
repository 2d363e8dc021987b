"""Hosts of pictures as they are: what heals is tried again, what lies is seen through, every failure is typed."""

from __future__ import annotations

import json
import time
from typing import Any

import anyio
import httpx
import pytest

import flux_images as flux
from flux_images import AsyncFluxImages, AsyncGeneration, AsyncImage, FluxImages, Generation, Image
from flux_images._picture import download
from flux_images._request import address
from tests.sdk.answering import JPEG, PNG, PUBLIC, answering, buy_with, by_url, gateway, mocked
from tests.sdk.conftest import BUYERS, KEY
from tests.sdk.pictures import picture
from tests.sdk.raw_server import answer, raw_server

WHOLE = httpx.Response(200, content=PNG)
PAGE = httpx.Response(200, content=b"<html>please wait", headers={"content-type": "text/html"})
LATER = {"retry-after": "0"}


@pytest.mark.parametrize(
    "first",
    [
        *(httpx.Response(status) for status in (202, 401, 403, 404, 408, 409, 423, 425, 429, 500, 503)),
        httpx.Response(503, headers=LATER),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=PNG[:50]),
        httpx.Response(200, content=JPEG[:-20]),
        PAGE,
        httpx.ReadError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.ConnectTimeout("x"),
    ],
    ids=lambda first: f"{getattr(first, 'status_code', type(first).__name__)}",
)
@pytest.mark.parametrize("times", [1, 3])
def test_what_heals_is_tried_again(first: Any, times: int, flavour: str) -> None:
    """A GET is free, and a picture just drawn may not be everywhere yet."""
    transport, seen = gateway(PUBLIC, *[first] * times, WHOLE)
    assert buy_with(flavour, transport) == [PNG]
    assert [request.method for request in seen] == ["POST", *["GET"] * (times + 1)]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_old_address_is_not_waited_for(status: int, flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its answer is no news any more, it has expired."""
    monkeypatch.setattr(download, "FRESH", 0.0)
    transport, seen = gateway(PUBLIC, httpx.Response(status))
    with pytest.raises(flux.ImageDownloadError, match="it has expired"):
        buy_with(flavour, transport)
    assert len(seen) == 1 + (2 if status == 403 else 1)


@pytest.mark.parametrize("status", [403, 406, 415])
def test_a_host_that_is_particular_gets_less(status: int, flavour: str) -> None:
    """`*/*`, and no user agent."""
    transport, seen = gateway(PUBLIC, httpx.Response(status), WHOLE)
    assert buy_with(flavour, transport) == [PNG]
    assert seen[1].headers["accept"] == "image/*"
    assert "user-agent" in seen[1].headers
    assert seen[2].headers["accept"] == "*/*"
    assert "user-agent" not in seen[2].headers


def test_a_label_of_gzip_that_lies(flavour: str) -> None:
    """The bytes are taken as they are."""
    with raw_server(pictures={"/a.png": [answer(200, PNG, "Content-Encoding: gzip")]}) as server:
        server.reply = [answer(200, json.dumps({"data": [{"url": server.url + "/a.png"}]}).encode())]
        assert BUYERS[flavour](server.url)[1] == [PNG]
        assert len(server.posts) == 1


@pytest.mark.parametrize(
    "location",
    [
        "javascript:1",
        "http://",
        "http://a b/",
        "http://" + "a" * 300 + ".example/",
        "http://a:99999999/",
        "data:,x",
        "//",
    ],
)
def test_a_redirect_to_nowhere_costs_that_picture_alone(location: str, flavour: str) -> None:
    """It is typed, and the second picture is had."""
    there = [answer(302, b"", f"Location: {location}")]
    with raw_server(pictures={"/a.png": there, "/b.png": [answer(200, PNG)]}) as server:
        server.reply = by_url(f"{server.url}/a.png", f"{server.url}/b.png")
        generation, _ = BUYERS[flavour](server.url, read=False, n=2)
        first, second = generation.images
        with pytest.raises(flux.ImageDownloadError) as caught:
            _read(first)
        assert caught.value.generation is generation
        assert _read(second) == PNG


def _read(image: Any, **options: Any) -> bytes:
    return image.read(**options) if isinstance(image, Image) else anyio.run(lambda: image.read(**options))


@pytest.mark.parametrize("error", [OSError("disk"), RuntimeError("loop"), ValueError("x"), KeyError("x")])
def test_whatever_a_transport_raises_is_typed(error: Exception, flavour: str) -> None:
    """The picture is paid for: the error says so and holds the generation."""
    transport, _ = gateway(PUBLIC, error)
    with pytest.raises(flux.ImageDownloadError, match="paid for"):
        buy_with(flavour, transport)


def test_addresses_of_a_tunnel_are_fetched_by_name_alone(flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clash and sing-box answer every name with one in 198.18.0.0/15; a literal one is refused."""
    assert address.is_private("198.18.0.7")
    asked = download.Download("https://pictures.example/a.png", download.Rules(), time.monotonic())
    asked.restart()

    class Stream:
        def get_extra_info(self, _: str) -> tuple[str, int]:
            return ("198.18.0.7", 443)

    asked.check_peer("pictures.example", Stream())
    transport, seen = gateway(httpx.Response(200, json={"data": [{"url": "https://198.18.0.7/a.png"}]}))
    with pytest.raises(flux.ImageDownloadError, match="private network"):
        buy_with(flavour, transport)
    assert len(seen) == 1


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "AVIF", "unknown"])
def test_what_cannot_be_looked_at_is_handed_out(
    kind: str, flavour: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Without Pillow, or of a format that nobody here knows; and says so."""
    data = b"\x89XYZ\r\n\x1a\n" + bytes(range(200, 256)) if kind == "unknown" else picture(kind)
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    handle, _ = answering(PUBLIC, httpx.Response(200, content=data))
    generation, (read,) = BUYERS[flavour](None, options={"http_client": mocked(flavour, handle)})
    assert read == data
    assert generation.image.check.startswith("not looked at: ")
    path: Any = tmp_path / "picture"
    target = (
        generation.image.save(path) if isinstance(generation.image, Image) else anyio.run(generation.image.save, path)
    )
    assert target.read_bytes() == data
    assert target.suffix == {"WEBP": ".webp", "GIF": ".gif", "AVIF": ".avif", "unknown": ".bin"}[kind]
    if kind in ("unknown",):
        with pytest.raises(flux.FluxImagesError, match="not known"):
            _ = generation.image.width


def test_damaged_bytes_can_be_had(flavour: str, tmp_path: Any) -> None:
    """Where they are asked for as they are."""
    with raw_server([answer(200, json.dumps({"data": [{"b64_json": _b64(PNG[:60])}]}).encode())]) as server:
        generation, _ = BUYERS[flavour](server.url, read=False)
    image: Any = generation.image
    with pytest.raises(flux.UnexpectedResponseError, match="check=False"):
        _read(image)
    assert _read(image, check=False) == PNG[:60]
    path = tmp_path / "a.png"
    save: Any = image.save
    _ = save(path, check=False) if isinstance(image, Image) else anyio.run(lambda: save(path, check=False))
    assert path.read_bytes() == PNG[:60]


def _b64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


def test_a_generation_survives_json(flavour: str) -> None:
    """For a ledger or a queue: no key in it, the bytes that are here, and what differed."""
    body = {"created": "x", "data": [{"b64_json": _b64(PNG), "revised_prompt": "a medal"}, {"url": "{server}/b.png"}]}
    with raw_server(pictures={"/b.png": [answer(200, JPEG)]}) as server:
        text = json.dumps(body).replace("{server}", server.url)
        server.reply = [answer(200, text.encode(), "x-request-id: r1")]
        generation, _ = BUYERS[flavour](server.url, read=False, n=3)
        saved = json.dumps(generation.to_dict())
        assert KEY not in saved
        kind = Generation if flavour == "sync" else AsyncGeneration
        again = kind.from_dict(json.loads(saved))
        assert again.to_dict() == generation.to_dict()
        assert (again.request_id, again.missing, again.deviations) == ("r1", 1, generation.deviations)
        assert _read(again.images[0]) == PNG
        assert again.images[0].revised_prompt == "a medal"
        again.images[1]._downloads.rules = download.Rules(allow_local=True)
        assert _read(again.images[1]) == JPEG
        alone = (Image if flavour == "sync" else AsyncImage).from_dict(json.loads(saved)["images"][0])
        assert _read(alone) == PNG
        assert alone._generation.request_id == "r1"


def test_clients_look_at_few_pictures_at_once() -> None:
    """As many as there are processors, in threads of their own limit."""
    handle, _ = answering(PUBLIC)

    async def main() -> tuple[int, int]:
        async with AsyncFluxImages(KEY, http_client=mocked("asyncio", handle)) as client:
            downloads = client._downloads
            running, most = 0, 0

            def work() -> None:
                nonlocal running, most
                running += 1
                most = max(most, running)
                __import__("threading").Event().wait(0.01)
                running -= 1

            async with anyio.create_task_group() as group:
                for _ in range(12):
                    group.start_soon(downloads.in_thread, work)
            return most, __import__("os").cpu_count() or 1

    most, processors = anyio.run(main)
    assert most <= processors


def test_sync_client_is_closed() -> None:
    """A closed client fetches no new address with the user's transport."""
    handle, _ = answering(PUBLIC)
    client = FluxImages(KEY, http_client=mocked("sync", handle))
    client.close()
    with pytest.raises(flux.ClientClosedError):
        client.fetch("https://pictures.example/a.png")

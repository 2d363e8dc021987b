"""Pictures in hand: looked at to the end, saved whole, pickled without a key."""

from __future__ import annotations

import gc
import io
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

import flux_images as flux
from flux_images import AsyncFluxImages, FluxImages
from flux_images._picture import store
from tests.sdk.answering import JPEG, PNG, by_url, inline
from tests.sdk.conftest import BUYERS, KEY, Buy
from tests.sdk.pictures import picture
from tests.sdk.raw_server import answer, raw_server


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
    assert len(server.gets) == 2 * 6 + 1  # what heals is tried again


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


def test_an_unread_picture_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that pictures wait in goes with the last of them, once another is begun."""
    monkeypatch.setattr(store, "IN_MEMORY", 10)
    monkeypatch.setattr(store, "_FULL", 0)
    store._files.cache_clear()
    file = picture(size=(200, 200), compress_level=0)
    with raw_server(inline(file)) as server:
        generation, _ = BUYERS["sync"](server.url, read=False)
        descriptor = store._files()[-1]._descriptor
        assert os.fstat(descriptor).st_size > 0
        store._files.cache_clear()
        del generation
        gc.collect()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


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

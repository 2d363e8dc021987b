"""The pictures: what was asked for, the same each time, under addresses that behave like a real host's."""

from __future__ import annotations

import base64
import io
import time
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageFont

from flux_images_mock._pictures.draw import Picture, draw, pixels
from flux_images_mock._pictures.gallery import Gallery
from flux_images_mock._pictures.text import _files, drawable
from flux_images_mock._testing.respx import FluxMockRespx
from tests.mock.asking import ask, fetch, url_of

if TYPE_CHECKING:
    from flux_images_mock import Mock, MockServer

FULL = [
    ("21:9", (3136, 1344)),
    ("16:9", (2752, 1536)),
    ("4:3", (2368, 1792)),
    ("3:2", (2496, 1664)),
    ("1:1", (2048, 2048)),
    ("2:3", (1664, 2496)),
    ("3:4", (1792, 2368)),
    ("9:16", (1536, 2752)),
    ("9:21", (1344, 3136)),
]
PICTURE = Picture("flux-dev", "a medal", (16, 9), 7, 0, "png")


def _opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize(("ratio", "size"), FULL)
def test_the_model_s_own_pixels(ratio: str, size: tuple[int, int]) -> None:
    """At full size the table of the model holds, for a ratio and its multiples."""
    width, height = map(int, ratio.split(":"))
    assert pixels((width, height), "full") == size
    assert pixels((2 * width, 2 * height), "full") == size


@pytest.mark.parametrize(("ratio", "size"), [("21:9", (512, 219)), ("1:1", (512, 512)), ("9:16", (288, 512))])
@pytest.mark.parametrize("file_format", ["png", "jpeg"])
def test_the_ratio_and_format_asked_for(ratio: str, size: tuple[int, int], file_format: str, mock: MockServer) -> None:
    """A preview has 512 pixels on its longer side, in the format asked for."""
    answer = fetch(url_of(ask(mock, aspect_ratio=ratio, output_format=file_format)))
    assert answer.headers["content-type"] == f"image/{file_format}"
    image = _opened(answer.content)
    assert (image.size, image.format) == (size, file_format.upper())


def test_a_full_picture(mock: MockServer) -> None:
    """A mock of full size draws as many pixels as the model, whatever the ratio."""
    mock.reset(size="full")
    assert _opened(fetch(url_of(ask(mock, aspect_ratio="21:9"))).content).size == (3136, 1344)


def test_any_ratio_at_full_size_has_about_four_megapixels() -> None:
    """A ratio outside the table keeps the area, and sides in steps of 32."""
    width, height = pixels((7, 5), "full")
    assert abs(width * height / 2**22 - 1) < 0.05
    assert width % 32 == height % 32 == 0


DIFFERENT: list[dict[str, Any]] = [{"model": "flux"}, {"prompt": "b"}, {"ratio": (1, 1)}, {"seed": 8}, {"index": 1}]


@pytest.mark.parametrize("changed", DIFFERENT, ids=str)
def test_the_same_request_draws_the_same_picture(changed: dict[str, Any]) -> None:
    """Model, prompt, ratio, seed and index decide; nothing else does."""
    assert draw(PICTURE) == draw(PICTURE)
    assert draw(PICTURE._replace(**changed)) != draw(PICTURE)


def test_two_pictures_of_one_request_differ(mock: MockServer) -> None:
    """n=2 gives two different files, as addresses and as base64 alike."""
    answer = ask(mock, n=2)
    files = [fetch(url_of(answer, index)).content for index in (0, 1)]
    encoded = ask(mock, n=2, response_format="b64_json").json()["data"]
    assert files[0] != files[1]
    assert [base64.b64decode(entry["b64_json"]) for entry in encoded] == files


@pytest.mark.parametrize("prompt", ["x", "长" * 2000, "a\n\nb", "W" * 3000, "\u200d\ud7ff\x07", "word " * 700])
@pytest.mark.parametrize("ratio", [(21, 9), (9, 21), (1, 1)])
def test_any_prompt_can_be_drawn(prompt: str, ratio: tuple[int, int]) -> None:
    """Long, empty-looking and unprintable prompts give a picture of the right size."""
    image = _opened(draw(PICTURE._replace(prompt=prompt, ratio=ratio)))
    assert image.size == pixels(ratio, "preview")


@pytest.mark.parametrize(
    ("text", "written"),
    [("a\x07b", "a[U+0007]b"), ("\U0010fffe", "[U+10FFFE]"), ("é a", "é a"), ("a\u200db", "ab")],
)
def test_what_no_font_draws_is_written_as_its_code_point(text: str, written: str) -> None:
    """Never a box."""
    assert drawable(text) == written


def _mask(font: ImageFont.FreeTypeFont, character: str) -> bytes:
    mask: Any = font.getmask(character)
    return bytes(mask)


@pytest.mark.parametrize("mark", ["\u0301", "\u0e31", "\u0e35", "\u0ac1", "\u1a17"])
def test_a_mark_is_no_box(mark: str) -> None:
    """A combining mark that no font has is written as its code point, though its box stands where no other's does."""
    fonts = [ImageFont.truetype(file, 16, layout_engine=ImageFont.Layout.BASIC) for file in _files() if file]
    has_it = any(_mask(font, mark) != _mask(font, "\U0010fffe") for font in fonts)
    assert drawable(mark) == (mark if has_it else f"[U+{ord(mark):04X}]")


@pytest.mark.parametrize("file_format", ["png", "jpeg"])
def test_a_padded_picture_is_a_valid_one(file_format: Any) -> None:
    """Large files are pictures all the same."""
    plain, padded = (draw(PICTURE._replace(format=file_format, least_bytes=size)) for size in (0, 1_000_000))
    assert len(padded) >= 1_000_000
    assert _opened(padded).tobytes() == _opened(plain).tobytes()


def test_an_address_resolves_and_expires(either: Mock) -> None:
    """It can be fetched until ten minutes have passed, then it is 403."""
    url = url_of(ask(either))
    assert fetch(url).status_code == 200
    either.advance(590)
    assert fetch(url).status_code == 200
    either.advance(11)
    assert fetch(url).status_code == 403


def test_addresses_can_last_longer(mock: MockServer) -> None:
    """--url-ttl says how long."""
    mock.reset(url_ttl="2h")
    url = url_of(ask(mock))
    mock.advance(7190)
    assert fetch(url).status_code == 200


def test_an_address_lasts_from_when_its_answer_comes() -> None:
    """A latency takes nothing of it."""
    with FluxMockRespx(latency="1h") as mock:
        url = url_of(ask(mock, timeout=4000))
        mock.advance(590)
        assert fetch(url).status_code == 200
        mock.advance(11)
        assert fetch(url).status_code == 403


def test_an_address_takes_no_key(mock: MockServer) -> None:
    """An Authorization header gets 401, as on real hosts of signed addresses."""
    url = url_of(ask(mock))
    assert fetch(url, Authorization="Bearer sk-leak").status_code == 401
    assert fetch(url).status_code == 200


@pytest.mark.parametrize("forge", ["expires=9", "signature=0", "medal"])
def test_a_forged_address_is_refused(forge: str, mock: MockServer) -> None:
    """Name, time and signature belong together."""
    url = url_of(ask(mock))
    name, _, query = url.rpartition("/")[2].partition("?")
    forged = {"expires=9": query.replace("expires=1", "expires=9"), "signature=0": f"{query}0", "medal": query}[forge]
    name = "medal.png" if forge == "medal" else name
    assert fetch(f"{url.rpartition('/')[0]}/{name}?{forged}").status_code == 403


def test_a_picture_is_drawn_once() -> None:
    """The file is kept, within a limit of bytes."""
    gallery = Gallery(time.time)
    assert gallery._draw(PICTURE) is gallery._draw(PICTURE)
    large = PICTURE._replace(least_bytes=20 * 1024 * 1024)
    for index in range(3):
        gallery._draw(large._replace(index=index))
    assert gallery._drawn_size <= 32 * 1024 * 1024
    assert len(gallery._drawn) == 1


def test_addresses_are_kept_within_a_limit() -> None:
    """A hundred thousand promises don't take more than their bytes."""
    gallery = Gallery(time.time)
    for index in range(20_000):
        gallery.promise(PICTURE._replace(index=index), 0.0)
    assert gallery._promised_size <= 8 * 1024 * 1024
    assert len(gallery._promised) < 20_000

"""GIF, WebP and AVIF, as far as Pillow goes."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux_images._picture.check import PictureError, check_picture
from tests.sdk.picture.check.cases import AVIF, GIF, WEBP
from tests.sdk.picture.check.files import verdict
from tests.sdk.pictures import picture

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("GIF", {}),
    ("GIF", {"interlace": 0}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}),
    ("AVIF", {}),
]


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (17, 33), (129, 70)])
@pytest.mark.parametrize(("kind", "options"), KINDS, ids=str)
def test_every_kind_passes(kind: str, options: dict[str, Any], size: tuple[int, int]) -> None:
    """Lossy and lossless, with and without notes."""
    data = picture(kind, size, **options)
    assert check_picture(io.BytesIO(data)) == (f"image/{kind.lower()}", *size, "whole")


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF"])
def test_every_frame_is_decoded(kind: str) -> None:
    """A cut behind the first is found."""
    frames = [PIL.Image.effect_noise((60, 40), 60).convert("RGB") for _ in range(3)]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    assert verdict(file.getvalue()) == "whole"
    assert "refused" in verdict(file.getvalue()[:-40])


@given(st.data())
@settings(max_examples=150)
def test_any_cut_is_found(data: st.DataObject) -> None:
    """No beginning of a picture passes for one, but for a GIF's without its trailer."""
    whole = data.draw(st.sampled_from([GIF, WEBP, AVIF]))
    at = data.draw(st.integers(12, len(whole) - (3 if whole is GIF else 1)))
    assert "refused" in verdict(whole[:at])


@given(st.data())
@settings(max_examples=300, deadline=None)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_damage_never_breaks_the_check(data: st.DataObject) -> None:
    """Whatever the damage, it passes or is refused, and nothing else."""
    whole = bytearray(data.draw(st.sampled_from([GIF, WEBP, AVIF])))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PictureError):
        check_picture(io.BytesIO(bytes(whole)))


@pytest.mark.parametrize("limit", [1000, 2000])
@pytest.mark.parametrize("data", [GIF, WEBP, AVIF], ids=["gif", "webp", "avif"])
def test_a_program_may_bound_pillow(data: bytes, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own limit, and warnings made errors, are no damage of the picture's."""
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", limit)
    assert verdict(data) == "not looked at: larger than this program lets Pillow decode"


def test_what_pillow_cannot_do_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so itself, of AVIF that its decoder does not know."""

    def undecodable(*_: object, **__: object) -> None:
        raise RuntimeError("Failed to decode image: Not implemented")

    monkeypatch.setattr(PIL.Image, "open", undecodable)
    assert verdict(AVIF).startswith("not looked at: this Pillow cannot decode it")

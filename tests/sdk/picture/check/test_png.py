"""PNG: every checksum that matters, every row of pixels."""

from __future__ import annotations

import io
import random
import zlib
from types import ModuleType

import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from flux_images._picture.check import check_picture
from flux_images._picture.check import png as walked
from tests.sdk.picture.check.cases import BOMB
from tests.sdk.picture.check.files import png, verdict
from tests.sdk.pictures import picture


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (17, 33), (129, 70)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_every_kind_passes(mode: str, size: tuple[int, int]) -> None:
    """Colour types and depths, down to one pixel."""
    assert check_picture(io.BytesIO(picture("PNG", size, mode))) == ("image/png", *size, "whole")


@given(st.data())
@settings(max_examples=200)
def test_any_flipped_bit_is_found(data: st.DataObject) -> None:
    """Every byte stands under a checksum, or is one; but an end chunk that became another is a missing one."""
    whole = bytearray(picture("PNG", (9, 7)))
    at, bit = data.draw(st.integers(8, len(whole) - 1)), data.draw(st.integers(0, 7))
    whole[at] ^= 1 << bit
    assert ("refused" in verdict(bytes(whole))) or whole[at : at + 4] == b"iEND"


@given(st.data())
@settings(max_examples=100)
def test_any_cut_is_found(data: st.DataObject) -> None:
    """No beginning of a picture passes for one, unless only the end chunk is missing."""
    whole = picture("PNG", (40, 30))
    at = data.draw(st.integers(8, len(whole) - 1).filter(lambda at: at != len(whole) - 12))
    assert "refused" in verdict(whole[:at])


@given(st.binary(max_size=200))
@settings(max_examples=50)
def test_what_follows_the_end_does_not_matter(junk: bytes) -> None:
    """Whatever it is."""
    assert verdict(picture("PNG", (40, 30)) + junk) == "whole"


@pytest.mark.parametrize("inflater", [zlib, isal_zlib], ids=["zlib", "isal"])
@pytest.mark.parametrize("row", [b"\0" * 331, b"\0" + b"a medal on a ribbon" * 53, b"\0" + bytes(range(256)) * 4])
@pytest.mark.parametrize("height", [1, 64, 65, 197, 198, 1000, 3971])
def test_a_png_whose_pixels_come_late(
    inflater: ModuleType, row: bytes, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A well compressed picture is whole when its file is: what was inflated last may wait inside the library."""
    monkeypatch.setattr(walked, "zlib", inflater)
    width = len(row) - 1
    assert verdict(png(width, height, pixels=row * height)) == "whole"
    assert "cut short" in verdict(png(width, height + 1, pixels=row * height))


def test_a_bomb_is_not_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 MiB behind a header of one pixel: nothing is inflated but the first piece."""
    sizes: list[int] = []
    check = walked._Pixels._check

    def noted(self: walked._Pixels, rows: bytes) -> None:
        sizes.append(len(rows))
        check(self, rows)

    monkeypatch.setattr(walked._Pixels, "_check", noted)
    assert verdict(png(1, 1, idat=BOMB)) == "whole"
    assert sum(sizes) <= 2**16


def test_filters_are_checked_in_every_piece() -> None:
    """A row far behind the first 64 KiB of pixels counts like the first."""
    rows = [b"\4" + bytes((255, x % 256)) * 150 for x in range(400)]
    assert verdict(png(300, 400, pixels=b"".join(rows))) == "whole"
    for at in (0, 217, 218, 399):
        broken = [*rows]
        broken[at] = b"\5" + rows[at][1:]
        assert verdict(png(300, 400, pixels=b"".join(broken))).endswith("a row has a filter that PNG does not know")


@pytest.mark.usefixtures("libraries")
def test_a_large_picture_is_read_in_pieces() -> None:
    """Pixels that come in several pieces, and several chunks."""
    file = io.BytesIO()
    PIL.Image.frombytes("RGB", (400, 300), random.Random(7).randbytes(360_000)).save(file, "PNG")
    assert check_picture(io.BytesIO(file.getvalue())) == ("image/png", 400, 300, "whole")

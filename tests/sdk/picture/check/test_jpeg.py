"""JPEG: followed to its end by its markers, and to its last block where simplejpeg is there."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import time
from typing import Any

import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flux_images._picture.check import PictureError, check_picture, jpeg
from tests.sdk.picture.check import files
from tests.sdk.picture.check.cases import JPEG, PROGRESSIVE, RESTARTS
from tests.sdk.picture.check.files import EOI, segment, verdict
from tests.sdk.pictures import picture

SIZES = [(1, 1), (8, 8), (17, 33), (129, 70)]
KINDS: list[dict[str, Any]] = [
    {},
    {"quality": 30, "progressive": True},
    {"quality": 95, "progressive": True, "subsampling": 0},
    {"quality": 95, "subsampling": 0},
    {"quality": 95, "subsampling": 1},
    {"optimize": True},
    {"restart_marker_blocks": 3},
    {"restart_marker_rows": 1, "progressive": True},
    {"comment": b"hello \xff\xd9 there"},
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", KINDS, ids="-".join)
def test_every_kind_passes_whole_and_only_whole(
    options: dict[str, Any], mode: str, size: tuple[int, int], libraries: str
) -> None:
    """Sequential and progressive, subsampled, with restarts; with simplejpeg a cut file is not closed again unseen."""
    data = picture("JPEG", size, mode, **options)
    assert check_picture(io.BytesIO(data)) == ("image/jpeg", *size, "whole")
    countable = libraries == "helped" and (mode, options.get("subsampling")) != ("CMYK", 1)
    start = data.index(b"\xff\xda") + 2
    for at in {start, (start + len(data)) // 2, len(data) - 3}:
        assert "refused" in verdict(data[:at])
        assert "refused" in verdict(data[:at] + EOI) or not countable


@given(data=st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cut_is_found(data: st.DataObject, libraries: str) -> None:
    """No beginning of a picture passes for one, unless only the end marker is missing and the blocks can be counted."""
    whole = data.draw(st.sampled_from([JPEG, PROGRESSIVE, RESTARTS]))
    last = len(whole) - (1 if libraries == "alone" else 3)
    assert "refused" in verdict(whole[: data.draw(st.integers(2, last))])


@pytest.mark.usefixtures("libraries")
@given(data=st.data(), junk=st.binary(max_size=200))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_follows_the_end_does_not_matter(data: st.DataObject, junk: bytes) -> None:
    """Whatever it is."""
    assert verdict(data.draw(st.sampled_from([JPEG, PROGRESSIVE, RESTARTS])) + junk) == "whole"


@pytest.mark.usefixtures("libraries")
@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_breaks_the_check(data: st.DataObject) -> None:
    """Whatever the damage, it passes or is refused, and nothing else."""
    whole = bytearray(data.draw(st.sampled_from([JPEG, PROGRESSIVE, RESTARTS])))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(2, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PictureError):
        check_picture(io.BytesIO(bytes(whole)))


@given(size=st.tuples(st.integers(8, 200), st.integers(8, 200)), seed=st.integers(0, 999), data=st.data())
@settings(max_examples=60, deadline=None)
def test_lost_bytes_are_found_with_simplejpeg(size: tuple[int, int], seed: int, data: st.DataObject) -> None:
    """Half of a baseline scan gone, with its end still there."""
    noise = PIL.Image.frombytes("L", size, random.Random(seed).randbytes(size[0] * size[1]))
    file = io.BytesIO()
    noise.save(file, "JPEG", quality=data.draw(st.integers(30, 95)))
    whole = file.getvalue()
    start = whole.index(b"\xff\xda") + 10
    assert "refused: the JPEG is damaged" in verdict(whole[: (start + len(whole)) // 2] + EOI)


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("window", [2, 3, 700])
def test_a_large_picture_is_read_in_pieces(progressive: bool, window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scans longer than the window are followed across it, with markers, fill and stuffed bytes at any place."""
    monkeypatch.setattr(jpeg, "_WINDOW", window)
    noise = PIL.Image.frombytes("RGB", (90, 60), random.Random(7).randbytes(16_200))
    file = io.BytesIO()
    noise.save(file, "JPEG", quality=97, progressive=progressive)
    data = file.getvalue()
    assert b"\xff\x00" in data
    for fill in range(4):
        assert verdict(data[:-2] + b"\xff" * fill + EOI) == "whole"
    assert "refused" in verdict(data[:-40])


def test_a_lossless_picture_never_meets_simplejpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would write past its buffer."""
    calls: list[bytes] = []
    monkeypatch.setattr("simplejpeg.decode_jpeg", lambda data, **_: calls.append(data))
    for kind, decoded in (
        (0xC0, True),
        (0xC1, True),
        (0xC2, True),
        (0xC9, True),
        (0xCA, True),
        (0xC3, False),
        (0xCB, False),
    ):
        calls.clear()
        assert verdict(files.jpeg(kind=kind)) == "whole"
        assert bool(calls) is decoded


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("Unsupported color conversion request", "whole"),
        ("Inconsistent progression sequence for component 0 coefficient 1", "whole"),
        ("Invalid SOS parameters for sequential JPEG", "whole"),
        ("Corrupt JPEG data: 32 extraneous bytes before marker 0xd9", "whole"),
        ("Corrupt JPEG data: 33 extraneous bytes before marker 0xd9", "refused"),
        ("Corrupt JPEG data: premature end of data segment", "refused"),
        ("Corrupt JPEG data: bad Huffman code", "refused"),
        ("Premature end of JPEG file", "refused"),
        ("Bogus Huffman table definition", "refused"),
        ("Quantization table 0x00 was not defined", "refused"),
        ("Invalid component ID 17 in SOS", "refused"),
    ],
)
def test_what_simplejpeg_says_is_weighed(says: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what cannot be so in a whole picture is damage; a picture that it cannot decode has its markers still."""

    def decode_jpeg(*_: object, **__: object) -> None:
        raise ValueError(says)

    monkeypatch.setattr("simplejpeg.decode_jpeg", decode_jpeg)
    assert verdict(JPEG).startswith(expected)
    assert verdict(JPEG[:-2]).startswith("refused" if "extraneous bytes" not in says else expected)


@pytest.mark.usefixtures("libraries")
def test_thousands_of_scans_are_not_decoded() -> None:
    """A megabyte of empty scans of a large picture would take minutes."""
    head = files.jpeg(struct.pack(">BHHB", 8, 2048, 2048, 1) + b"\1\x11\0", kind=0xC2)[:-2]
    data = head + segment(0xDA, b"\1\1\0\1\x3f\0") * 100_000 + EOI
    started = time.process_time()
    assert verdict(data) == "whole"
    assert time.process_time() - started < 10

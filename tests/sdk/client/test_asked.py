"""What came otherwise than asked is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from flux_images import FluxImages, Generation
from flux_images_mock import MockServer


def test_a_ratio_other_than_asked_is_told_once_it_is_known(flux_mock: MockServer) -> None:
    """Of a picture inside the answer as well as of one that is fetched, and after `to_dict`."""
    flux_mock.scenario("aspect-ratio-dropped")
    with FluxImages() as flux:
        generation = flux.generate("a", aspect_ratio="21:9")
        assert list(generation.deviations) == []
        generation.image.read()
        ((where, expected, _),) = generation.deviations
        assert (where, expected) == ("/data/0", "the ratio 21:9")
        again = Generation.from_dict(generation.to_dict())
        again.image.read()
        assert again.deviations == generation.deviations


@pytest.mark.parametrize("ratio", ["21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"])
def test_a_ratio_as_asked_is_no_deviation(ratio: str, flux_mock: MockServer) -> None:
    """Models draw in steps of 32 pixels."""
    with FluxImages() as flux:
        generation = flux.generate("a", aspect_ratio=ratio)
        generation.image.read()
    assert generation.deviations == ()


def test_a_number_other_than_asked_is_told(flux_mock: MockServer) -> None:
    """Beside `missing`."""
    flux_mock.scenario("fewer-pictures")
    with FluxImages() as flux:
        generation = flux.generate("a", n=3)
    assert [tuple(each) for each in generation.deviations] == [("/data", "3 pictures", "1 pictures")]


def test_a_suffix_of_another_kind_warns_after_the_picture_is_saved(flux_mock: MockServer, tmp_path: Path) -> None:
    """The picture is there, whatever becomes of the warning."""
    with FluxImages() as flux, pytest.warns(UserWarning, match=r"medal\.png holds image/jpeg"):
        flux.generate("a").image.save(tmp_path / "medal.png")
    assert (tmp_path / "medal.png").read_bytes().startswith(b"\xff\xd8")


def test_a_generation_is_its_pictures(flux_mock: MockServer) -> None:
    """In a loop, counted, and in a notebook."""
    with FluxImages() as flux:
        generation = flux.generate("a", n=2)
    assert len(generation) == 2
    assert list(generation) == generation.images
    assert generation._repr_html_().count('<img src="data:image/jpeg;base64,/9j/') == 2

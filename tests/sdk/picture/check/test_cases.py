"""What is surely not a whole picture is refused, and nothing else; what cannot be looked at says so."""

from __future__ import annotations

import io
import sys

import pytest
from PIL import features

from flux_images._picture.check import check_picture, picture
from flux_images._picture.save import SUFFIXES
from tests.sdk.picture.check.cases import AVIF, CASES, OTHERS, Case
from tests.sdk.picture.check.files import png, verdict


@pytest.fixture
def all_libraries(libraries: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, with Pillow among them."""
    if libraries == "alone":
        monkeypatch.setitem(sys.modules, "PIL", None)
    return libraries


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_file_gets_its_verdict(case: Case, all_libraries: str) -> None:
    """With the libraries that help, and without."""
    expected = case.helped if all_libraries == "helped" and case.helped else case.alone
    said = verdict(case.data)
    assert said == expected if expected == "whole" else expected in said


@pytest.mark.usefixtures("all_libraries")
@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("gif", ("image/gif", 60, 40)),
        ("webp", ("image/webp", 60, 40)),
        ("avif", ("image/avif", 60, 40)),
        ("bmp", ("application/octet-stream", 0, 0)),
    ],
)
def test_type_and_size_need_no_library(name: str, facts: tuple[str, int, int]) -> None:
    """Of an unknown format nothing is known; each type has a suffix."""
    data = next(case.data for case in OTHERS if case.name == name)
    assert check_picture(io.BytesIO(data))[:3] == facts
    assert facts[0] in SUFFIXES


def test_a_pillow_without_avif_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those before 11.3."""
    monkeypatch.setattr(features, "get_supported_modules", lambda: ["webp"])
    assert verdict(AVIF) == "not looked at: needs a Pillow that knows AVIF"


def test_the_pixel_limit_itself_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pixel more is not."""
    monkeypatch.setattr(picture, "MAX_PIXELS", 6)
    assert verdict(png(3, 2)) == "whole"
    assert "the limit is 6" in verdict(png(7, 1))

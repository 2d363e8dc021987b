"""Checks with and without the libraries that help them."""

from __future__ import annotations

import sys
import zlib

import pytest
from isal import isal_zlib

from flux_images._picture.check import png


@pytest.fixture(params=["alone", "helped"])
def libraries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """ "alone": no isal, simplejpeg or Pillow; "helped": all of them."""
    if request.param == "alone":
        monkeypatch.setitem(sys.modules, "simplejpeg", None)
    monkeypatch.setattr(png, "zlib", zlib if request.param == "alone" else isal_zlib)
    return str(request.param)

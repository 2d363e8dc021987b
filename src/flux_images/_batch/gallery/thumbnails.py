"""Small pictures for the page, made with Pillow where it is installed."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("flux_images")

_SIDE: Final = 256
"""Pixels of the longer side."""
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
_QUALITY = 78


def pillow() -> Any:
    """Pillow's module of pictures; None without Pillow, or with one that writes no WebP."""
    try:
        features: Any = importlib.import_module("PIL.features")
        return importlib.import_module("PIL.Image") if features.check("webp") else None
    except ImportError:
        return None


def make_thumbnail(library: Any, picture: Path, part: Path, target: Path) -> bool:
    """Write the thumbnail of a picture to ``part``, then give it its name; whether one could be made."""
    try:
        with library.open(picture, formats=_FORMATS) as image:
            image.draft("RGB", (_SIDE, _SIDE))
            image.thumbnail((_SIDE, _SIDE))
            small = image.convert("RGBA" if image.has_transparency_data else "RGB")
        small.save(part, "WEBP", quality=_QUALITY, method=3)
    except Exception as error:  # noqa: BLE001 -- a decoder raises what it likes; the page shows the picture itself
        log.debug("%s: no thumbnail: %s", picture, error)
        part.unlink(missing_ok=True)
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    part.replace(target)
    return True

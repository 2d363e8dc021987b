"""Where pictures were seen to stand in answers, as one table: the contract's own place first.

Relays that imitate the operation answer in the shapes of the services behind them. None of these is documented by a
gateway; the sources are public reports of 2025 and 2026, and what the services themselves document.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A way from the document's root to its pictures, and who answers so. Lists on the way are gone through."""

    path: tuple[str, ...]
    source: str


CONTRACT = Place(("data",), "openapi.yaml")
PLACES = (
    CONTRACT,
    Place(("images",), "fal and SiliconFlow, passed on"),
    Place(("output",), "Replicate, passed on"),
    Place(("data", "data"), "relays that wrap an answer in {code, msg, data}"),
    Place(("data", "images"), "the same around fal"),
    Place(("data", "output"), "the same around Replicate"),
    Place(("result",), "the makers' own API: {status: Ready, result: {sample}}"),
    Place(("result", "images"), "tasks of relays"),
    Place(("result", "data"), "tasks of relays"),
    Place(("data", "result"), "tasks of relays, wrapped"),
    Place(("data", "result", "images"), "tasks of relays, wrapped"),
    Place((), "relays that answer with the entry itself, or with a list"),
)

ADDRESS = ("url", "image_url", "sample")
"""Fields of an entry that hold an address; the first is the contract's."""
INLINE = ("b64_json", "b64", "image", "image_base64")
"""Fields of an entry that hold the picture itself; the first is the contract's."""

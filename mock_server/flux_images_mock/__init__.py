"""An offline gateway for Flux images, played from `openapi.yaml` or any other OpenAPI description.

Nothing is imported before it is asked for: pytest loads this package in every run, for its fixtures.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flux_images_mock._app import app
    from flux_images_mock._bill import Bill
    from flux_images_mock._faults import WireFaultError
    from flux_images_mock._journal import RecordedRequest
    from flux_images_mock._mock import Mock
    from flux_images_mock._server import MockServer

__all__ = ["Bill", "Mock", "MockServer", "RecordedRequest", "WireFaultError", "app"]

_HOMES = {
    "Bill": "_bill",
    "Mock": "_mock",
    "MockServer": "_server",
    "RecordedRequest": "_journal",
    "WireFaultError": "_faults",
    "app": "_app",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

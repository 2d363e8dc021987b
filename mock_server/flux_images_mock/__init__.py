"""An offline gateway for Flux images, played from `openapi.yaml` or any other OpenAPI description.

Nothing is imported before it is asked for: pytest loads this package in every run, for its fixtures.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flux_images_mock._gateway.journal import RecordedRequest
    from flux_images_mock._gateway.run import Bill
    from flux_images_mock._serve.asgi import app
    from flux_images_mock._serve.faults import WireFaultError
    from flux_images_mock._testing.mock import FluxMock, Mock, MockServer
    from flux_images_mock._testing.respx import FluxMockRespx

__all__ = ["Bill", "FluxMock", "FluxMockRespx", "Mock", "MockServer", "RecordedRequest", "WireFaultError", "app"]

_HOMES = {
    "Bill": "_gateway.run",
    "FluxMock": "_testing.mock",
    "FluxMockRespx": "_testing.respx",
    "Mock": "_testing.mock",
    "MockServer": "_testing.mock",
    "RecordedRequest": "_gateway.journal",
    "WireFaultError": "_serve.faults",
    "app": "_serve.asgi",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

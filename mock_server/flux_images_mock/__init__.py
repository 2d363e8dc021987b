"""An offline gateway for Flux images, played from `openapi.yaml` or any other OpenAPI description."""

from __future__ import annotations

from flux_images_mock._app import app
from flux_images_mock._server import MockServer

__all__ = ["MockServer", "app"]

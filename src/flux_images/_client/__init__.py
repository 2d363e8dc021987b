"""The clients that people use, and the generated client that sends through them."""

from __future__ import annotations

from flux_images._client.awaiting import AsyncFluxImages
from flux_images._client.blocking import FluxImages

__all__ = ["AsyncFluxImages", "FluxImages"]

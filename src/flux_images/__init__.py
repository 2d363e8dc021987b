"""Pictures from Flux models on OpenAI-style gateways, never paid twice by accident.

from flux_images import FluxImages

with FluxImages() as flux:  # FLUX_API_KEY, FLUX_BASE_URL
    flux.generate("A polished silver medal", output_format="png").image.save("medal.png")
"""

from __future__ import annotations

from flux_images._client import AsyncFluxImages, FluxImages
from flux_images._errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    Deviation,
    EmptyGenerationError,
    FluxImagesError,
    GatewayTimeoutError,
    ImageDownloadError,
    InternalServerError,
    InvalidRequestError,
    ModelUnavailableError,
    ModerationError,
    NotFoundError,
    PayloadTooLargeError,
    PendingGenerationError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    UnexpectedResponseError,
)
from flux_images._picture.awaited import AsyncImage
from flux_images._picture.generation import AsyncGeneration, Generation
from flux_images._picture.image import Image
from flux_images._picture.save import check_target
from flux_images._request.options import Retry
from flux_images._version import __version__

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncFluxImages",
    "AsyncGeneration",
    "AsyncImage",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigurationError",
    "Deviation",
    "EmptyGenerationError",
    "FluxImages",
    "FluxImagesError",
    "GatewayTimeoutError",
    "Generation",
    "Image",
    "ImageDownloadError",
    "InternalServerError",
    "InvalidRequestError",
    "ModelUnavailableError",
    "ModerationError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PendingGenerationError",
    "PermissionDeniedError",
    "QuotaExceededError",
    "RateLimitError",
    "Retry",
    "UnexpectedResponseError",
    "__version__",
    "check_target",
]

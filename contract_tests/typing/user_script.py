"""What a user writes. Type-checked strictly, never run."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import httpx

from flux_images import (
    APIConnectionError,
    APIStatusError,
    AsyncFluxImages,
    AsyncGeneration,
    AsyncImage,
    FluxImages,
    FluxImagesError,
    Generation,
    Image,
    ImageDownloadError,
    QuotaExceededError,
    RateLimitError,
    Retry,
)
from flux_images_api.api.images import create_image
from flux_images_api.models import CreateImageRequest, ImagesResponse


def buy() -> None:
    """Generate, read and save."""
    with FluxImages(timeout=60, max_retries=1, http_client=httpx.Client(), on_retry=report) as flux:
        assert_type(flux, FluxImages)
        generation = flux.generate("A medal", aspect_ratio="1:1", n=2, output_format="png", extra_body={"steps": 4})
        assert_type(generation, Generation)
        assert_type(generation.image, Image)
        assert_type(generation.images, list[Image])
        assert_type(generation.created, int | None)
        assert_type(generation.request_id, str | None)
        assert_type(generation.raw, ImagesResponse)
        assert_type(generation.image.read(), bytes)
        assert_type(generation.image.save(Path("medal")), Path)
        assert_type(generation.image.width * generation.image.height, int)
        assert_type(flux.with_options(timeout=httpx.Timeout(5), headers={"X-Team": "a"}), FluxImages)


def report(retry: Retry) -> None:
    """Hear of retries."""
    print(f"attempt {retry.attempt}: {retry.error}; waiting {retry.wait:.1f} s")


def survive(flux: FluxImages) -> Image | None:
    """Branch on errors."""
    try:
        return flux.generate("A medal", model="a-model-of-tomorrow").image
    except QuotaExceededError as error:
        print(error.code, error.request_id)
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except APIStatusError as error:
        assert_type(error.status_code, int)
        assert_type(error.body, str)
    except ImageDownloadError as error:
        if error.generation is not None:
            assert_type(error.generation.request_id, str | None)
            error.generation.image.save("medal", overwrite=True)
    except APIConnectionError as error:
        assert_type(error.may_have_been_billed, bool)
    except FluxImagesError as error:
        print(error)
    return None


async def buy_awaiting() -> None:
    """The same, awaited."""
    async with AsyncFluxImages("sk-key", base_url="https://gateway.example", fast=True) as flux:
        generation = await flux.generate("A medal", response_format="b64_json", seed=7, raw=True, safety_tolerance=2)
        assert_type(generation, AsyncGeneration)
        assert_type(generation.image, AsyncImage)
        assert_type(await generation.image.read(), bytes)
        assert_type(await generation.image.save("medal.png", overwrite=True), Path)
        answer = await create_image.asyncio(client=flux.api, body=CreateImageRequest(model="flux", prompt="A medal"))
        assert_type(answer, ImagesResponse)


def use_the_contract(flux: FluxImages) -> str | None:
    """Any operation, through the generated client."""
    answer = create_image.sync(client=flux.api, body=CreateImageRequest(model="flux-pro", prompt="A medal"))
    assert_type(answer, ImagesResponse)
    for entry in answer.data or []:
        if entry.url:
            return entry.url
    return None

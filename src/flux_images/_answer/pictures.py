"""A streamed answer of ``create_image``, and the pictures in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic, TypeVar

from flux_images._answer.classify import carries_error, status_error
from flux_images._answer.receive import ErrorAnswer, broken_answer
from flux_images._answer.split import PictureSplitter
from flux_images._errors import EmptyGenerationError, FluxImagesError
from flux_images._picture.generation import AsyncGeneration, Generation, Part
from flux_images._text import request_id
from flux_images_api.api.images import create_image
from flux_images_api.errors import ResponseError
from flux_images_api.models import ImagesResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from flux_images._picture.fetch import AsyncDownloads, Downloads
    from flux_images._send.loop import Call, Receiver

log = logging.getLogger("flux_images")

_G = TypeVar("_G", bound=Generation | AsyncGeneration)


class PictureAnswer(Generic[_G]):
    """Receives a success; ``build`` makes the result of its parts."""

    def __init__(
        self,
        call: Call,
        response: httpx.Response,
        build: Callable[[Iterator[Part], ImagesResponse, str | None], _G],
    ) -> None:
        self._call = call
        self._response = response
        self._build: Callable[[Iterator[Part], ImagesResponse, str | None], _G] = build
        self._splitter = PictureSplitter()

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes."""
        self._splitter.feed(chunk)
        return True

    def finish(self) -> _G:
        """The pictures of a whole answer.

        Raises:
            ValueError: it is not what the contract says.
            APIStatusError: it carries an error.
            EmptyGenerationError: there is no picture in it.
        """
        try:
            document = self._splitter.document()
        except ValueError as error:
            raise ValueError(f"the answer is not whole JSON: {error}") from error
        call, response = self._call, self._response
        if carries_error(document):
            raise status_error(
                response.status_code, response.headers, self._splitter.beginning(), call.key, billed=call.billed
            )
        raw = _typed(response.status_code, document)
        generation = self._build(self._parts(raw), raw, request_id(response.headers))
        if not generation.images:
            raise EmptyGenerationError(
                "the gateway answered without a picture; ask it for one with the request id before buying again",
                generation=generation,
                request_id=generation.request_id,
            )
        if generation.missing:
            log.warning("%d of the pictures asked for did not come", generation.missing)
        return generation

    def broken(self, problem: str, *, truncated: bool) -> FluxImagesError:
        """The error for an answer that cannot be read."""
        return broken_answer(self._call, self._response, self._splitter.beginning(), problem, truncated=truncated)

    def close(self) -> None:
        """Drop the pictures that were not handed out."""
        self._splitter.close()

    def _parts(self, raw: ImagesResponse) -> Iterator[Part]:
        for entry in raw.data or ():
            file = None
            if entry.b64_json:
                file, size = self._splitter.take(entry.b64_json)
                entry.b64_json = f"<{size} bytes>"
            if file or entry.url:
                yield Part(entry.url or None, file, entry.revised_prompt or None)


def _typed(status: int, document: object) -> ImagesResponse:
    try:
        raw = create_image.parse_json(status, document)
    except ResponseError as error:
        raise ValueError(f"the answer is not what the contract says: {error.message}") from error
    if not isinstance(raw, ImagesResponse):
        raise ValueError(f"the contract does not declare the status {status}")
    return raw


def generation_answer(downloads: Downloads, *, asked: int) -> Callable[[Call, httpx.Response], Receiver[Generation]]:
    """What takes the answers of ``FluxImages.generate``."""

    def build(parts: Iterator[Part], raw: ImagesResponse, identity: str | None) -> Generation:
        generation = Generation(raw, identity, asked)
        generation.take(parts, downloads)
        return generation

    return lambda call, response: (
        PictureAnswer(call, response, build) if response.is_success else ErrorAnswer(call, response)
    )


def async_generation_answer(
    downloads: AsyncDownloads, *, asked: int
) -> Callable[[Call, httpx.Response], Receiver[AsyncGeneration]]:
    """The same for ``AsyncFluxImages.generate``."""

    def build(parts: Iterator[Part], raw: ImagesResponse, identity: str | None) -> AsyncGeneration:
        generation = AsyncGeneration(raw, identity, asked)
        generation.take(parts, downloads)
        return generation

    return lambda call, response: (
        PictureAnswer(call, response, build) if response.is_success else ErrorAnswer(call, response)
    )

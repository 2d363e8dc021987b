"""The operation ``create_image``: from arguments to a request, and from an answer to the pictures in it."""

from __future__ import annotations

import logging
from typing import IO, TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from flux_images._answer.classify import request_id
from flux_images._answer.receive import raise_if_error
from flux_images._answer.split import PictureSplitter
from flux_images._errors import EmptyGenerationError, InvalidRequestError
from flux_images._picture.generation import AsyncGeneration, Generation
from flux_images._picture.image import AsyncImage, Image
from flux_images._request.rules import check_body
from flux_images_api.api.images import create_image
from flux_images_api.contract import OPERATIONS, SCHEMAS
from flux_images_api.errors import ResponseError
from flux_images_api.models import CreateImageRequest, ImagesResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx

    from flux_images._picture.fetch import AsyncDownloads, Downloads
    from flux_images._send.call import Call

log = logging.getLogger("flux_images")

_G = TypeVar("_G", bound=Generation | AsyncGeneration)


def image_request(fields: Mapping[str, Any], extra_body: Mapping[str, Any] | None) -> dict[str, Any]:
    """The request, as keyword arguments of ``build_request`` of an httpx client. None leaves a field out.

    Raises:
        InvalidRequestError: the contract refuses it, or ``extra_body`` holds a field that has an argument.
    """
    body = {name: value for name, value in fields.items() if value is not None}
    for name in extra_body or ():
        if name in CreateImageRequest.JSON_NAMES.values():
            raise InvalidRequestError(f"extra_body: {name!r} has an argument of its own; pass {name}=... instead")
    check_body(body, OPERATIONS["create_image"].body, SCHEMAS)
    request = CreateImageRequest(**body)
    request.additional_properties = dict(extra_body or {})
    return create_image.build_request(body=request)


class Part(NamedTuple):
    """What an answer says of one picture."""

    url: str | None
    file: IO[bytes] | None
    revised_prompt: str | None


class PictureAnswer(Generic[_G]):
    """Receives a streamed answer of ``create_image``; ``build`` makes the result of its parts."""

    def __init__(self, build: Callable[[list[Part], ImagesResponse, str | None], _G]) -> None:
        self._splitter = PictureSplitter()
        self._build: Callable[[list[Part], ImagesResponse, str | None], _G] = build

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes."""
        self._splitter.feed(chunk)
        return True

    def finish(self, call: Call, response: httpx.Response) -> _G:
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
        raise_if_error(call, response, document, self._splitter.beginning())
        raw = _typed(response.status_code, document)
        generation = self._build([*self._parts(raw)], raw, request_id(response.headers))
        if not generation.images:
            raise EmptyGenerationError(
                "the gateway answered without a picture; ask it for one with the request id before buying again",
                generation=generation,
                request_id=generation.request_id,
            )
        if generation.missing:
            log.warning("%d of the pictures asked for did not come", generation.missing)
        return generation

    def beginning(self) -> bytes:
        """The answer's first bytes, without its pictures."""
        return self._splitter.beginning()

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


def generation_answer(downloads: Downloads, *, asked: int) -> Callable[[], PictureAnswer[Generation]]:
    """What makes the receiver of one attempt of ``FluxImages.generate``."""

    def build(parts: list[Part], raw: ImagesResponse, request_id: str | None) -> Generation:
        generation = Generation(raw, request_id, asked)
        generation.images = [Image(generation, *part, downloads) for part in parts]
        return generation

    return lambda: PictureAnswer(build)


def async_generation_answer(downloads: AsyncDownloads, *, asked: int) -> Callable[[], PictureAnswer[AsyncGeneration]]:
    """The same for ``AsyncFluxImages.generate``."""

    def build(parts: list[Part], raw: ImagesResponse, request_id: str | None) -> AsyncGeneration:
        generation = AsyncGeneration(raw, request_id, asked)
        generation.images = [AsyncImage(generation, *part, downloads) for part in parts]
        return generation

    return lambda: PictureAnswer(build)

"""The one special operation: `create_image` answers with pictures, as addresses on the mock or as base64."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any

from flux_images_mock._description.json import is_object
from flux_images_mock._description.ratio import parse_ratio
from flux_images_mock._pictures.draw import Format, Picture
from flux_images_mock._request.message import Answer
from flux_images_mock._request.paths import PICTURES

if TYPE_CHECKING:
    from flux_images_mock._answer.operation import Operation
    from flux_images_mock._answer.responses import Media, Response
    from flux_images_mock._pictures.gallery import FileEffect, Gallery
    from flux_images_mock._pictures.sizes import Size
    from flux_images_mock._request.message import Exchange

OPERATION = "create_image"

_DEFAULT_RATIO = (16, 9)  # flux-model: the maker's own default for flux-pro-1.1-ultra
_DEFAULT_FORMAT: Format = "jpeg"  # flux-model: likewise
_MOST_PICTURES = 10


class CreateImage:
    """The responder: turns a valid request into the pictures it asks for."""

    def __init__(self, gallery: Gallery, *, check: bool = True) -> None:
        self._gallery = gallery
        self._check = check

    def __call__(self, exchange: Exchange, operation: Operation) -> Answer | None:
        response = operation.responses.find(200)
        media = None if response is None else response.media.get("application/json")
        if response is None or media is None:
            return None
        scenario, body = exchange.scenario, exchange.body
        effect = None if scenario is None else scenario.file
        fields = body if is_object(body) else {}
        if scenario is not None and scenario.draw:
            fields = {**fields, **scenario.draw}
        least_bytes = 0 if effect is None else effect.least_bytes
        pictures = asked_for(fields, self._gallery.size, least_bytes)
        if fields.get("response_format") == "b64_json":
            later = partial(self._inline, pictures, effect, exchange, response, media)
            return Answer(200, [], b"", "the picture responder", later=later)
        root = f"{exchange.request.origin}{PICTURES}"
        addresses = [root + self._gallery.promise(picture, exchange.due, effect) for picture in pictures]
        return self._answer([{"url": address} for address in addresses], exchange, response, media)

    def _inline(
        self,
        pictures: list[Picture],
        effect: FileEffect | None,
        exchange: Exchange,
        response: Response,
        media: Media,
    ) -> Answer:
        files = [self._gallery.content(picture, effect) for picture in pictures]
        return self._answer(
            [{"b64_json": base64.b64encode(file).decode()} for file in files], exchange, response, media
        )

    def _answer(self, data: list[dict[str, str]], exchange: Exchange, response: Response, media: Media) -> Answer:
        value = {"created": int(exchange.due), "data": data}
        return response.value(exchange, 200, media, value, "the picture responder", check=self._check)


def asked_for(fields: dict[str, Any], size: Size = "preview", least_bytes: int = 0) -> list[Picture]:
    """Return the pictures that the fields of a valid request ask for."""
    count, seed = fields.get("n", 1), fields.get("seed")
    return [
        Picture(
            model=str(fields.get("model", "")),
            prompt=str(fields.get("prompt", "")),
            ratio=parse_ratio(str(fields.get("aspect_ratio", ""))) or _DEFAULT_RATIO,
            seed=seed if isinstance(seed, int) else None,
            index=index,
            format="png" if fields.get("output_format") == "png" else _DEFAULT_FORMAT,
            size=size,
            least_bytes=least_bytes,
        )
        for index in range(min(count, _MOST_PICTURES) if isinstance(count, int) else 1)
    ]

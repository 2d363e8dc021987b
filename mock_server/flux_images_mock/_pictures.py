"""The one special operation: `create_image` answers with pictures, as addresses on the mock or as base64."""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from flux_images_mock._draw import Picture, draw
from flux_images_mock._http import Answer, Exchange, Pairs
from flux_images_mock._json import is_object
from flux_images_mock._ratio import parse_ratio

if TYPE_CHECKING:
    from flux_images_mock._clock import Clock
    from flux_images_mock._operation import Operation

PREFIX = "/__mock__/pictures/"
OPERATION = "create_image"

_DEFAULT_RATIO = (16, 9)  # flux-model: the maker's own default for flux-pro-1.1-ultra
_DEFAULT_FORMAT: Literal["jpeg"] = "jpeg"  # flux-model: likewise
_MOST_PROMISED = 8 * 1024 * 1024
_MOST_DRAWN = 32 * 1024 * 1024


class Gallery:
    """The pictures that were promised and those that were drawn, each within a limit of bytes, oldest out first."""

    def __init__(self) -> None:
        self._promised: OrderedDict[str, Picture] = OrderedDict()
        self._drawn: OrderedDict[str, bytes] = OrderedDict()
        self._promised_size = 0
        self._drawn_size = 0
        self._lock = Lock()

    def promise(self, picture: Picture) -> str:
        """Return the name under which the picture can be fetched; it is drawn when it is first asked for."""
        name = picture.name
        with self._lock:
            if name not in self._promised:
                self._promised_size += _weight(picture)
            self._promised[name] = picture
            self._promised.move_to_end(name)
            while self._promised_size > _MOST_PROMISED:
                _, oldest = self._promised.popitem(last=False)
                self._promised_size -= _weight(oldest)
        return name

    def fetch(self, name: str) -> bytes | None:
        """Return a promised picture's file, drawing it if need be."""
        with self._lock:
            picture, file = self._promised.get(name), self._drawn.get(name)
        if file is not None or picture is None:
            return file
        file = draw(picture)
        with self._lock:
            if name not in self._drawn:
                self._drawn[name] = file
                self._drawn_size += len(file)
            while self._drawn_size > _MOST_DRAWN:
                _, oldest = self._drawn.popitem(last=False)
                self._drawn_size -= len(oldest)
        return file

    async def serve(self, exchange: Exchange) -> Answer:
        """Answer a request for a picture's address, as a host of signed addresses does."""
        request = exchange.request
        if request.method not in ("GET", "HEAD"):
            return _page(405, "fetch a picture with GET", [(b"allow", b"GET, HEAD")])
        if request.headers.get(b"authorization") is not None:
            return _page(
                401, "a signed address takes no Authorization header: never send the API key to a picture's host"
            )
        name = request.path.removeprefix(PREFIX)
        file = await asyncio.to_thread(self.fetch, name)
        if file is None:
            return _page(404, "no such picture; addresses are forgotten when too many newer ones have been given out")
        media_type = f"image/{name.rpartition('.')[2]}".encode()
        headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(file))]
        return Answer(200, headers, file, "picture")


def _weight(picture: Picture) -> int:
    return 400 + 4 * (len(picture.prompt) + len(picture.model))


def _page(status: int, text: str, headers: Pairs | None = None) -> Answer:
    body = f"{text}\n".encode()
    pairs = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body)), *(headers or [])]
    return Answer(status, pairs, body, "picture")


class CreateImage:
    """The responder: turns a valid request into the pictures it asks for."""

    def __init__(self, gallery: Gallery, clock: Clock, *, check: bool = True) -> None:
        self._gallery = gallery
        self._clock = clock
        self._check = check

    async def __call__(self, exchange: Exchange, operation: Operation) -> Answer | None:
        response = operation.responses.find(200)
        media = None if response is None else response.media.get("application/json")
        if response is None or media is None:
            return None
        pictures = asked_for(exchange.body)
        if is_object(exchange.body) and exchange.body.get("response_format") == "b64_json":
            data = [{"b64_json": await asyncio.to_thread(self._encode, picture)} for picture in pictures]
        else:
            root = f"{exchange.request.origin}{PREFIX}"
            data = [{"url": root + self._gallery.promise(picture)} for picture in pictures]
        value = {"created": int(self._clock.now()), "data": data}
        return response.value(exchange, 200, media, value, "the picture responder", check=self._check)

    def _encode(self, picture: Picture) -> str:
        return base64.b64encode(self._gallery.fetch(self._gallery.promise(picture)) or draw(picture)).decode()


def asked_for(body: Any) -> list[Picture]:
    """Return the pictures that a valid request body asks for."""
    fields = body if is_object(body) else {}
    model, prompt, seed = str(fields.get("model", "")), str(fields.get("prompt", "")), fields.get("seed")
    ratio = parse_ratio(str(fields.get("aspect_ratio"))) or _DEFAULT_RATIO
    file_format: Literal["jpeg", "png"] = "png" if fields.get("output_format") == "png" else _DEFAULT_FORMAT
    count = fields.get("n", 1)
    return [
        Picture(model, prompt, ratio, seed, number, file_format)
        for number in range(int(count) if isinstance(count, (int, float)) else 1)
    ]

"""The pictures: asked for, promised under addresses that expire, and drawn when they are first fetched."""

from __future__ import annotations

import base64
import os
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

import orjson

from flux_images_mock._answer.answer import Answer
from flux_images_mock._answer.operation import Media, Operation, Response
from flux_images_mock._answer.respond import Asked
from flux_images_mock._answer.scenarios import FileEffect, Shape
from flux_images_mock._description.schema import parse_ratio
from flux_images_mock._options import Behaviour, Size, read_duration
from flux_images_mock._pictures.draw import Format, Picture, draw
from flux_images_mock._request.bodies import members
from flux_images_mock._request.message import Pairs, Request

OPERATION = "create_image"
"""The one special operation."""

PICTURES = "/__mock__/pictures/"
"""The host of the pictures, which anyone with an address may ask."""

TASKS = "/v1/tasks/"
"""Where a task that a scenario began is asked for, free of charge."""

_PICTURES = [{"url": "https://pictures.example/1.jpg"}]

_URL_TTL = 600.0  # seconds that an address is valid: 10 minutes is common
_DEFAULT_RATIO = (16, 9)  # flux-model: the maker's own default for flux-pro-1.1-ultra
_DEFAULT_FORMAT: Format = "jpeg"  # flux-model: likewise
_MOST_PICTURES = 10
_MOST_TASKS = 10_000
_MOST_PROMISED = 8 * 1024 * 1024
_MOST_DRAWN = 32 * 1024 * 1024


class CreateImage:
    """What answers `create_image`: with addresses on the mock, or with base64."""

    def __init__(self, gallery: Gallery, response: Response, media: Media, *, check: bool) -> None:
        self._gallery = gallery
        self._response = response
        self._media = media
        self._check = check

    @staticmethod
    def fitting(operation: Operation, gallery: Gallery, *, check: bool) -> CreateImage | None:
        """Return a responder for an operation whose answer holds pictures as ours does; nothing for any other."""
        response = operation.responses.find(200)
        media = None if response is None else response.media.get("application/json")
        if response is None or media is None or not _takes(media, _PICTURES) or _takes(media, 7):
            return None
        return CreateImage(gallery, response, media, check=check)

    def __call__(self, asked: Asked) -> Answer:
        """Return the answer to a valid request."""
        scenario, fields = asked.scenario, members(asked.body)
        effect = None if scenario is None else scenario.file
        if scenario is not None and scenario.draw:
            fields = {**fields, **scenario.draw}
        pictures = self._asked_for(fields, 0 if effect is None else effect.least_bytes)
        if scenario is not None and scenario.shape is not None:
            write = partial(self._shaped, asked, scenario.shape, pictures, effect)
            return Answer(200, [], b"", "drawing", later=write) if scenario.shape.is_inline else write()
        if fields.get("response_format") == "b64_json":
            return Answer(200, [], b"", "drawing", later=partial(self._inline, asked, pictures, effect))
        root, promise = f"{asked.request.origin}{PICTURES}", self._gallery.promise
        return self._answer(asked, [{"url": root + promise(picture, asked.due, effect)} for picture in pictures])

    def _inline(self, asked: Asked, pictures: list[Picture], effect: FileEffect | None) -> Answer:
        files = [self._gallery.content(picture, effect) for picture in pictures]
        return self._answer(asked, [{"b64_json": base64.b64encode(file).decode()} for file in files])

    def _shaped(self, asked: Asked, shape: Shape, pictures: list[Picture], effect: FileEffect | None) -> Answer:
        """Return the pictures in a shape that is not the contract's."""
        words = {"created": str(int(asked.due))}
        entries = [self._words(asked, picture, effect, is_inline=shape.is_inline) for picture in pictures]
        if shape.is_task:
            words["task"] = self._gallery.begin([entry["url"] for entry in entries])
        headers = [*self._response.headers(asked.request.id), *shape.headers]
        return Answer(shape.status, headers, shape.write(entries, words), "the picture responder, in another shape")

    def _words(self, asked: Asked, picture: Picture, effect: FileEffect | None, *, is_inline: bool) -> dict[str, str]:
        path = PICTURES + self._gallery.promise(picture, asked.due, effect)
        words = {"url": asked.request.origin + path, "path": path}
        if is_inline:
            text = base64.b64encode(self._gallery.content(picture, effect)).decode()
            lines = "\n".join(text[start : start + 76] for start in range(0, len(text), 76))
            words |= {"b64": text, "b64_lines": lines, "b64_url_safe": text.replace("+", "-").replace("/", "_")}
        return words

    def _answer(self, asked: Asked, data: list[dict[str, str]]) -> Answer:
        value = {"created": int(asked.due), "data": data}
        return self._response.value(
            asked.request.id, 200, self._media, value, "the picture responder", check=self._check
        )

    def _asked_for(self, fields: dict[str, Any], least_bytes: int) -> list[Picture]:
        count, seed = fields.get("n", 1), fields.get("seed")
        return [
            Picture(
                model=str(fields.get("model", "")),
                prompt=str(fields.get("prompt", "")),
                ratio=parse_ratio(str(fields.get("aspect_ratio", ""))) or _DEFAULT_RATIO,
                seed=seed if isinstance(seed, int) else None,
                index=index,
                format="png" if fields.get("output_format") == "png" else _DEFAULT_FORMAT,
                size=self._gallery.size,
                least_bytes=least_bytes,
            )
            for index in range(min(count, _MOST_PICTURES) if isinstance(count, int) else 1)
        ]


def _takes(media: Media, data: Any) -> bool:
    """Return whether an answer's `data` may be this, whatever else is asked of it."""
    differing = media.differences({"created": 0, "data": data})
    return not any(violation.where.startswith("/data") for violation in differing)


class Gallery:
    """The pictures that were promised and those that were drawn, each within a limit of bytes, oldest out first."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = Lock()
        self._drawn: OrderedDict[Picture, bytes] = OrderedDict()
        self._drawn_size = 0
        self.reset({})

    def reset(self, behaviour: Behaviour) -> None:
        """Forget every address; files stay drawn, as the same picture is the same file."""
        with self._lock:
            self.size: Size = behaviour.get("size", "preview")
            self._ttl = read_duration(behaviour.get("url_ttl", _URL_TTL), "url_ttl")
            self._promised: OrderedDict[str, tuple[str, float, Picture, FileEffect | None]] = OrderedDict()
            self._promised_size = 0
            self._asked: Counter[str] = Counter()
            self._tasks: dict[str, list[str]] = {}

    def begin(self, urls: list[str]) -> str:
        """Return the id of a task that brings pictures at these addresses; the first question finds it pending."""
        task = f"task-{os.urandom(12).hex()}"
        with self._lock:
            self._tasks[task] = urls
            while len(self._tasks) > _MOST_TASKS:
                self._tasks.pop(next(iter(self._tasks)))
        return task

    def has(self, path: str) -> bool:
        """Whether a path is one of a picture, or of a task that was begun."""
        return path.startswith(PICTURES) or (path.startswith(TASKS) and path.removeprefix(TASKS) in self._tasks)

    def promise(self, picture: Picture, since: float, effect: FileEffect | None = None) -> str:
        """Return the end of an address that is valid `since` a time; the picture is drawn when first fetched."""
        expires = since + (-1.0 if effect is not None and effect.expired else self._ttl)
        token = os.urandom(24).hex()
        name, query = f"{token[:24]}.{picture.format}", f"expires={int(expires)}&signature={token[24:]}"
        with self._lock:
            self._promised[name] = query, expires, picture, effect
            self._promised_size += _weight(picture)
            while self._promised_size > _MOST_PROMISED:
                _, (_, _, oldest, _) = self._promised.popitem(last=False)
                self._promised_size -= _weight(oldest)
        return f"{name}?{query}"

    def content(self, picture: Picture, effect: FileEffect | None = None) -> bytes:
        """Return what stands in a picture's place: its file, unless a scenario changes it. Drawing takes a while."""
        file = self._draw(picture)
        return file[: len(file) // 2] if effect is not None and effect.cut else file

    def serve(self, request: Request) -> Answer:
        """Answer a request for a picture's address, as a host of signed addresses does; or for a task."""
        if request.path.startswith(TASKS):
            return self._task(request)
        if request.method not in ("GET", "HEAD"):
            return _page(405, "fetch a picture with GET", [(b"allow", b"GET, HEAD")])
        if request.headers.get(b"authorization") is not None:
            return _page(
                401, "a signed address takes no Authorization header: never send the API key to a picture's host"
            )
        with self._lock:
            promised = self._promised.get(request.path.removeprefix(PICTURES))
        if promised is None or promised[0] != request.query.decode("latin-1"):
            return _page(403, "this is no address that was given out, whole, or too many newer ones have been since")
        _, expires, picture, effect = promised
        if expires <= self._now():
            return _page(403, "the address has expired; pictures must be fetched soon after they are drawn")
        self._asked[request.path] += 1
        is_over = effect is not None and effect.times is not None and self._asked[request.path] > effect.times
        if effect is not None and effect.answer is not None and not is_over:
            answer = effect.answer(request.id)
        else:
            answer = Answer(200, [], b"", "picture", later=partial(self._file, picture, effect))
        answer.fault = None if effect is None else effect.fault
        return answer

    def _task(self, request: Request) -> Answer:
        if not (request.headers.get(b"authorization") or b"").lower().startswith(b"bearer "):
            return _page(401, "a task is asked for with the key, as it was begun")
        self._asked[request.path] += 1
        task = request.path.removeprefix(TASKS)
        value: dict[str, Any] = {"task_id": task, "status": "in_progress"}
        if self._asked[request.path] > 1:
            value |= {"status": "completed", "result": {"images": [{"url": url} for url in self._tasks.get(task, [])]}}
        return Answer(200, [(b"content-type", b"application/json")], orjson.dumps(value), "task")

    def _file(self, picture: Picture, effect: FileEffect | None) -> Answer:
        file = self.content(picture, effect)
        return Answer(200, [(b"content-type", b"image/" + picture.format.encode())], file, "picture")

    def _draw(self, picture: Picture) -> bytes:
        with self._lock:
            file = self._drawn.get(picture)
        if file is not None:
            return file
        file = draw(picture)
        with self._lock:
            if picture not in self._drawn:
                self._drawn[picture] = file
                self._drawn_size += len(file)
            while self._drawn_size > _MOST_DRAWN:
                _, oldest = self._drawn.popitem(last=False)
                self._drawn_size -= len(oldest)
        return file


def _weight(picture: Picture) -> int:
    return 700 + 4 * (len(picture.prompt) + len(picture.model))


def _page(status: int, text: str, headers: Pairs | None = None) -> Answer:
    pairs = [(b"content-type", b"text/plain; charset=utf-8"), *(headers or [])]
    return Answer(status, pairs, f"{text}\n".encode(), "picture")

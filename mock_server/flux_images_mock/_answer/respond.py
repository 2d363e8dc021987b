"""Choose what a valid request gets: a preferred answer, a special responder's, an example, or a sample."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.request import parse_http_list

from flux_images_mock._answer.answer import Answer
from flux_images_mock._answer.operation import Operation
from flux_images_mock._answer.responses import Media, Response
from flux_images_mock._answer.scenarios import Scenario
from flux_images_mock._description.schema import Violation
from flux_images_mock._request.message import Request
from flux_images_mock._request.parameters import Values

Source = Callable[["Asked"], Answer]
"""Answers a valid request."""


@dataclass(slots=True)
class Asked:
    """A valid request, and all that its answer may depend on."""

    request: Request
    operation: Operation
    parameters: Values
    body: Any
    preferences: dict[str, str]
    scenario: Scenario | None
    """What the request meets, where that leaves the making of the answer to others."""
    due: float
    """When the model has its answer, by the mock's clock."""


class PreferenceError(ValueError):
    """A preference that the description can't meet."""

    def __init__(self, expected: str, got: str) -> None:
        self.violation = Violation("header", "Prefer", expected, got[:80])
        super().__init__(str(self.violation))


def read_preferences(lines: list[bytes]) -> dict[str, str]:
    """Return the preferences of `Prefer` headers (RFC 7240), the first of each name."""
    found: dict[str, str] = {}
    for line in lines:
        for item in parse_http_list(line.decode("latin-1")):
            name, _, value = item.partition(";")[0].partition("=")
            found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


def preferred(asked: Asked) -> Answer | None:
    """Answer as `Prefer: code=`, `example=` or `dynamic=true` asks, if it does."""
    wishes, operation = asked.preferences, asked.operation
    code, name = wishes.get("code"), wishes.get("example")
    dynamic = wishes.get("dynamic") == "true"
    if code is None and name is None and not dynamic:
        return None
    candidates = operation.responses.in_turn()
    if code is not None:
        response = operation.responses.find(int(code)) if re.fullmatch("[2-5][0-9]{2}", code, re.ASCII) else None
        if response is None:
            raise PreferenceError(f"code= one of {', '.join(operation.responses.by_key)}", f"code={code}")
        candidates = [(int(code), response)]
    if name is not None:
        return _by_name(asked, candidates, name)
    status, response = candidates[0]
    return _plain(asked, status, response, dynamic=dynamic)


def _by_name(asked: Asked, candidates: list[tuple[int, Response]], name: str) -> Answer:
    for status, response in candidates:
        for media in response.media.values():
            example = media.examples.get(name)
            if example is not None:
                return response.example(asked.request.id, status, media, example)
    known = [key for _, response in candidates for media in response.media.values() for key in media.examples]
    raise PreferenceError(f"example= one of {', '.join(known) or 'none'}", f"example={name}")


def declared(asked: Asked) -> Answer:
    """Answer with the usual status: its first example, else a sample of its schema."""
    for status, response in asked.operation.responses.in_turn():
        return _plain(asked, status, response, dynamic=False)
    return Answer(200, [], b"", "nothing declared")


def _plain(asked: Asked, status: int, response: Response, *, dynamic: bool) -> Answer:
    """Return a response's first example (in a media type that the caller accepts), or a sample."""
    request = asked.request
    media = _acceptable(request, response)
    if media is None:
        return response.answer(request.id, status, None, b"", f"status {status}")
    if not dynamic:
        for example in media.examples.values():
            return response.example(request.id, status, media, example)
    sample = media.sample(f"{request.method} {request.path} {request.query!r} {asked.body!r}")
    return response.value(request.id, status, media, sample, f"the sample of status {status}", check=True)


def _acceptable(request: Request, response: Response) -> Media | None:
    """Return the media type that suits the Accept header best, else the first declared one."""
    if len(response.media) > 1:
        accept = (request.headers.get(b"accept") or b"*/*").decode("latin-1")
        wanted = sorted((_quality(part) for part in accept.split(",")), key=lambda pair: -pair[1])
        for pattern, quality in wanted:
            for name, media in response.media.items():
                if quality > 0 and (pattern in ("*/*", name) or pattern == f"{name.partition('/')[0]}/*"):
                    return media
    return next(iter(response.media.values()), None)


def _quality(part: str) -> tuple[str, float]:
    name, _, parameters = part.partition(";")
    match = re.search(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)", parameters, re.ASCII)
    return name.strip().lower(), float(match[1]) if match else 1.0

"""Choose what a valid request gets: a preferred answer, a special responder's, an example, or a sample."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flux_images_mock._request.message import Answer, Exchange, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_images_mock._answer.operation import Operation
    from flux_images_mock._answer.responses import Media, Response

    Source = Callable[[Exchange, Operation], Answer | None]
    """Answers a request, or passes it to the next source."""

_PREFERENCE = re.compile(
    r"""\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?[^,]*(?:,|$)""", re.ASCII
)


class PreferenceError(ValueError):
    """A preference that the description can't meet."""

    def __init__(self, expected: str, got: str) -> None:
        self.violation = Violation("header", "Prefer", expected, got[:80])
        super().__init__(str(self.violation))


def read_preferences(lines: list[bytes]) -> dict[str, str]:
    """Return the preferences of `Prefer` headers (RFC 7240), the first of each name."""
    found: dict[str, str] = {}
    for line in lines:
        for name, quoted, plain in _PREFERENCE.findall(line.decode("latin-1")):
            found.setdefault(name.lower(), quoted or plain)
    return found


def preferred(exchange: Exchange, operation: Operation) -> Answer | None:
    """Answer as `Prefer: code=`, `example=` or `dynamic=true` asks."""
    wishes = exchange.preferences
    if not wishes:
        return None
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
        return _by_name(exchange, candidates, name)
    status, response = candidates[0]
    return plain(exchange, status, response, dynamic=dynamic)


def _by_name(exchange: Exchange, candidates: list[tuple[int, Response]], name: str) -> Answer:
    for status, response in candidates:
        for media in response.media.values():
            example = media.examples.get(name)
            if example is not None:
                return response.example(exchange, status, media, example)
    known = [key for _, response in candidates for media in response.media.values() for key in media.examples]
    raise PreferenceError(f"example= one of {', '.join(known) or 'none'}", f"example={name}")


def declared(exchange: Exchange, operation: Operation) -> Answer | None:
    """Answer with the usual status: its first example, else a sample of its schema."""
    for status, response in operation.responses.in_turn():
        return plain(exchange, status, response, dynamic=False)
    return Answer(200, [(b"content-length", b"0")], b"", "nothing declared")


def plain(exchange: Exchange, status: int, response: Response, *, dynamic: bool) -> Answer:
    """Return a response's first example (in a media type that the caller accepts), or a sample."""
    media = acceptable(exchange, response)
    if media is None:
        return response.answer(exchange, status, None, b"", f"status {status}")
    if not dynamic:
        for example in media.examples.values():
            return response.example(exchange, status, media, example)
    request = exchange.request
    sample = media.sample(f"{request.method} {request.path} {request.query!r} {exchange.body!r}")
    return response.value(exchange, status, media, sample, f"the sample of status {status}", check=True)


def acceptable(exchange: Exchange, response: Response) -> Media | None:
    """Return the media type that suits the Accept header best, else the first declared one."""
    if len(response.media) > 1:
        accept = (exchange.request.headers.get(b"accept") or b"*/*").decode("latin-1")
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


def special(responders: Mapping[str, Source]) -> Source:
    """Return a source that answers by `operationId`."""

    def answer(exchange: Exchange, operation: Operation) -> Answer | None:
        responder = responders.get(operation.operation_id)
        return None if responder is None else responder(exchange, operation)

    return answer

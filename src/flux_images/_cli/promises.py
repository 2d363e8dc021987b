"""What the contract promises of a live gateway, promise by promise, and what each costs to ask."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, NamedTuple

import httpx

from flux_images import FluxImages, FluxImagesError
from flux_images._text import one_line
from flux_images_api.api.images import create_image
from flux_images_api.contract import OPERATIONS
from flux_images_api.errors import ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_images._request.key import Key

KEPT, BROKEN, NOT_TESTED = "kept", "broken", "not tested"
_OPERATION = OPERATIONS["create_image"]
_PROMPT = "A polished silver medal"
_MODEL = "flux-pro-1.1-ultra"
_STRANGER = "sk-flux-images-check-unknown"
_HALF = b'{"model": '
"""A body that nobody can draw."""
_LONGEST = 300
"""Characters of evidence. It is cut after the key was taken out, so that no part of one is left at the end."""
_OFF = 0.02
"""How far a picture may be from the ratio asked for: gateways draw in steps of pixels."""


class Seen(NamedTuple):
    """A picture that was received."""

    media_type: str
    content: bytes


class Finding(NamedTuple):
    """What became of one promise: kept, broken or not tested, and the evidence."""

    promise: str
    verdict: str
    evidence: str
    pictures: tuple[Seen, ...] = ()


class Allowance:
    """How many calls may still be paid for; a call is counted before it is sent."""

    def __init__(self, calls: int) -> None:
        self._left = calls
        self._lock = threading.Lock()
        self.spent = 0

    def take(self) -> bool:
        """Count a call that may cost money; False if no more are allowed."""
        with self._lock:
            if not self._left:
                return False
            self._left -= 1
            self.spent += 1
            return True


class Gateway:
    """The gateway that is asked, and the key to ask it with."""

    def __init__(self, base_url: httpx.URL, key: Key, flux: FluxImages, allowance: Allowance) -> None:
        self.key = key
        self.flux = flux
        self.allowance = allowance
        self._http = httpx.Client(base_url=base_url, timeout=60, follow_redirects=False)

    def ask(
        self, body: bytes, authorization: str | None, method: str = _OPERATION.method, path: str = _OPERATION.path
    ) -> httpx.Response:
        """Send bytes that cannot be drawn, with any Authorization header or none."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        return self._http.request(method, path, content=body, headers=headers)

    def obstacle(self) -> str | None:
        """Why nothing can be asked here: nobody answers, it is no such gateway, or the key is not accepted."""
        try:
            answer = self.ask(_HALF, self.key.authorization())
        except httpx.HTTPError as error:
            return f"cannot be reached: {self.key.redact(str(error)) or type(error).__name__}"
        said = one_line(self.key.redact(answer.text), 200)
        if answer.status_code in (401, 403):
            return f"does not accept the key: {answer.status_code} {said}"
        if answer.status_code == 404 or "html" in answer.headers.get("content-type", ""):
            return f"has no {_OPERATION.path}: {answer.status_code} {said}"
        return None

    def hides(self, content: bytes) -> bool:
        """Whether the key does not stand in a file, as some gateways write requests into their pictures."""
        text = content.decode("latin-1")
        return self.key.redact(text) == text

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class Promise(NamedTuple):
    """One promise; `paid` says that asking may cost a call."""

    name: str
    paid: bool
    ask: Callable[[Gateway], Finding]

    def find(self, gateway: Gateway) -> Finding:
        """Ask the gateway, if the allowance covers it. The key stands neither in the evidence nor in a picture."""
        if self.paid and not gateway.allowance.take():
            return Finding(self.name, NOT_TESTED, "asking may cost money: raise --allow-paid")
        try:
            found = self.ask(gateway)
        except httpx.HTTPError as error:
            found = Finding("", NOT_TESTED, f"no answer: {type(error).__name__} {error}")
        except FluxImagesError as error:
            found = Finding("", BROKEN, f"expected a picture, got {type(error).__name__}: {error}")
        return Finding(
            self.name,
            found.verdict,
            one_line(gateway.key.redact(found.evidence), _LONGEST),
            tuple(seen for seen in found.pictures if gateway.hides(seen.content)),
        )


def _refusal(status: int, body: bytes, authorization: str | None, **request: str) -> Callable[[Gateway], Finding]:
    """The promise of a declared error: its status, its body, its request id. None stands for the real key."""

    def ask(gateway: Gateway) -> Finding:
        header = gateway.key.authorization() if authorization is None else authorization or None
        return _judged(gateway.ask(body, header, **request), status)

    return ask


def _judged(answer: httpx.Response, status: int) -> Finding:
    got = f"{answer.status_code} {answer.headers.get('content-type', 'no media type')}: {answer.text}"
    if answer.status_code != status:
        return Finding("", BROKEN, f"expected {status}, got {got}")
    try:
        create_image.parse_response(answer)
    except ResponseError as error:
        return Finding("", BROKEN, f"expected the contract's error body: {error}, got {got}")
    if not (answer.headers.get("x-oneapi-request-id") or answer.headers.get("x-request-id")):
        return Finding("", BROKEN, f"expected a request id in the headers, got {sorted(answer.headers)}")
    return Finding("", KEPT, got)


def _refused_before_spending(fields: Mapping[str, object]) -> Callable[[Gateway], Finding]:
    """A body that the contract forbids but a careless gateway might draw: paid for in advance."""
    body = json.dumps({"model": _MODEL, "prompt": _PROMPT, **fields}).encode()
    return _refusal(400, body, None)


def _picture(ratio: str, response_format: str) -> Callable[[Gateway], Finding]:
    def ask(gateway: Gateway) -> Finding:
        generation = gateway.flux.generate(
            _PROMPT,
            model=_MODEL,
            aspect_ratio=ratio,
            response_format="b64_json" if response_format == "b64_json" else "url",
        )
        image = generation.image
        seen = (Seen(image.media_type, image.read()),)
        width, height = map(int, ratio.split(":"))
        facts = f"{image.width} x {image.height} px, {image.media_type}, request id {generation.request_id}"
        if not image.height or abs(image.width / image.height / (width / height) - 1) > _OFF:
            return Finding("", BROKEN, f"expected the ratio {ratio}, got {facts}", seen)
        if (image.url is None) != (response_format == "b64_json"):
            return Finding(
                "", BROKEN, f"expected {response_format}, got {'b64_json' if image.url is None else 'url'}", seen
            )
        return Finding("", KEPT, facts, seen)

    return ask


PROMISES: tuple[Promise, ...] = (
    Promise("a call without a key is refused with 401", False, _refusal(401, _HALF, "")),
    Promise("a key under another scheme is refused with 401", False, _refusal(401, _HALF, f"Token {_STRANGER}")),
    Promise("an unknown key is refused with 401", False, _refusal(401, _HALF, f"Bearer {_STRANGER}")),
    Promise("the key is judged before the body", False, _refusal(401, b"{}", f"Bearer {_STRANGER}")),
    Promise("an unknown path under /v1 is 404", False, _refusal(404, _HALF, "", path="/v1/images/generation")),
    Promise("another method is 404", False, _refusal(404, b"", "", method="GET")),
    Promise("a body that is not JSON is refused with 400", False, _refusal(400, _HALF, None)),
    Promise("a body without a prompt is refused with 400", False, _refusal(400, b"{}", None)),
    Promise("an address of a picture, in the ratio asked for", True, _picture("1:1", "url")),
    Promise("a picture inside the answer, in the ratio asked for", True, _picture("16:9", "b64_json")),
    Promise("the widest ratio", True, _picture("21:9", "url")),
    Promise("the tallest ratio", True, _picture("9:21", "url")),
    Promise("an empty prompt is refused with 400", True, _refused_before_spending({"prompt": ""})),
    Promise("a ratio out of range is refused with 400", True, _refused_before_spending({"aspect_ratio": "22:9"})),
    Promise("no pictures is refused with 400", True, _refused_before_spending({"n": 0})),
    Promise("a number as text is refused with 400", True, _refused_before_spending({"seed": "7"})),
)
"""What costs nothing first: none of those requests can be drawn, whatever the gateway thinks of them."""

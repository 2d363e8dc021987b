"""Gateways that answer from a list, in place of a network."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx

from flux_images_api.models import CreateImageRequest
from tests.sdk.conftest import BUYERS
from tests.sdk.pictures import picture
from tests.sdk.raw_server import Reply, answer

PNG = picture()
INLINE = {"data": [{"b64_json": base64.b64encode(PNG).decode()}]}
JPEG = picture("JPEG")
PUBLIC = httpx.Response(200, json={"data": [{"url": "https://pictures.example/a.png?sig=s3cret"}]})
PATH = "/v1/images/generations"
BODY = CreateImageRequest(model="flux", prompt="a medal")


def answering(
    *answers: httpx.Response | Exception,
) -> tuple[Callable[[httpx.Request], httpx.Response], list[httpx.Request]]:
    """A handler that gives these answers in turn, the last for ever; and the requests that it saw."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        given = answers[min(len(seen), len(answers) - 1)]
        seen.append(request)
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, headers=given.headers, content=given.content)

    return handle, seen


def mocked(flavour: str, handle: Callable[[httpx.Request], httpx.Response], **options: Any) -> Any:
    """An ``http_client`` of the right kind."""
    kind = httpx.Client if flavour == "sync" else httpx.AsyncClient
    return kind(transport=httpx.MockTransport(handle), **options)


def gateway(*answers: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """The same as a transport."""
    handle, seen = answering(*answers)
    return httpx.MockTransport(handle), seen


def inline(*files: bytes) -> Reply:
    """An answer with these files inside."""
    data = [{"b64_json": base64.b64encode(file).decode()} for file in files]
    return [answer(200, json.dumps({"data": data}).encode(), "x-request-id: r1")]


def by_url(*urls: str) -> Reply:
    """An answer with these addresses."""
    return [answer(200, json.dumps({"data": [{"url": url} for url in urls]}).encode(), "x-request-id: r1")]


def buy_with(flavour: str, transport: httpx.MockTransport, **options: Any) -> list[bytes]:
    """Buy at a public gateway, through this transport."""
    kind: Callable[..., Any] = httpx.Client if flavour == "sync" else httpx.AsyncClient
    return BUYERS[flavour](None, options={"http_client": kind(transport=transport), **options})[1]

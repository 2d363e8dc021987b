"""Gateways that answer from a list, in place of a network."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx

from flux_images_api.models import CreateImageRequest
from tests.sdk.pictures import picture

PNG = picture()
INLINE = {"data": [{"b64_json": base64.b64encode(PNG).decode()}]}
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

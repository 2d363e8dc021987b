"""What a row is, and the answers that rows are made of."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import flux_images as flux
from tests.sdk.pictures import picture
from tests.sdk.raw_server import Reply, answer

ID = "2026112209301512345678abcdefgh"
PNG = picture()
B64 = base64.b64encode(PNG).decode()
JSON = "Content-Type: application/json"
HTML = "Content-Type: text/html; charset=utf-8"
HAS_ID = f"X-Oneapi-Request-Id: {ID}"
PAGE = b"<!DOCTYPE html><html><head><title>x</title></head><body>524: A timeout occurred</body></html>"


@dataclass(frozen=True)
class Row:
    """One behaviour and its outcome. Without an ``error`` the call succeeds with ``pictures`` pictures."""

    name: str
    reply: Reply
    error: type[flux.FluxImagesError] | None = None
    billed: bool = True
    posts: int = 1
    pictures: int = 1
    code: str | None = None
    request_id: str | None = None
    says: str = ""
    picture: Reply = (answer(200, PNG, "Content-Type: image/png"),)
    fields: dict[str, Any] = field(default_factory=dict[str, Any])


def json_answer(status: int, document: object, *headers: str) -> Reply:
    """An answer in JSON."""
    return (answer(status, json.dumps(document, ensure_ascii=False).encode(), JSON, *headers),)


def middleware(status: int, message: str, kind: str = "one_api_error") -> Reply:
    """An error of the gateway's middleware: no param, no code, the id in the message."""
    return json_answer(status, {"error": {"message": f"{message} (request id: {ID})", "type": kind}})


def relay(status: int, message: str, code: Any, *, kind: str = "new_api_error", param: str = "") -> Reply:
    """An error of the gateway's relay."""
    return json_answer(status, {"error": {"message": message, "type": kind, "param": param, "code": code}}, HAS_ID)


def success(document: object) -> Reply:
    """A 200."""
    return json_answer(200, document, HAS_ID)


URL = {"url": "{server}/picture.png?sig=1"}
GOOD_URL = success({"created": 1589478378, "data": [URL]})
GOOD_B64 = json.dumps({"created": 1, "data": [{"b64_json": B64}]}).encode()

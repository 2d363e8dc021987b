"""Credentials: the table of the bearer key in both manners, and the other kinds of security."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flux_images_mock import MockServer
from tests.mock.wire import GOOD, JSON, exchange, post

if TYPE_CHECKING:
    from collections.abc import Iterator

PETS = Path(__file__).parents[1] / "specs" / "pets.yaml"

# Authorization lines, then the status in the default manner and in the gateway's, and what the refusal advises.
LINES = {
    "none": (b"", 401, 401, "Authorization: Bearer YOUR_KEY"),
    "empty": (b"Authorization:\r\n", 401, 401, "Authorization: Bearer YOUR_KEY"),
    "no key": (b"Authorization: Bearer\r\n", 401, 401, "Authorization: Bearer YOUR_KEY"),
    "no key after a space": (b"Authorization: Bearer \r\n", 401, 401, "Authorization: Bearer YOUR_KEY"),
    "another scheme": (b"Authorization: Basic eDp5\r\n", 401, 401, "must be Bearer"),
    "Token": (b"Authorization: Token sk-a\r\n", 401, 401, "must be Bearer"),
    "x-api-key": (b"x-api-key: sk-a\r\n", 401, 401, "Authorization: Bearer YOUR_KEY"),
    "a cookie": (b"Cookie: Authorization=sk-a\r\n", 401, 401, "Authorization: Bearer YOUR_KEY"),
    "a raw key": (b"Authorization: sk-a\r\n", 401, 200, "put `Bearer ` before the key"),
    "Bearer": (b"Authorization: Bearer sk-a\r\n", 200, 200, ""),
    "two spaces": (b"Authorization: Bearer  sk-a\r\n", 200, 200, ""),
    "lower case": (b"Authorization: bearer sk-a\r\n", 200, 401, "must be Bearer"),
    "upper case": (b"Authorization: BEARER sk-a\r\n", 200, 401, "must be Bearer"),
    "a tab": (b"Authorization: Bearer\tsk-a\r\n", 401, 401, "visible ASCII"),
    "a key with a space": (b"Authorization: Bearer sk a\r\n", 401, 401, "visible ASCII"),
    "not ASCII": (b"Authorization: Bearer sk-\xe9\r\n", 401, 401, "visible ASCII"),
    "two headers": (b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", 400, 400, "one header"),
}

BASIC = base64.b64encode(b"rex:bone")
PETS_LINES = {
    "any of two: the first": (b"POST /api/v2/pets", b"X-Api-Key: a\r\n", 201),
    "any of two: the second": (b"POST /api/v2/pets", b"Authorization: Basic " + BASIC + b"\r\n", 201),
    "any of two: neither": (b"POST /api/v2/pets", b"", 401),
    "basic that isn't base64": (b"POST /api/v2/pets", b"Authorization: Basic ***\r\n", 401),
    "basic without a colon": (b"POST /api/v2/pets", b"Authorization: Basic eA==\r\n", 401),
    "both: both": (b"DELETE /api/v2/pets/1?api_key=a", b"Authorization: Bearer a\r\n", 204),
    "both: only one": (b"DELETE /api/v2/pets/1", b"Authorization: Bearer a\r\n", 401),
    "both: only the other": (b"DELETE /api/v2/pets/1?api_key=a", b"", 401),
    "optional: given": (b"GET /api/v2/pets/mine", b"Cookie: a=b; pet_key=c\r\n", 200),
    "optional: not given": (b"GET /api/v2/pets/mine", b"", 200),
}


@pytest.fixture(scope="module")
def gateway() -> Iterator[MockServer]:
    with MockServer(auth="gateway") as server:
        yield server


@pytest.fixture(scope="module")
def pets() -> Iterator[MockServer]:
    with MockServer(PETS) as server:
        yield server


@pytest.mark.parametrize(("lines", "default", "by_gateway", "advice"), LINES.values(), ids=LINES)
def test_bearer(
    lines: bytes, default: int, by_gateway: int, advice: str, server: MockServer, gateway: MockServer
) -> None:
    """Each form of the header gets its status in both manners, and a refusal says what to write; no key is told."""
    for each, status in ((server, default), (gateway, by_gateway)):
        (reply,) = exchange(each.url, post(GOOD, lines + JSON))
        assert reply.status == status
        assert status == 200 or advice in json.loads(reply.body)["error"]["message"]
        assert b"sk-a" not in reply.body + reply.head


@pytest.mark.parametrize(("line", "headers", "status"), PETS_LINES.values(), ids=PETS_LINES)
def test_other_schemes(line: bytes, headers: bytes, status: int, pets: MockServer) -> None:
    """Basic, keys in three places, alternatives, combinations and optional security are judged as declared."""
    body = b'{"name":"Rex","kind":"dog"}' if line.startswith(b"POST") else b""
    head = headers + (JSON + b"Content-Length: %d\r\n" % len(body) if body else b"")
    (reply,) = exchange(pets.url, line + b" HTTP/1.1\r\nHost: mock\r\n" + head + b"\r\n" + body)
    assert reply.status == status
    if status == 401:
        assert b"www-authenticate:" in reply.head.lower()

"""Who is let in, over real HTTP, and that nothing is said of the body before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import flux_images
from contract_tests.checks.raw_http import exchange, post
from contract_tests.contract import document as contract

if TYPE_CHECKING:
    from contract_tests.conftest import Generate
    from flux_images_mock import MockServer

ROWS = contract.cases("authorization")
PATH = "/v1/images/generations"
GOOD = json.dumps({"model": "flux-pro-1.1-ultra", "prompt": "a medal"}).encode()
BAD = [b'{"model":', b'{"model": "m", "n": 99}', b"[]", b""]

rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])


def _filled(text: str) -> str:
    return text.replace("{long}", "sk-" + "k" * 6000).replace("{too-long}", "sk-" + "k" * 70_000)


def _request(row: dict[str, Any], body: bytes) -> bytes:
    return post(PATH + row.get("query", ""), [_filled(line).encode("latin-1") for line in row["lines"]], body)


@pytest.mark.parametrize("row", contract.cases("keys"), ids=lambda row: row["name"])
def test_a_key_through_the_sdk_and_over_raw_http(row: dict[str, Any], generate: Generate, mock: MockServer) -> None:
    """Both get the same verdict; the SDK gives it as a typed error that doesn't show the key."""
    key = _filled(row["key"])
    if "error" not in row:
        assert generate(mock.url, "a medal", key=key).images
    else:
        with pytest.raises(flux_images.FluxImagesError) as caught:
            generate(mock.url, "a medal", key=key)
        assert type(caught.value).__name__ == row["error"], f"{row['name']}: it says: {caught.value}"
        assert not key.strip() or key.strip() not in f"{caught.value!r} {caught.value}"
    if row.get("error") != "ConfigurationError":
        status = exchange(mock.url, post(PATH, [f"Authorization: Bearer {key}".encode()], GOOD)).status
        assert status == row.get("status", 200)


@rows
@pytest.mark.parametrize("kind", ["default", "gateway"])
def test_authorization(row: dict[str, Any], kind: str, mock: MockServer, old_gateway: MockServer) -> None:
    """Each way to send a key is taken or refused as the gateways of the family do."""
    server = mock if kind == "default" else old_gateway
    answer = exchange(server.url, _request(row, GOOD))
    assert answer.status == row[kind], f"{row['name']}, {kind} gateway: {answer.body.decode()}"
    if kind == "default" and "advice" in row:
        assert row["advice"] in json.loads(answer.body)["error"]["message"]


@rows
@pytest.mark.parametrize("body", BAD)
def test_the_key_is_judged_before_the_body(row: dict[str, Any], body: bytes, mock: MockServer) -> None:
    """Without a good key nothing is told about the body; with one, a bad body is refused."""
    answer = exchange(mock.url, _request(row, body))
    if row["default"] == 200:
        assert answer.status == 400
    else:
        assert answer.status == row["default"]
        assert answer.body.count(b"/") == exchange(mock.url, _request(row, GOOD)).body.count(b"/")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PATH), ("PUT", PATH), ("POST", "/v1/images"), ("POST", "/v1/image/generations")]
)
@pytest.mark.parametrize("lines", [[], [b"Authorization: Bearer sk-key"]], ids=["no key", "key"])
def test_the_route_is_judged_before_the_key(method: str, path: str, lines: list[bytes], mock: MockServer) -> None:
    """A wrong path or method is the family's 404, with or without a key; never a 405."""
    answer = exchange(mock.url, post(path, lines, b"{}").replace(b"POST", method.encode(), 1))
    assert answer.status == 404
    assert json.loads(answer.body)["error"]["message"] == f"Invalid URL ({method} {path})"

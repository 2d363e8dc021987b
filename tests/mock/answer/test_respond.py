"""Which answer a valid request gets, how refusals are worded, and that no answer leaves unchecked."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from flux_images_mock import app
from flux_images_mock._answer.respond import read_preferences

ROOT = Path(__file__).parents[3]
SPECS = Path(__file__).parents[1] / "specs"
PATH = "/v1/images/generations"
GOOD = {"model": "flux", "prompt": "a lighthouse"}
CONTRACT = app()
CHAT = app(SPECS / "chat.json")
PETS = app(SPECS / "pets.yaml")

PREFERENCES: dict[str, tuple[int, str]] = {
    "code=429": (429, "当前分组上游负载已饱和"),
    "code=401, example=token-expired": (401, "该令牌已过期"),
    'code="401", example="token-expired"': (401, "该令牌已过期"),
    "example=panic": (500, "Panic detected"),
    "code=418": (418, "bad response status code 418"),
    "example=empty-object": (200, "{}"),
    "respond-async, code=503;foo": (503, "无可用渠道"),
    "scenario=cloudflare-524": (524, "Error code 524"),
    "scenario=user-quota-exhausted": (403, "insufficient_user_quota"),
    "scenario=cloudflare-254": (400, "cloudflare-524"),
    "code=100": (400, "Prefer: expected code="),
    "code=abc": (400, "Prefer: expected code="),
    "example=nothing": (400, "Prefer: expected example= one of url"),
}


async def send(application: Any, method: str, path: str, **parts: Any) -> httpx.Response:
    """Send a request with a key to a mock in this process."""
    headers = {"Authorization": "Bearer sk-a", **parts.pop("headers", {})}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://mock") as client:
        return await client.request(method, path, headers=headers, **parts)


@pytest.mark.anyio
@pytest.mark.parametrize("preference", PREFERENCES)
async def test_preference(preference: str) -> None:
    """`Prefer` chooses a declared status, an example or a scenario; what can't be met is refused with the choices."""
    status, part = PREFERENCES[preference]
    response = await send(CONTRACT, "POST", PATH, json=GOOD, headers={"Prefer": preference})
    assert response.status_code == status
    assert part in response.text


@pytest.mark.anyio
async def test_a_sample_is_valid_and_the_same_each_time() -> None:
    """`Prefer: dynamic=true`, and an operation without examples, get a sample of the schema, the same for a request."""
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    first, second = [await send(CHAT, "POST", "/v1/chat/completions", json=body) for _ in range(2)]
    assert first.status_code == 200
    assert first.json()["id"].startswith("chat-")
    assert first.content == second.content
    other = await send(CHAT, "POST", "/v1/chat/completions", json={**body, "n": 2})
    assert other.content != first.content


@pytest.mark.anyio
async def test_a_wrong_example_is_the_mock_s_own_500() -> None:
    """An example that its schema doesn't allow is not sent: a 500 names it, and what is wrong."""
    response = await send(CHAT, "GET", "/v1/models/m", headers={"Prefer": "example=wrong"})
    assert response.status_code == 500
    assert "the example wrong of status 200" in response.json()["detail"]
    assert json.loads(response.headers["x-mock-violations"])[0]["where"] == "/id"


@pytest.mark.anyio
async def test_declared_headers_are_sent() -> None:
    """Required headers and those with an example are sent, and ids are one and the same in headers and message."""
    pets = await send(PETS, "GET", "/api/v2/pets")
    assert 0 <= int(pets.headers["x-total"]) <= 9
    assert pets.headers["x-source"] == "memory"
    assert "x-note" not in pets.headers
    refused = await send(CONTRACT, "POST", PATH, json={})
    assert refused.headers["x-request-id"] == refused.headers["x-oneapi-request-id"]
    assert refused.headers["x-request-id"] in refused.json()["error"]["message"]


@pytest.mark.anyio
async def test_no_description_frames_an_answer(tmp_path: Path) -> None:
    """The length of an answer is its own, whatever is declared."""
    headers = {name: {"schema": {"type": "string"}, "example": "1"} for name in ("Content-Length", "Connection")}
    response = {"description": "", "headers": headers, "content": {"text/plain": {"example": "a longer text"}}}
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": response}}}}}))
    answer = await send(app(file), "GET", "/a")
    assert (answer.text, answer.headers.get_list("content-length")) == ("a longer text", ["13"])
    assert "connection" not in answer.headers


REFUSALS: dict[str, tuple[Any, str, str, dict[str, Any], int, str, dict[str, str]]] = {
    "no route, own words": (CONTRACT, "GET", "/nowhere", {}, 404, "Invalid URL (GET /nowhere)", {}),
    "wrong method, own words": (CONTRACT, "PUT", PATH, {}, 404, f"Invalid URL (PUT {PATH})", {}),
    "words in braces": (CONTRACT, "GET", "/%7Brequest_id%7D", {}, 404, "Invalid URL (GET /%7Brequest_id%7D)", {}),
    "no route": (PETS, "GET", "/nowhere", {}, 404, "a path of the description", {}),
    "wrong method": (PETS, "PUT", "/api/v2/pets", {}, 405, "GET, POST", {"allow": "GET, POST"}),
    "declared for the range": (PETS, "POST", "/api/v2/pets", {}, 401, "must be Basic", {"www-authenticate": "Basic"}),
    "declared, with an example": (CHAT, "POST", "/v1/chat/completions", {"json": {}}, 400, '"message":"no"', {}),
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", REFUSALS)
async def test_refusal(case: str) -> None:
    """A refusal is in the description's own words, else as declared, else as RFC 9457 has it, with HTTP's headers."""
    application, method, path, parts, status, part, headers = REFUSALS[case]
    response = await send(application, method, path, **parts)
    assert response.status_code == status
    assert part in response.text
    assert all(response.headers[name].startswith(value) for name, value in headers.items())
    assert json.loads(response.headers["x-mock-violations"])


@pytest.mark.anyio
async def test_differences_fit_into_a_header() -> None:
    """However many and long the differences are, their header is ASCII, bounded, and counts what it leaves out."""
    body = {**GOOD, **dict.fromkeys(("n", "seed", "raw", "safety_tolerance"), "雪" * 5000), "aspect_ratio": "x" * 9000}
    header = (await send(CONTRACT, "POST", PATH, json=body)).headers["x-mock-violations"]
    assert header.isascii()
    assert len(header) < 5000
    assert {"n", "seed", "raw"} <= {violation.get("where", "")[1:] for violation in json.loads(header)}


@pytest.mark.anyio
async def test_an_answer_that_fits_no_longer_is_a_500(tmp_path: Path) -> None:
    """Drawn answers are checked before they are sent, unless that is switched off."""
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    contract["components"]["schemas"]["ImagesResponse"]["required"] = ["cost"]
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(contract))
    response = await send(app(file), "POST", PATH, json=GOOD)
    assert response.status_code == 500
    assert "/cost: expected a value, got nothing" in response.json()["detail"]
    assert (await send(app(file, check_answers=False), "POST", PATH, json=GOOD)).status_code == 200


MALFORMED_ERRORS = {
    "an unknown kind": {"not-found": {"status": 404, "body": {}}},
    "no body": {"no-route": {"status": 404}},
    "a status that is none": {"no-route": {"status": 200, "body": {}}},
}


@pytest.mark.parametrize("case", MALFORMED_ERRORS)
def test_malformed_refusals_are_an_error_at_start(case: str, tmp_path: Path) -> None:
    """`x-mock-errors` is checked when it is read."""
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": {}, "x-mock-errors": MALFORMED_ERRORS[case]}))
    with pytest.raises(ValueError, match="#/x-mock-errors"):
        app(file)


FOREIGN_ANSWERS: dict[str, Any] = {
    "another shape": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
    "any object": {"type": "object"},
    "data of another kind": {"type": "object", "properties": {"data": {"type": "string"}}},
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", FOREIGN_ANSWERS)
async def test_a_foreign_operation_of_that_name_answers_its_example(case: str, tmp_path: Path) -> None:
    """`create_image` draws only where its answer holds pictures as ours does."""
    media = {"application/json": {"schema": FOREIGN_ANSWERS[case], "example": {"id": "p1"}}}
    operation = {"operationId": "create_image", "responses": {"200": {"description": "x", "content": media}}}
    spec = tmp_path / "foreign.json"
    spec.write_text(
        json.dumps(
            {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/draw": {"post": operation}}}
        )
    )
    answer = await send(app(spec), "POST", "/draw")
    assert (answer.status_code, answer.json()) == (200, {"id": "p1"})


@pytest.mark.parametrize("text", [b" ", b",", b"; ", b'"', b"a=", b'\\"'])
def test_preferences_are_read_in_a_time_that_grows_with_their_length(text: bytes) -> None:
    """60,000 spaces once held every other caller for 21 seconds; eight times as many now take eight times as long."""

    def seconds(many: int) -> float:
        begun = time.process_time()
        read_preferences([b"example=" + text * many + b"x"])
        return time.process_time() - begun

    short, long = (min(seconds(many) for _ in range(3)) for many in (7_500, 60_000))
    assert long < 0.01 + 30 * short

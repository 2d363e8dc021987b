"""The journal and the bill: what they tell, what they keep to themselves, and that they stay small."""

from __future__ import annotations

import asyncio
import base64
import json
import pickle
from io import StringIO
from threading import RLock
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_images_mock import app
from flux_images_mock._description.node import load
from flux_images_mock._gateway.exchange import Exchange
from flux_images_mock._gateway.journal import requests, told
from flux_images_mock._gateway.run import Bill, Journal
from flux_images_mock._request.message import Headers, Request
from flux_images_mock._request.redact import shortened
from flux_images_mock._serve.asgi import MockApp
from flux_images_mock._serve.log import for_people, for_programs
from tests.mock.asking import BODY, PATH, ask

if TYPE_CHECKING:
    from flux_images_mock import Mock, MockServer
    from flux_images_mock._answer.answer import Answer
    from flux_images_mock._answer.operation import Operation

SECRET = "sk-0123456789abcdefSECRET"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mOQc1gPAAGNAQ4ZDizxAAAAAElFTkSuQmCC"


def test_a_request_is_written_down(either: Mock) -> None:
    """With its path, body, answer and cost."""
    ask(either, prompt="a cat", n=2)
    (request,) = either.requests
    assert (request.method, request.path, request.status, request.billed) == ("POST", PATH, 200, 2)
    assert request.body == {**BODY, "prompt": "a cat", "n": 2}
    assert request.operation_id == "create_image"
    assert request.headers["content-type"] == "application/json"
    assert request.scenario is None
    assert request.violations == ()
    assert 0 <= (request.duration or 0) < 10


def test_a_refused_request_is_written_down(either: Mock) -> None:
    """With each difference from the contract."""
    ask(either, n=99, aspect_ratio="1:99")
    assert [violation.where for violation in either.requests[0].violations] == ["/aspect_ratio", "/n"]


BEARER = {"Authorization": f"Bearer {SECRET}"}
PLAIN = "live_0123456789abcdef"
PASSWORD = base64.b64encode(f"user:{PLAIN}".encode()).decode()
WAYS: dict[str, dict[str, Any]] = {
    "bearer": {"headers": BEARER},
    "raw": {"headers": {"Authorization": SECRET}},
    "basic": {"headers": {"Authorization": f"Basic {SECRET}"}},
    "name and password": {"headers": {"Authorization": f"Basic {PASSWORD}", "X-Basic": f"Basic {PASSWORD}"}},
    "twice": {"headers": [("Authorization", f"Bearer {SECRET}"), ("Authorization", f"Bearer {PLAIN}")]},
    "another header": {"headers": {"X-Api-Key": SECRET}},
    "a longer name": {"headers": {"X-Goog-Auth-Token": PLAIN}},
    "a cookie": {"headers": {"Cookie": f"session={PLAIN}"}},
    "the query": {"params": {"api_key": PLAIN}},
    "the page before": {"headers": {"Referer": f"http://localhost/?api_key={PLAIN}"}},
    "a preference": {"headers": {**BEARER, "Prefer": f"scenario={SECRET}"}},
    "the client's name": {"headers": {**BEARER, "User-Agent": f"tool/{SECRET}"}},
    "a field's value": {"headers": BEARER, "json": {**BODY, "n": SECRET}},
    "a field's name": {"headers": BEARER, "json": {**BODY, SECRET: 1}},
    "the prompt": {"headers": BEARER, "json": {**BODY, "prompt": f"write {SECRET}"}},
    "a field of its own": {"headers": BEARER, "json": {**BODY, "api_key": PLAIN}},
    "deep in a field": {"headers": BEARER, "json": {**BODY, "more": [{"password": PLAIN, "say": SECRET}]}},
    "a key without a mark": {
        "headers": {"Authorization": f"Bearer {PLAIN}"},
        "json": {**BODY, "prompt": PLAIN, "n": PLAIN},
    },
}
SECRETS = (SECRET, PLAIN, PASSWORD)


@pytest.fixture(scope="module")
def logged() -> tuple[MockApp, StringIO]:
    """A mock with both kinds of log, and what they wrote."""
    written = StringIO()
    logs = [for_people(written), for_programs(written)]

    def log(exchange: Exchange, answer: Answer, milliseconds: float) -> None:
        for each in logs:
            each(exchange, answer, milliseconds)

    return MockApp(load(None), {}, log), written


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", [PATH, f"/v1/{SECRET}"])
def test_no_key_is_kept(way: str, path: str, logged: tuple[MockApp, StringIO]) -> None:
    """However a key comes, neither journal, bill, control API, log nor the list of differences has it."""
    mock, written = logged
    mock.state.reset()
    written.truncate(0)

    sent: dict[str, Any] = {"json": BODY, **WAYS[way]}

    async def call() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(mock), base_url="http://localhost") as client:
            answer = await client.post(path, **sent)
            shown = [await client.get(f"/__mock__/{name}") for name in ("requests", "bill")]
            return "".join([answer.text, repr(answer.headers), *(each.text for each in shown)])

    told = asyncio.run(call())
    (entry,) = requests(mock.state.run.journal)
    kept = told + repr(entry) + str(entry) + repr(mock.state.run.bill) + written.getvalue() + repr(pickle.dumps(entry))
    assert [secret for secret in SECRETS if secret in kept] == []


@pytest.mark.parametrize("prompt", ["A risk-taking fox on a desk-mounted lamp", "sk-8", "the token of my password"])
def test_words_are_no_keys(prompt: str) -> None:
    """A prompt is kept as it was written."""
    assert shortened({"prompt": prompt, "max_tokens": 7}) == {"prompt": prompt, "max_tokens": 7}


IMAGES = [
    PIXEL,
    f"data:image/png;base64,{PIXEL}",
    base64.b64encode(bytes(range(256)) * 9).decode(),
    base64.urlsafe_b64encode(b"\xff\xd8\xff" + bytes(300)).decode(),
]


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image[:12])
@pytest.mark.parametrize("nested", [False, True])
def test_no_image_data_is_kept(image: str, nested: bool, mock: MockServer) -> None:
    """A picture in a request is replaced by its size."""
    ask(mock, image_prompt={"deep": [image]} if nested else image)
    assert image[10:60] not in json.dumps(mock.requests[0].as_json())
    assert f"{len(image)} characters" in json.dumps(mock.requests[0].as_json())


def test_a_long_prompt_is_kept() -> None:
    """Words are no image data."""
    prompt = "A medal, " * 500
    assert shortened({"prompt": prompt}) == {"prompt": prompt}


HARMLESS = st.characters(codec="utf-8", exclude_characters="eEkKoO\N{KELVIN SIGN}")
"""Without them nothing can be spelt that is hidden: key, token, secret, password, authorization, cookie."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(HARMLESS, max_size=300),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(HARMLESS, max_size=20), inner, max_size=8),
    max_leaves=60,
)


@given(JSON)
def test_a_small_body_is_kept_as_it_is(body: Any) -> None:
    """Whatever its shape."""
    kept = shortened(body)
    assert repr(kept) == repr(body) or "image data" in repr(kept)


@pytest.mark.parametrize("body", [["x" * 100] * 100_000, {str(i): i for i in range(100_000)}, "x y" * 1_000_000])
def test_a_large_body_is_cut(body: Any) -> None:
    """What is kept stays within about 64 KiB."""
    assert len(repr(shortened(body))) < 100_000


@pytest.fixture(scope="module")
def operation() -> Operation:
    """The contract's own."""
    return app().engine.operations[0]


def _exchange(operation: Operation, prompt: str) -> Exchange:
    headers = Headers([(b"content-type", b"application/json"), (b"x-long", b"x" * 60_000)])
    body = {"prompt": prompt}
    request = Request("POST", PATH, b"", headers, "http://localhost")
    return Exchange(request, 0.0, operation, content=json.dumps(body).encode(), body=body)


def test_the_journal_is_bounded_by_count(operation: Operation) -> None:
    """The oldest leave first."""
    journal = Journal(3, RLock())
    for number in range(5):
        journal.add(_exchange(operation, str(number)))
    assert [told(entry).body["prompt"] for entry in journal.entries()] == ["2", "3", "4"]


@pytest.mark.parametrize("words", [6_000, 600_000])
def test_the_journal_is_bounded_by_bytes(words: int, operation: Operation) -> None:
    """Large requests are fewer, and of the largest only what is told is kept."""
    journal = Journal(100_000, RLock())
    for _ in range(400):
        journal.add(_exchange(operation, "a medal " * words))
    kept = journal.entries()
    assert 20 < len(kept) < 400
    assert sum(len(pickle.dumps((entry.content, entry.body, told(entry).headers))) for entry in kept) < 9 * 1024 * 1024


def test_the_bill_of_many_keys_is_bounded() -> None:
    """The longest unseen are counted together, and nothing is lost."""
    bill = Bill(RLock())
    for number in range(11_000):
        bill.charge(f"sk-{number}", 1)
    assert len(bill) <= 10_001
    assert sum(bill.values()) == bill.pictures == 11_000
    assert bill["others"] >= 999


def test_the_bill_is_read_by_key_or_label() -> None:
    """Labels tell keys apart without giving them away."""
    bill = Bill(RLock())
    bill.charge("sk-a", 2)
    bill.charge("raw", 1)
    assert bill["sk-a"] == 2
    assert bill["unknown"] == 0
    assert "sk-a" in bill
    assert "unknown" not in bill
    first, second = bill
    assert (bill[first], bill[second]) == (2, 1)
    assert first.startswith("sk-***")


EXPECTED: list[tuple[dict[str, Any], str]] = [
    ({"prompt": "a dog"}, "/prompt: expected 'a dog', got 'a cat'"),
    ({"prompt": "a cat", "seed": 7}, "/seed: expected 7, got nothing"),
    ({"prompt": "a cat", "times": 2}, "expected 2 requests with prompt='a cat', got 1 of 2"),
]


@pytest.mark.parametrize(("wanted", "text"), EXPECTED, ids=str)
def test_a_failed_expectation_shows_the_nearest_request(wanted: dict[str, Any], text: str, either: Mock) -> None:
    """With each difference."""
    ask(either, prompt="a bird", aspect_ratio="16:9")
    ask(either, prompt="a cat")
    with pytest.raises(AssertionError) as caught:
        either.expect(**wanted)
    assert text in str(caught.value)


def test_an_expectation_that_holds(either: Mock) -> None:
    """Gives the request; anything that equals will do."""
    ask(either, prompt="a cat", n=2)
    assert either.expect(prompt="a cat", times=1).billed == 2
    assert either.expect(n=pytest.approx(2.0)).billed == 2
    with pytest.raises(ValueError, match="1 or more"):
        either.expect(prompt="a dog", times=0)


def test_nothing_came(either: Mock) -> None:
    """An empty journal says so."""
    with pytest.raises(AssertionError, match="none came at all"):
        either.expect(prompt="a cat")

"""Whatever surrounds a whole picture, it is had: every odd answer, on every way of calling, for one POST each."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import respx

import flux_images as flux
from tests.sdk.answer.odd_answers import ENDS, ERRORS, EVENTS, FREE, LARGE, NOTHING, PNG, SHAPES, TASKS, VALUES, Odd
from tests.sdk.conftest import BUYERS, KEY, Buy
from tests.sdk.raw_server import answer, raw_server

GATEWAY = "https://gateway.example"


def _buy(odd: Odd, buy: Buy, **options: Any) -> tuple[Any, list[bytes], int]:
    """What came, the pictures' bytes, and how many POSTs it took."""
    came: Any
    with raw_server(pictures={"/a.png": [answer(200, PNG)]}) as server:
        body = odd.body.replace(b"{server}", server.url.encode())
        label = f"Content-Type: {odd.content_type}"
        grown = len(body) - len(odd.body)
        sent = body if odd.cut is None else body[: odd.cut + (grown if b"{server}" in odd.body[: odd.cut] else 0)]
        server.reply = [answer(odd.status, sent, label, "x-request-id: r1", *odd.headers, length=len(body))]
        try:
            came, files = buy(server.url, options=options, n=odd.asked)
        except flux.FluxImagesError as error:
            came, files = error, []
        return came, files, len(server.posts)


@pytest.mark.parametrize("odd", [*SHAPES, *VALUES, *ENDS, *EVENTS, *NOTHING], ids=lambda odd: odd.name)
def test_an_odd_answer(odd: Odd, way: Buy) -> None:
    """The pictures and what differs, or the typed error with the document; always for one POST."""
    came, files, posts = _buy(odd, way)
    assert posts == 1
    if odd.error is not None:
        assert type(came) is odd.error, came
        assert came.may_have_been_billed
        assert odd.says in str(came)
        assert came.request_id == "r1"
    else:
        assert not isinstance(came, Exception), came
        assert len(files) == odd.pictures
        assert set(files) <= {PNG, LARGE}
        assert odd.differs in "; ".join(map(str, came.deviations)), came.deviations
        assert bool(came.deviations) >= bool(odd.differs)
        assert came.missing == odd.asked - odd.pictures
    assert "{se" not in str(came.document)
    assert len(str(came.document)) < 3000


@pytest.mark.parametrize("odd", ERRORS, ids=lambda odd: odd.name)
def test_an_odd_error(odd: Odd, way: Buy) -> None:
    """What went wrong is read wherever it stands; a wait in the body counts as the header does."""
    came, _, posts = _buy(odd, way)
    assert type(came) is odd.error, came
    assert odd.says in str(came)
    assert came.may_have_been_billed is (odd.name not in FREE)
    assert getattr(came, "retry_after", None) == (120.0 if b"retry_after" in odd.body else None)
    assert posts == 1  # a wait of two minutes is left to the caller


@pytest.mark.parametrize("odd", TASKS, ids=lambda odd: odd.name)
def test_a_task_is_named(odd: Odd, way: Buy) -> None:
    """Without a path to ask at, the error says which task it is."""
    came, _, posts = _buy(odd, way)
    assert type(came) is flux.PendingGenerationError, came
    assert (came.task_id, came.may_have_been_billed, came.request_id, posts) == ("t-1", True, "r1", 1)


@pytest.mark.parametrize(
    "odd", [odd for odd in (*SHAPES, *VALUES, *EVENTS) if odd.cut is None and not odd.headers], ids=lambda odd: odd.name
)
def test_the_same_through_respx(odd: Odd, flavour: str) -> None:
    """What a user's own tests see of it."""
    body = odd.body.replace(b"{server}", GATEWAY.encode())
    with respx.mock as router:
        post = router.post(f"{GATEWAY}/v1/images/generations")
        post.respond(odd.status, content=body, headers={"content-type": odd.content_type})
        router.get(f"{GATEWAY}/a.png").respond(content=PNG)
        if odd.error is None:
            _, files = BUYERS[flavour](GATEWAY, n=odd.asked)
            assert len(files) == odd.pictures
            assert set(files) <= {PNG, LARGE}
        else:
            with pytest.raises(odd.error):
                BUYERS[flavour](GATEWAY)
        assert post.call_count == 1


def test_what_differs_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """In one line, without the key."""
    odd = next(odd for odd in VALUES if odd.name == "created as a string")
    _buy(odd, BUYERS["sync"])
    said = [record.getMessage() for record in caplog.records if "differs" in record.getMessage()]
    assert len(said) == 1
    assert "/created: expected" in said[0]
    assert KEY not in caplog.text


def test_the_model_holds_what_fits(flavour: str) -> None:
    """Types don't lie: what deviates is unset in ``raw``, and stands in ``document``."""
    odd = next(odd for odd in VALUES if odd.name == "metadata as a list")
    came, _, _ = _buy(odd, BUYERS[flavour])
    assert not came.raw.metadata
    assert came.raw.data[0].url.endswith("/a.png")
    assert came.document["metadata"] == [1]
    assert httpx.URL(came.raw.data[0].url).path == "/a.png"

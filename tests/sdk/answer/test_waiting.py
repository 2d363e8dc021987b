"""Tasks: asked for until the picture is there, free of charge, and never lost."""

from __future__ import annotations

import functools
from typing import Any

import anyio
import httpx
import pytest

import flux_images as flux
from flux_images import AsyncFluxImages, FluxImages
from tests.sdk.answering import PNG, answering, mocked
from tests.sdk.conftest import KEY

SUBMITTED = httpx.Response(200, json={"data": {"task_id": "t/1", "status": "submitted"}})
RUNNING = httpx.Response(200, json={"task_id": "t/1", "status": "IN_PROGRESS"})
DONE = httpx.Response(
    200, json={"status": "completed", "result": {"images": [{"url": ["https://pictures.example/a.png"]}]}}
)
FAILED = httpx.Response(200, json={"id": "t/1", "status": "FAILED", "fail_reason": "Content Moderated"})
PICTURE = httpx.Response(200, content=PNG)
PATH = "/v1/tasks/{task_id}"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flux_images._answer.waiting.FIRST_WAIT", 0.0)


def _with_client(flavour: str, answers: list[Any], work: str, *arguments: Any, **options: Any) -> tuple[Any, Any]:
    """Call a method of a client with these answers: what came (or the error), its first picture, the requests."""
    handle, seen = answering(*answers)
    options = {"http_client": mocked(flavour, handle), "task_path": PATH, **options}

    async def awaited() -> Any:
        async with AsyncFluxImages(KEY, **options) as client:
            came = await getattr(client, work)(*arguments)
            return await (came.image if hasattr(came, "image") else came).read()

    try:
        if flavour != "sync":
            return anyio.run(awaited, backend=flavour), seen
        with FluxImages(KEY, **options) as client:
            came = getattr(client, work)(*arguments)
            return (came.image if hasattr(came, "image") else came).read(), seen
    except flux.FluxImagesError as error:
        return error, seen


@pytest.mark.parametrize("between", [[], [RUNNING], [RUNNING, RUNNING, httpx.Response(502)]])
def test_a_task_is_waited_for(between: list[httpx.Response], flavour: str) -> None:
    """One POST, as many questions as it takes, and the picture."""
    came, seen = _with_client(flavour, [SUBMITTED, *between, DONE, PICTURE], "generate", "a medal")
    assert came == PNG
    assert [request.method for request in seen] == ["POST", *["GET"] * (len(between) + 2)]
    questions = seen[1:-1]
    assert {request.url.raw_path for request in questions} == {b"/v1/tasks/t%2F1"}
    assert {request.headers["authorization"] for request in questions} == {f"Bearer {KEY}"}
    assert "authorization" not in seen[-1].headers


def test_a_task_can_be_fetched_later(flavour: str) -> None:
    """With nothing but its id."""
    came, seen = _with_client(flavour, [RUNNING, DONE, PICTURE], "fetch_task", "t/1")
    assert came == PNG
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("answers", "options", "kind", "says"),
    [
        ([SUBMITTED], {"task_path": None}, flux.PendingGenerationError, "ask for its picture"),
        ([SUBMITTED, RUNNING], {"timeout": 0.2}, flux.PendingGenerationError, "task t/1"),
        ([SUBMITTED, httpx.Response(404)], {}, flux.PendingGenerationError, "could not be asked for"),
        ([SUBMITTED, httpx.ConnectError("x")], {}, flux.PendingGenerationError, "could not be asked for"),
        ([SUBMITTED, FAILED], {}, flux.ModerationError, "Content Moderated"),
    ],
    ids=["no path", "no time", "unknown", "unreachable", "failed"],
)
def test_the_task_is_never_lost(answers: list[Any], options: Any, kind: Any, says: str, flavour: str) -> None:
    """Where no picture can be had, the error names the task and says that it may have been billed."""
    came, seen = _with_client(flavour, answers, "generate", "a medal", **options)
    assert type(came) is kind, came
    assert says in str(came)
    assert came.may_have_been_billed
    assert getattr(came, "task_id", "t/1") == "t/1"
    assert [request.method for request in seen].count("POST") == 1


@pytest.mark.parametrize("path", ["v1/tasks/{task_id}", "/v1/tasks/", ""])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    """Before anything is sent."""
    with pytest.raises(flux.ConfigurationError, match="task_path"):
        FluxImages(KEY, task_path=path)
    with FluxImages(KEY) as client, pytest.raises(flux.ConfigurationError, match="task_path"):
        client.fetch_task("t")


def test_an_address_of_earlier_is_fetched(flavour: str) -> None:
    """Without the key, looked at, tried again."""
    work = functools.partial(_with_client, flavour)
    came, seen = work([httpx.Response(503), PICTURE], "fetch", "https://pictures.example/a.png")
    assert came == PNG
    assert len(seen) == 2
    assert all("authorization" not in request.headers for request in seen)
    came, _ = work([httpx.Response(410)], "fetch", "https://pictures.example/a.png")
    assert type(came) is flux.ImageDownloadError

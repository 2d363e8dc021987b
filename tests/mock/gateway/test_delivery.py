"""One delivery: over a socket, as an application and behind respx, whatever goes wrong."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from flux_images_mock import MockServer, app
from flux_images_mock._gateway.journal import requests
from flux_images_mock._testing.respx import FluxMockRespx
from tests.mock.asking import BODY, KEY, PATH

if TYPE_CHECKING:
    from pathlib import Path

    from flux_images_mock._serve.asgi import MockApp

    Call = Callable[..., httpx.Response]
    Way = Callable[[dict[str, Any]], Iterator[tuple[MockApp, Call]]]

HEADERS = {"Authorization": f"Bearer {KEY}"}


def _socket(options: dict[str, Any]) -> Iterator[tuple[MockApp, Call]]:
    with MockServer(**options) as mock, httpx.Client(base_url=mock.url, headers=HEADERS, trust_env=False) as client:
        yield mock.app, client.request


def _respx(options: dict[str, Any]) -> Iterator[tuple[MockApp, Call]]:
    with FluxMockRespx(**options) as mock, httpx.Client(base_url=mock.url, headers=HEADERS, trust_env=False) as client:
        yield mock.app, client.request


def _asgi(options: dict[str, Any]) -> Iterator[tuple[MockApp, Call]]:
    mock = app(**options)

    async def call(method: str, path: str, **parts: Any) -> httpx.Response:
        transport = httpx.ASGITransport(mock)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=HEADERS) as client:
            return await client.request(method, path, **parts)

    yield mock, lambda *all_, **parts: asyncio.run(call(*all_, **parts))


@pytest.fixture(params=[_socket, _asgi, _respx])
def way(request: pytest.FixtureRequest) -> Way:
    """A way of reaching the mock."""
    found: Way = request.param
    return found


def _fail(*_: object) -> Any:
    raise KeyError("a slip")


@pytest.mark.parametrize("where", ["before the answer", "while drawing"])
def test_a_slip_of_the_mock_is_a_500(
    where: str, way: Way, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It says what it is, stands in journal and log, costs nothing, and takes no place from those who come after."""
    for mock, call in way({"concurrency": 1}):
        sources = dict(mock.engine.sources)
        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
            if where == "before the answer":
                mock.engine.sources["create_image"] = _fail
            else:
                patch.setattr("flux_images_mock._pictures.gallery.draw", _fail)
            answer = call("POST", PATH, json={**BODY, "response_format": "b64_json"})
        assert (answer.status_code, answer.json()["status"]) == (500, 500)
        assert "KeyError" in answer.json()["detail"]
        (entry,) = requests(mock.state.run.journal)
        assert (entry.status, entry.billed, mock.state.run.bill.pictures) == (500, 0, 0)
        assert "a slip" in str(caplog.records[0].exc_info)
        mock.engine.sources.update(sources)
        assert call("POST", PATH, json=BODY).status_code == 200


def test_head_has_a_length_and_no_body(way: Way) -> None:
    """As over a socket, so everywhere."""
    for _, call in way({}):
        answer = call("HEAD", PATH)
        assert (answer.status_code, answer.content) == (404, b"")
        assert int(answer.headers["content-length"]) > 0


BODILESS = {"name": "bodiless", "imitates": "x", "provenance": "seed", "at": "edge", "status": 204, "body": "a body"}


def test_a_204_has_no_body(way: Way, tmp_path: Path) -> None:
    """Whatever a scenario gives it: the answer after it is read right."""
    (tmp_path / "bodiless.yaml").write_text(yaml.safe_dump(BODILESS))
    for _, call in way({"scenarios": [tmp_path]}):
        answer = call("POST", PATH, headers={"Prefer": "scenario=bodiless"})
        assert (answer.status_code, answer.content, "content-length" in answer.headers) == (204, b"", False)
        assert call("POST", PATH, json=BODY).status_code == 200


def test_a_server_leaves_loggers_alone() -> None:
    """Those of its caller, and of any other server."""
    names = ("", "uvicorn", "uvicorn.error", "asyncio", "flux_images_mock")
    before = [(logging.getLogger(name).level, list(logging.getLogger(name).handlers)) for name in names]
    with MockServer():
        pass
    assert [(logging.getLogger(name).level, list(logging.getLogger(name).handlers)) for name in names] == before


def test_a_server_stops_at_once() -> None:
    """Within 20 ms, though a client keeps its connection: the quickest of five, as others use the machine."""
    took: list[float] = []
    for _ in range(5):
        mock = MockServer()
        mock.start()
        with httpx.Client(base_url=mock.url, trust_env=False) as client:
            client.get("/")
            begun = time.perf_counter()
            mock.stop()
            took.append(time.perf_counter() - begun)
    assert min(took) < 0.02

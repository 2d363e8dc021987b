"""One run: shared by threads, its queue spent by what it strikes, its time by what truly passes."""

from __future__ import annotations

import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from flux_images_mock import Mock, MockServer, app
from flux_images_mock._description.node import load
from flux_images_mock._description.schema import parse_ratio
from flux_images_mock._request.message import parameter_of
from flux_images_mock._request.redact import hide
from flux_images_mock._request.route import Routes
from flux_images_mock._testing.respx import FluxMockRespx
from tests.mock.asking import BODY, KEY, PATH, ask

TWO_KINDS = {
    "openapi": "3.1.0",
    "info": {"title": "pets", "version": "1"},
    "paths": {
        f"/{kind}": {
            "get": {
                "operationId": kind,
                "responses": {
                    "200": {"description": "x", "content": {"application/json": {"example": {"of": kind}}}},
                    "404": {
                        "description": "x",
                        "content": {"application/json": {"examples": {"missing": {"value": {"no": kind}}}}},
                    },
                },
            }
        }
        for kind in ("cats", "dogs")
    },
}


def test_threads_get_a_right_bill(flux_mock_respx: FluxMockRespx) -> None:
    def buy(_: int) -> None:
        with httpx.Client() as client:
            for _ in range(25):
                client.post(f"{flux_mock_respx.url}{PATH}", json=BODY, headers={"Authorization": f"Bearer {KEY}"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(buy, range(8)))
    assert flux_mock_respx.bill[KEY] == flux_mock_respx.bill.pictures == 200
    assert len(flux_mock_respx.requests) == 200


def test_the_journal_may_be_read_while_it_is_written(flux_mock: MockServer) -> None:
    done = threading.Event()
    errors: list[Exception] = []

    def read() -> None:
        while not done.is_set():
            try:
                assert len(flux_mock.requests) <= 1000
                dict(flux_mock.bill)
            except RuntimeError as error:
                errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}) as client:
        for _ in range(200):
            client.post(f"{flux_mock.url}{PATH}", json=BODY)
    done.set()
    reader.join()
    assert errors == []


@pytest.fixture(params=["flux_mock", "flux_mock_respx"])
def mock(request: pytest.FixtureRequest) -> Mock:
    """On a socket, and without one."""
    found: Mock = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize(
    ("method", "path", "key"), [("GET", "/favicon.ico", KEY), ("POST", PATH, ""), ("POST", "/v1/nothing", KEY)]
)
def test_what_it_does_not_strike_spends_no_scenario(mock: Mock, method: str, path: str, key: str) -> None:
    """Neither a browser's icon, nor a request without a key, nor a path that isn't there."""
    mock.scenario("cloudflare-524", times=1)
    with httpx.Client(verify=False) as client:
        client.request(method, f"{mock.url}{path}", headers={"Authorization": f"Bearer {key}"} if key else {})
    assert ask(mock).status_code == 524
    assert ask(mock).status_code == 200


def test_scenarios_that_are_given_back_keep_their_order(mock: Mock) -> None:
    mock.scenario("cloudflare-524", times=2)
    mock.scenario("panic", times=1)
    ask(mock, model=7)
    assert [ask(mock).status_code for _ in range(4)] == [524, 524, 500, 200]


def test_an_example_answers_its_own_operation_only(tmp_path: Path) -> None:
    """Two operations may call an example alike, or one may have it alone."""
    with MockServer(_written(tmp_path)) as mock, httpx.Client(base_url=mock.url) as client:
        mock.scenario("missing")
        assert client.get("/cats").json() == {"no": "cats"}
        assert client.get("/dogs").json() == {"no": "dogs"}
        mock.reset()
        assert client.get("/dogs", headers={"Prefer": "scenario=missing"}).json() == {"no": "dogs"}


def _written(folder: Path) -> Path:
    import json

    path = folder / "pets.json"
    path.write_text(json.dumps(TWO_KINDS))
    return path


@pytest.mark.parametrize("before", range(0, 80, 3))
def test_no_part_of_a_key_is_told_wherever_a_text_is_cut(flux_mock: MockServer, before: int) -> None:
    key = "sk-0123456789abcdefghij"
    response = ask(flux_mock, key=key, aspect_ratio="x" * before + key)
    told = [response.text, str(response.headers), str(flux_mock.requests[-1]), str(flux_mock.requests[-1].as_json())]
    assert not [text for text in told if key[:8] in text]
    response = ask(flux_mock, key=key, headers={"Prefer": f"example={'x' * before}{key}"})
    assert key[:8] not in response.text + str(response.headers)


def test_what_hides_a_key_hides_its_beginning_at_a_cut() -> None:
    assert hide("xx sk-01234…", "sk-0123456789") == "xx ***…"
    assert hide("abc", "sk-0123456789") == "abc"


def test_time_passes_though_the_clock_on_the_wall_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under freezegun."""
    with MockServer(latency="30ms") as mock:
        monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)
        assert ask(mock, timeout=5).status_code == 200
        assert mock.app.state.run.now() == 1_700_000_000.0


def test_time_is_let_pass_once_so_many_wait() -> None:
    with MockServer(latency="1h") as mock, ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(ask, mock, timeout=20) for _ in range(3)]
        mock.advance(3600, waiting=3)
        assert [answer.result().status_code for answer in answers] == [200] * 3


def test_time_is_not_let_pass_where_fewer_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    with MockServer() as mock:
        monkeypatch.setattr(mock.app.state.run, "wait_for_sleepers", lambda count: False)
        with pytest.raises(TimeoutError, match="waiting: 2 requests"):
            mock.advance(1, waiting=2)


def test_a_reset_over_http_takes_a_behaviour(flux_mock: MockServer) -> None:
    """So that other languages can set it."""
    with httpx.Client(base_url=flux_mock.url, headers={"X-Flux-Mock": "control"}) as client:
        assert client.post("/__mock__/reset", json={"credit": 1}).status_code == 204
        assert [ask(flux_mock).status_code for _ in range(2)] == [200, 403]
        assert client.post("/__mock__/reset").status_code == 204
        assert [ask(flux_mock).status_code for _ in range(2)] == [200, 200]
        for body in ({"latency": "soon"}, {"scenario": "no-such"}, {"speed": 1}):
            refused = client.post("/__mock__/reset", json=body)
            assert refused.status_code == 400
            assert next(iter(body)) in refused.text


TEMPLATES: list[tuple[str, str, list[str] | None]] = [
    ("/a/{x}-{y}", "/a/1-2", ["1", "2"]),
    ("/a/{x}-{y}", "/a/1-2-3", ["1", "2-3"]),
    ("/a/{x}-{y}", "/a/-2", None),
    ("/a/{x}-{y}", "/a/--2", ["-", "2"]),
    ("/a/{x}{y}", "/a/12", ["1", "2"]),
    ("/a/{x}{y}", "/a/1", None),
    ("/a/v{x}.json", "/a/v1.json", ["1"]),
    ("/a/v{x}.json", "/a/v.json", None),
    ("/a/{x}", "/a/", None),
]


@pytest.mark.parametrize(("template", "path", "values"), TEMPLATES)
def test_several_variables_in_a_segment(template: str, path: str, values: list[str] | None) -> None:
    methods, found = Routes([(template, "GET", 1)]).find(path)
    assert ([value for _, value in found] if methods else None) == values


def test_a_segment_is_matched_in_a_time_that_grows_with_its_length() -> None:
    """It took four minutes at 800 dashes."""
    routes = Routes([("/a/{a}-{b}-{c}-{d}-{e}.", "GET", 1)])
    begun = time.process_time()
    assert routes.find("/a/" + "-" * 20_000) == ({}, [])
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('multipart/form-data; boundary="a;b"', "a;b"),
        ("multipart/form-data;boundary=ab ; x=y", "ab"),
        ('text/plain; x="q;boundary=no"; boundary=yes', "yes"),
        (r'text/plain; boundary="a\"b"', 'a"b'),
        ("text/plain", ""),
    ],
)
def test_a_quoted_semicolon_begins_no_parameter(line: str, value: str) -> None:
    assert parameter_of(line, "boundary") == value


def test_a_long_key_costs_no_more_than_a_long_text() -> None:
    """What ends like its beginning is looked for within what a message can hold."""
    key = "a" * 60_000
    begun = time.process_time()
    for _ in range(20):
        hide(key + "b", key + "c")
    assert time.process_time() - begun < 0.2


def test_ratios_of_callers_are_not_kept() -> None:
    """A caller may send any text for one."""
    tracemalloc.start()
    try:
        for number in range(100):
            assert parse_ratio(f"{number}" + "x" * 100_000) is None
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


def test_stop_before_start() -> None:
    mock = MockServer()
    mock.stop()


def test_integers_of_any_size_stay_readable_in_the_journal(flux_mock: MockServer) -> None:
    ask(flux_mock, seed=2**70)
    with httpx.Client(base_url=flux_mock.url) as client:
        told = client.get("/__mock__/requests")
    assert told.status_code == 200
    assert told.json()["requests"][-1]["path"] == PATH


async def _asgi(scope: dict[str, Any], messages: list[dict[str, Any]]) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await app()(scope, receive, send)
    return sent


def test_a_server_may_begin_and_end_its_life() -> None:
    """As `with TestClient(app())` does."""
    import anyio

    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = anyio.run(_asgi, {"type": "lifespan"}, messages)
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_it_may_be_mounted_under_a_path() -> None:
    """As FastAPI does: addresses of pictures lead there as well."""
    transport = httpx.ASGITransport(app(), root_path="/gw")

    async def main() -> tuple[int, str, int]:
        async with httpx.AsyncClient(transport=transport, base_url="http://service.example") as client:
            answer = await client.post(f"/gw{PATH}", json=BODY, headers={"Authorization": f"Bearer {KEY}"})
            url = answer.json()["data"][0]["url"]
            return answer.status_code, url, (await client.get(url)).status_code

    import anyio

    status, url, picture = anyio.run(main)
    assert (status, picture) == (200, 200)
    assert url.startswith("http://service.example/gw/")


def test_a_description_without_the_operation_is_served_too(tmp_path: Path) -> None:
    assert load(_written(tmp_path)).mapping()["paths"]

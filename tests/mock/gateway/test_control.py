"""The control API: what it shows and changes, and whom it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from flux_images_mock import MockServer, app
from flux_images_mock._description.node import read_tree
from flux_images_mock._gateway import control
from flux_images_mock._options import OptionError
from tests.mock.asking import ask
from tests.mock.wire import exchange

CONTROL = {"X-Flux-Mock": "control"}


@pytest.fixture
def api(mock: MockServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{mock.url}/__mock__", trust_env=False, verify=False) as client:
        yield client


def test_its_description_is_valid() -> None:
    """OpenAPI 3.1, by a validator that isn't ours."""
    validate(read_tree(Path(control.__file__).with_name("control.yaml")))


def test_what_it_shows(api: httpx.Client, mock: MockServer) -> None:
    """Health, the description, the catalogue, the clock, requests and the bill."""
    ask(mock, n=2)
    assert api.get("health").json() == {"status": "ok"}
    assert api.get("spec").json()["openapi"] == "3.1.0"
    assert "cloudflare-524" in {entry["name"] for entry in api.get("scenarios").json()["scenarios"]}
    assert abs(api.get("clock").json()["now"] - mock.app.state.run.now()) < 5
    bill = api.get("bill").json()
    assert bill["pictures"] == sum(bill["keys"].values()) == 2
    (request,) = api.get("requests").json()["requests"]
    assert (request["status"], request["billed"], request["body"]["n"]) == (200, 2, 2)
    ask(mock)
    assert [entry["billed"] for entry in api.get("requests", params={"last": 1}).json()["requests"]] == [1]


def test_what_it_changes(api: httpx.Client, mock: MockServer) -> None:
    """The queue, the clock, and everything back to the start."""
    queued = {"name": "cloudflare-524", "times": 1}
    assert api.post("queue", json=queued, headers=CONTROL).json() == {"queue": [queued]}
    assert api.get("queue").json() == {"queue": [queued]}
    assert [ask(mock).status_code for _ in range(2)] == [524, 200]
    api.post("queue", json={"name": "cloudflare-502"}, headers=CONTROL)
    assert api.delete("queue", headers=CONTROL).json() == {"queue": []}
    before = mock.app.state.run.now()
    assert 3600 <= api.post("clock", json={"advance": 3600}, headers=CONTROL).json()["now"] - before < 3700
    assert api.post("reset", headers=CONTROL).status_code == 204
    assert mock.requests == []
    assert api.get("bill").json() == {"pictures": 0, "keys": {}}


WRONG: list[tuple[str, str, Any, int]] = [
    ("POST", "queue", {"name": "cloudflare-525"}, 400),
    ("POST", "queue", {"name": "cloudflare-524", "times": 0}, 400),
    ("POST", "queue", {}, 400),
    ("POST", "clock", {"advance": -1}, 400),
    ("POST", "clock", {"advance": "1"}, 400),
    ("GET", "nowhere", None, 404),
    ("PUT", "reset", None, 405),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), WRONG)
def test_wrong_requests_are_refused(method: str, path: str, body: Any, status: int, api: httpx.Client) -> None:
    """As the engine refuses everything: with each difference."""
    answer = api.request(method, path, json=body, headers=CONTROL)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "reset"), ("POST", "queue"), ("DELETE", "queue"), ("POST", "clock")]
)
@pytest.mark.parametrize("headers", [{}, {"X-Flux-Mock": "yes"}])
def test_changes_need_the_header(method: str, path: str, headers: dict[str, str], api: httpx.Client) -> None:
    """What a web page can send by itself changes nothing."""
    assert api.request(method, path, json={"name": "drip", "advance": 1}, headers=headers).status_code == 400


def test_no_origin_is_let_in(api: httpx.Client) -> None:
    """A preflight is refused, and no answer carries a CORS header."""
    preflight = {"Origin": "http://evil.example", "Access-Control-Request-Headers": "x-flux-mock"}
    for answer in (api.options("reset", headers=preflight), api.get("bill", headers=preflight)):
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert api.options("reset", headers=preflight).status_code >= 400


HOSTS = [
    ("localhost", 200),
    ("localhost:4010", 200),
    ("LOCALHOST", 200),
    ("127.0.0.1:9", 200),
    ("127.8.8.8", 200),
    ("[::1]:4010", 200),
    ("[0:0:0:0:0:0:0:1]", 200),
    ("evil.example", 403),
    ("localhost.evil.example", 403),
    ("127.0.0.1.evil.example", 403),
    ("192.168.0.7", 403),
    ("[::ffff:192.168.0.7]", 403),
    ("[fe80::1]", 403),
    ("user@localhost", 403),
    ("localhost:port", 403),
    ("localhost/evil", 403),
    ("evil.example, localhost", 403),
    ("127.1", 403),
    ("0.0.0.0", 403),
    ("[", 403),
    ("", 403),
]


@pytest.mark.parametrize(("host", "status"), HOSTS)
def test_only_a_loopback_host_is_answered(host: str, status: int, api: httpx.Client) -> None:
    """A page that gave this machine another name is turned away; the gateway itself answers to any name."""
    assert api.get("bill", headers={"Host": host}).status_code == status


NO_HOST: list[tuple[bytes, int]] = [
    (b"GET /__mock__/bill HTTP/1.0\r\n\r\n", 403),
    (b"GET /__mock__/bill HTTP/1.1\r\n\r\n", 400),
    (b"GET /__mock__/bill HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
]


@pytest.mark.parametrize(("request_", "status"), NO_HOST)
def test_no_host_and_two_hosts_are_refused(request_: bytes, status: int, mock: MockServer) -> None:
    """Neither says which machine was meant."""
    assert [reply.status for reply in exchange(mock.url, request_)] == [status]


def test_whatever_changes_something_needs_the_header() -> None:
    """Each operation of the description but those that only read."""
    description = read_tree(Path(control.__file__).with_name("control.yaml"))
    needed = {"$ref": "#/components/parameters/Control"}
    for path, item in description["paths"].items():
        for method, operation in item.items():
            assert method == "get" or needed in operation["parameters"], path


@pytest.mark.parametrize("host", ["http://mock.local", "", "mock local"])
def test_a_wrong_host_is_an_error_at_start(host: str) -> None:
    """One that no Host header could match."""
    with pytest.raises(OptionError, match="allow_hosts"):
        app(allow_hosts=[host])


def test_other_hosts_can_be_allowed() -> None:
    """For a mock in a container."""
    with MockServer(allow_hosts=["Mock.local:4010"]) as mock, httpx.Client(trust_env=False, verify=False) as client:
        statuses = [
            client.get(f"{mock.url}/__mock__/bill", headers={"Host": host}).status_code
            for host in ("mock.local:80", "other")
        ]
    assert statuses == [200, 403]

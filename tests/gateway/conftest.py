"""A mock, and a client of it that knows nothing of the SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from flux_images_mock import Mock, MockServer
from flux_images_mock._testing.respx import RespxMock

KEY = "sk-gateway-tests"
PATH = "/v1/images/generations"
BODY = {"model": "flux-pro-1.1-ultra", "prompt": "a medal", "aspect_ratio": "1:1"}


@pytest.fixture(scope="package")
def _server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture
def mock(_server: MockServer) -> MockServer:
    """A mock on a socket, as new."""
    _server.reset()
    return _server


@pytest.fixture(params=["socket", "respx"])
def either(request: pytest.FixtureRequest, _server: MockServer) -> Iterator[Mock]:
    """A mock on a socket, then one without."""
    if request.param == "socket":
        _server.reset()
        yield _server
    else:
        with RespxMock() as mock:
            yield mock


def ask(
    mock: Mock, *, key: str = KEY, headers: dict[str, str] | None = None, timeout: float = 10, **fields: Any
) -> httpx.Response:
    """Ask for pictures; returns the response."""
    sent = {"Authorization": f"Bearer {key}", **(headers or {})}
    with httpx.Client(base_url=mock.url, trust_env=False, verify=False, timeout=timeout) as client:
        return client.post(PATH, json={**BODY, **fields}, headers=sent)


def fetch(url: str, **headers: str) -> httpx.Response:
    """Fetch a picture's address."""
    with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
        return client.get(url, headers=headers)


def url_of(response: httpx.Response, index: int = 0) -> str:
    """The address of a picture in an answer."""
    url: str = response.json()["data"][index]["url"]
    return url

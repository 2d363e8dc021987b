"""The mocks that tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flux_images_mock import Mock, MockServer
from flux_images_mock._testing.respx import FluxMockRespx

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server() -> Iterator[MockServer]:
    """A mock on a socket with tight limits, whose journal no test reads."""
    with MockServer(max_body=1024 * 1024, header_timeout=1.0) as server:
        yield server


@pytest.fixture(scope="session")
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
        with FluxMockRespx() as mock:
            yield mock

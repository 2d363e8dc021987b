"""Fixtures for programs that talk to the gateway: `flux_mock` over a socket, `flux_mock_respx` without one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from flux_images_mock import Mock, MockServer
    from flux_images_mock._testing.respx import FluxMockRespx

_MARKER = "flux_mock(scenario, latency, ...): how the flux_mock fixtures behave in this test (any option of reset())"
_IN_USE = pytest.StashKey["Mock"]()
_KEY = "sk-flux-mock"
_LONGEST_JOURNAL = 20


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def flux_mock_options() -> dict[str, Any]:
    """Options of the mock for the whole run; override it in conftest.py. See `MockServer`."""
    return {}


@pytest.fixture(scope="session")
def flux_mock_session(flux_mock_options: dict[str, Any]) -> Iterator[MockServer]:
    """A mock gateway of its own for fixtures that outlast a test: nothing resets it, and no variable leads to it."""
    with _load("_testing.mock").MockServer(**flux_mock_options) as server:
        yield server


@pytest.fixture(scope="session")
def _flux_mock_server(flux_mock_options: dict[str, Any]) -> Iterator[MockServer]:
    with _load("_testing.mock").MockServer(**flux_mock_options) as server:
        yield server


@pytest.fixture(scope="session")
def _flux_mock_socketless(flux_mock_options: dict[str, Any]) -> FluxMockRespx:
    mock: FluxMockRespx = _load("_testing.respx").FluxMockRespx(**flux_mock_options)
    return mock


@pytest.fixture
def flux_mock(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _flux_mock_server: MockServer
) -> MockServer:
    """The mock gateway on loopback: one server a process, as new for each test.

    FLUX_BASE_URL, FLUX_API_KEY, OPENAI_BASE_URL and OPENAI_API_KEY lead to it while the test runs.
    """
    _prepare(_flux_mock_server, request, monkeypatch)
    return _flux_mock_server


@pytest.fixture
def flux_mock_respx(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _flux_mock_socketless: FluxMockRespx
) -> Iterator[FluxMockRespx]:
    """The mock gateway without a socket, for every client of httpx, with the same methods as `flux_mock`."""
    _prepare(_flux_mock_socketless, request, monkeypatch)
    with _flux_mock_socketless as mock:
        yield mock


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a failing test asked of the mock."""
    report = yield
    mock = item.stash.get(_IN_USE, None)
    if mock is not None and report.failed:
        from flux_images_mock._gateway.journal import told  # loaded by now, as a mock is in use

        entries = mock.app.state.run.journal.entries()
        lines = [str(told(entry)) for entry in entries[-_LONGEST_JOURNAL:]] or ["no requests"]
        if len(entries) > _LONGEST_JOURNAL:
            lines.insert(0, f"{len(entries) - _LONGEST_JOURNAL} earlier requests")
        report.sections.append(("flux mock journal", "\n".join(lines)))
    return report


def _prepare(mock: Mock, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    behaviour: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers("flux_mock"))):
        if mark.args:
            raise pytest.UsageError("the marker flux_mock takes keywords only, such as scenario='cloudflare-524'")
        behaviour |= mark.kwargs
    try:
        mock.reset(**behaviour)
    except (TypeError, ValueError) as error:
        raise pytest.UsageError(f"the marker flux_mock: {error}") from error
    request.node.stash[_IN_USE] = mock
    for prefix, url in (("FLUX", mock.url), ("OPENAI", mock.openai_base_url)):
        monkeypatch.setenv(f"{prefix}_BASE_URL", url)
        monkeypatch.setenv(f"{prefix}_API_KEY", _KEY)


def _load(module: str) -> Any:
    try:
        return import_module(f"flux_images_mock.{module}")
    except ModuleNotFoundError as error:
        raise pytest.UsageError(
            f"the flux_mock fixtures need {error.name}; try: pip install 'flux-images[pytest]'"
        ) from error

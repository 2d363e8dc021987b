"""The mock that these tests talk to: one a run, on loopback, made from the contract under test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from contract_tests.checks.check import Subject
from contract_tests.checks.client import Client
from contract_tests.checks.raw_http import Answer, exchange
from contract_tests.contract import document as contract
from flux_images import AsyncFluxImages, FluxImages
from flux_images_mock import MockServer

KEY = "sk-contract"
Generate = Callable[..., Any]
Ask = Callable[[bytes], Answer]


def pytest_addoption(parser: pytest.Parser) -> None:
    """For the tests of a live gateway."""
    live = parser.getgroup("live gateway")
    live.addoption("--live-url", help="ask the gateway at this address too; only what is free")
    live.addoption("--api-key-env", default="FLUX_API_KEY", help="variable with its key (default: %(default)s)")
    live.addoption("--allow-paid", type=int, default=0, help="at most so many calls that may cost money")


def _left_out(config: pytest.Config) -> dict[str, str]:
    """The modules that can't be run here, and why."""
    found = {} if config.getoption("--live-url") else {"test_live.py": "no gateway to ask: give --live-url"}
    if find_spec("codegen") is None:
        why = "the generator of the client, codegen, is in the repository only"
        found |= {"test_mutants.py": why, "test_new_operations.py": why}
    return found


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what can't be run here; the summary says so."""
    return True if collection_path.name in _left_out(config) else None


@pytest.fixture(scope="session")
def mock() -> Iterator[MockServer]:
    """The mock gateway."""
    with MockServer(contract.PATH) as server:
        yield server


@pytest.fixture(scope="session")
def old_gateway() -> Iterator[MockServer]:
    """The mock gateway, reading the Authorization header as older versions of the family do."""
    with MockServer(contract.PATH, auth="gateway") as server:
        yield server


@pytest.fixture
def ask(mock: MockServer) -> Ask:
    """Send the bytes of one request to the mock and return its answer."""
    return lambda request: exchange(mock.url, request)


def _generate(base_url: str, *arguments: Any, key: str = KEY, **keywords: Any) -> Any:
    with FluxImages(key, base_url=base_url, max_retries=0) as flux:
        return flux.generate(*arguments, **keywords)


def _agenerate(base_url: str, *arguments: Any, key: str = KEY, **keywords: Any) -> Any:
    async def call() -> Any:
        async with AsyncFluxImages(key, base_url=base_url, max_retries=0) as flux:
            return await flux.generate(*arguments, **keywords)

    return asyncio.run(call())


@pytest.fixture(params=[_generate, _agenerate], ids=["sync", "async"])
def generate(request: pytest.FixtureRequest) -> Generate:
    """`generate(base_url, prompt, **fields)` of the SDK, synchronous and asynchronous, without retries."""
    call: Generate = request.param
    return call


@pytest.fixture(scope="session")
def subject(mock: MockServer) -> Subject:
    """The installed client and the mock, for the derived checks."""
    return Subject(Client(), mock, lambda request: exchange(mock.url, request))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was left out, and which rules of the contract were tested, counting only checks that passed."""
    for module, why in _left_out(config).items():
        terminalreporter.write_line(f"SKIPPED contract_tests/{module}: {why}")
    passed = [
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "check"
    ]
    if passed and not os.environ.get("FLUX_CONTRACT"):
        from contract_tests.checks import coverage, derived

        terminalreporter.section("the contract's rules, and the checks that keep and break each")
        checks = derived()
        for line in coverage.lines(coverage.table(checks[number] for number in passed)):
            terminalreporter.write_line(line)

"""The derived checks tell every wrong client and every wrong mock that was made by hand from the right ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.checks import derived
from contract_tests.checks.check import Subject, first_broken
from contract_tests.checks.raw_http import exchange
from contract_tests.wrong.clients import WRONG_CLIENTS, Sends
from contract_tests.wrong.mocks import WRONG_MOCKS, proxy

if TYPE_CHECKING:
    from flux_images_mock import MockServer

pytestmark = pytest.mark.slow  # it judges the checks, which are the same on every Python

FOR_CLIENTS = [check for check in derived() if check.side in ("client", "pair")]
FOR_MOCKS = [check for check in derived() if check.side in ("mock", "pair")]


def _behind(subject: Subject, mock: MockServer, wrong: Any) -> str | None:
    with proxy(mock.url, wrong) as url:
        stand_in: Any = SimpleNamespace(url=url)
        return first_broken(Subject(subject.client, stand_in, lambda request: exchange(url, request)), FOR_MOCKS)


@pytest.mark.parametrize("name", WRONG_MOCKS)
def test_a_wrong_mock_is_told_apart(name: str, subject: Subject, mock: MockServer) -> None:
    """Some check fails."""
    assert _behind(subject, mock, WRONG_MOCKS[name])


@pytest.mark.parametrize("name", WRONG_CLIENTS)
def test_a_wrong_client_is_told_apart(name: str, subject: Subject) -> None:
    """Some check fails."""
    assert first_broken(subject._replace(client=WRONG_CLIENTS[name]()), FOR_CLIENTS)


def test_the_right_ones_pass_the_same_way(subject: Subject, mock: MockServer) -> None:
    """The controls: a proxy and a connection that change nothing are not told apart."""
    assert _behind(subject, mock, lambda request, forward: forward(request)) is None
    assert first_broken(subject._replace(client=Sends(lambda request: None)), FOR_CLIENTS) is None


def test_enough_are_tried() -> None:
    """At least forty."""
    assert len(WRONG_MOCKS) + len(WRONG_CLIENTS) >= 40

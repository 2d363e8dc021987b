"""Keys, limits, latency and chance, all by the mock's own clock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from flux_images_mock import app
from flux_images_mock._options import OptionError, read_duration, read_latency, read_rate
from flux_images_mock._testing.respx import FluxMockRespx
from tests.mock.asking import KEY, ask

if TYPE_CHECKING:
    from flux_images_mock import Mock, MockServer
    from flux_images_mock._options import Latency

DURATIONS = [("8s", 8.0), ("500ms", 0.5), ("10min", 600.0), ("2h", 7200.0), ("1.5", 1.5), (3, 3.0)]


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_durations(text: str | float, seconds: float) -> None:
    """People write durations in several units."""
    assert read_duration(text, "x") == seconds


@pytest.mark.parametrize(("text", "rate"), [("10/min", (10, 60)), ("5/10s", (5, 10)), ("1/h", (1, 3600))])
def test_rates(text: str, rate: tuple[int, float]) -> None:
    """So many requests in such a time."""
    assert read_rate(text) == rate


WRONG: list[dict[str, Any]] = [
    {"latency": "soon"},
    {"latency": "1s..soon"},
    {"latency": "lognormal:0s,1"},
    {"latency": "-1s"},
    {"latency": "nan"},
    {"rate_limit": "10"},
    {"rate_limit": "0/min"},
    {"rate_limit": "1/0s"},
    {"rate_limit": "100000/s"},
    {"credit": -1},
    {"concurrency": -1},
    {"journal": -1},
    {"max_body": -1},
    {"header_timeout": float("nan")},
    {"chaos": 1.5},
    {"url_ttl": "later"},
]


@pytest.mark.parametrize("options", WRONG, ids=str)
def test_a_wrong_option_is_an_error_at_start(options: Any) -> None:
    """One line says which option, what was expected, and what was given."""
    with pytest.raises(OptionError, match=r"^[a-z_]+: expected .*, got "):
        app(**options)


def test_an_unknown_option_is_an_error(mock: MockServer) -> None:
    """A misspelt name doesn't pass in silence, at start nor at a reset."""
    misspelt: Any = {"latecy": "8s"}
    with pytest.raises(TypeError, match="latecy"):
        app(**misspelt)
    with pytest.raises(TypeError, match="latecy"):
        mock.reset(**misspelt)


def _draws(latency: Latency) -> list[float]:
    random = Random(1)
    return [latency(random) for _ in range(2000)]


def test_latencies() -> None:
    """Fixed, uniform between two bounds, log-normal around a median; the same for the same seed."""
    fixed, uniform, lognormal = map(read_latency, ("8s", "2s..12s", "lognormal:8s,0.4"))
    drawn = [
        [latency(random) for _ in range(2000)] for latency in (fixed, uniform, lognormal) for random in [Random(1)]
    ]
    assert set(drawn[0]) == {8.0}
    assert 2 <= min(drawn[1]) < 2.1 < 11.9 < max(drawn[1]) <= 12
    assert 7.5 < median(drawn[2]) < 8.5
    assert drawn[2] == _draws(lognormal)


def test_only_given_keys_come_in(either: Mock) -> None:
    """With --api-key any other well-formed key is refused; those that name a scenario still pick it."""
    either.reset(api_keys=[KEY, "sk-second"])
    assert [ask(either, key=key).status_code for key in (KEY, "sk-second", "sk-third")] == [200, 200, 401]
    assert ask(either, key="sk-mock-cloudflare-524").status_code == 524


def test_a_rate_limit_is_each_key_s_own(either: Mock) -> None:
    """More requests than allowed get an empty 429 until the window has moved on; refused ones don't count."""
    either.reset(rate_limit="2/min")
    assert [ask(either).status_code for _ in range(4)] == [200, 200, 429, 429]
    assert ask(either).content == b""
    assert ask(either, key="sk-other").status_code == 200
    either.advance(61)
    assert ask(either).status_code == 200


def test_credit_ends_with_the_quota_error(either: Mock) -> None:
    """A request that would cost more than is left is refused, not billed, and a smaller one still passes."""
    either.reset(credit=3)
    answers = [ask(either, n=n) for n in (2, 2, 1, 1)]
    assert [answer.status_code for answer in answers] == [200, 403, 200, 403]
    assert answers[1].json()["error"]["code"] == "insufficient_user_quota"
    assert either.bill[KEY] == 3


def test_no_credit_at_all(mock: MockServer) -> None:
    """Zero is a limit, too."""
    mock.reset(credit=0)
    assert ask(mock).status_code == 403


def test_a_latency_ends_when_the_clock_says_so(mock: MockServer) -> None:
    """An answer takes its time by the mock's clock, and is billed when it begins."""
    mock.reset(latency="1h")
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(ask, mock)
        assert mock.app.state.run.wait_for_sleepers(1)
        assert mock.bill.pictures == 1
        assert mock.requests[0].duration is None
        mock.advance(3601)
        assert answer.result(10).status_code == 200
    assert 3600 <= (mock.requests[0].duration or 0) < 3700


def test_more_than_the_concurrency_is_saturated(mock: MockServer) -> None:
    """Requests beyond the limit get 429 at once and aren't billed; when others end, there is room again."""
    mock.reset(latency="1h", concurrency=2)
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(ask, mock) for _ in range(2)]
        assert mock.app.state.run.wait_for_sleepers(2)
        refused = ask(mock)
        mock.advance(3601)
        assert [answer.result(10).status_code for answer in waiting] == [200, 200]
    assert refused.status_code == 429
    assert refused.json()["error"]["type"] == "upstream_error"
    assert mock.bill.pictures == 2


def test_a_client_that_disconnects_is_billed(mock: MockServer) -> None:
    """Hanging up early is no refund, and stands in the journal."""
    mock.reset(latency="1h")
    with pytest.raises(httpx.ReadTimeout):
        ask(mock, timeout=0.2, n=3)
    assert mock.bill[KEY] == 3
    assert mock.requests[0].billed == 3


def test_without_a_socket_nobody_waits() -> None:
    """A latency beyond the client's patience is a timeout at once, billed; one within it moves the clock."""
    with FluxMockRespx(latency="8s") as socketless:
        before = socketless.app.state.run.now()
        assert ask(socketless, timeout=10).status_code == 200
        assert 8 <= socketless.app.state.run.now() - before < 9
        with pytest.raises(httpx.ReadTimeout):
            ask(socketless, timeout=5)
        assert socketless.bill.pictures == 2


def _met(mock: Mock, seed: int) -> list[str | None]:
    mock.reset(chaos=0.3, seed=seed)
    for _ in range(60):
        with suppress(httpx.TransportError):
            ask(mock)
    return [request.scenario for request in mock.requests]


def test_chaos_can_be_repeated(either: Mock) -> None:
    """A share of the requests meets trouble from the catalogue: the same for the same seed, other for another."""
    first = _met(either, 7)
    troubles = [name for name in first if name]
    known = set(either.app.engine.scenarios.chaos)
    assert 8 <= len(troubles) <= 28
    assert len(set(troubles)) > 3
    assert set(troubles) <= known
    assert _met(either, 7) == first
    assert _met(either, 8) != first

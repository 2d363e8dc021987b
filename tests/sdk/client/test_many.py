"""Many calls at once without a batch."""

from __future__ import annotations

import itertools

import pytest

from flux_images import ConfigurationError, FluxImages, InvalidRequestError, RateLimitError
from flux_images_mock import MockServer


def test_a_limit_costs_no_request(flux_mock: MockServer) -> None:
    """What is refused waits its turn; each is bought once."""
    flux_mock.reset(rate_limit="20/s")
    prompts = [f"picture {number}" for number in range(50)]
    with FluxImages() as flux:
        outcomes = list(flux.generate_many(prompts))
    assert sorted(str(outcome.request["prompt"]) for outcome in outcomes) == sorted(prompts)
    assert [outcome.error for outcome in outcomes] == [None] * 50
    assert flux_mock.bill.pictures == 50


def test_an_error_stands_in_its_outcome(flux_mock: MockServer) -> None:
    """And stops nobody; what may have been billed is not sent again."""
    flux_mock.scenario("cloudflare-524", times=1)
    with FluxImages() as flux:
        outcomes = list(flux.generate_many([{"prompt": str(n), "aspect_ratio": "1:1"} for n in range(4)]))
    assert sorted(type(outcome.error).__name__ for outcome in outcomes) == ["GatewayTimeoutError", *["NoneType"] * 3]
    assert all((outcome.generation is None) == (outcome.error is not None) for outcome in outcomes)
    assert len(flux_mock.requests) == 4


def test_a_wait_longer_than_a_call_may_take_is_not_waited(flux_mock: MockServer) -> None:
    """The error comes at once, and says how long."""
    flux_mock.scenario("rate-limited-seconds", times=1)
    with FluxImages(timeout=0.9) as flux:
        (outcome,) = flux.generate_many(["a"])
    assert isinstance(outcome.error, RateLimitError)
    assert outcome.error.retry_after


def test_a_model_that_nobody_offers_is_asked_for_a_few_times(flux_mock: MockServer) -> None:
    """Its name may be wrong."""
    flux_mock.scenario("no-channel")
    with FluxImages(max_retries=1) as flux:
        (outcome,) = flux.generate_many(["a"])
    assert outcome.error
    assert len(flux_mock.requests) == 2


def test_who_leaves_early_buys_no_more(flux_mock: MockServer) -> None:
    """At most what was under way."""
    with FluxImages() as flux:
        outcomes = flux.generate_many(map(str, range(100)), max_concurrency=2)
        assert len(list(itertools.islice(outcomes, 3))) == 3
        del outcomes
    assert flux_mock.bill.pictures <= 3 + 2 * 2


def test_a_wrong_argument_is_raised(flux_mock: MockServer) -> None:
    """As by `generate`."""
    with FluxImages() as flux, pytest.raises(TypeError, match="sise"):
        list(flux.generate_many([{"prompt": "a", "sise": 3}]))


@pytest.mark.parametrize(
    ("requests", "options", "kind"),
    [
        ([{}], {}, InvalidRequestError),
        ([7], {}, InvalidRequestError),
        (["a"], {"rate": "often"}, ConfigurationError),
        (["a"], {"rate": "0/s"}, ConfigurationError),
        (["a"], {"max_concurrency": 0}, ConfigurationError),
    ],
)
def test_what_cannot_be_sent(
    requests: list[object], options: dict[str, object], kind: type[Exception], flux_mock: MockServer
) -> None:
    """Is refused before the first is."""
    with FluxImages() as flux, pytest.raises(kind):
        flux.generate_many(requests, **options)  # type: ignore[arg-type]  # on purpose
    assert flux_mock.requests == []

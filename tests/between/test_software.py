"""One call through real software is one POST at the gateway, and the error says what it may have cost."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

import flux_images as flux
from flux_images_mock import MockServer
from tests.between.software import haproxy, nginx, tinyproxy
from tests.sdk.conftest import KEY, Buy
from tests.sdk.send.conftest import WAYS
from tests.sdk.test_rows import everything

PASSWORD = "pr0xy-s3cret-0123"

OUTCOMES: list[tuple[str | None, type[flux.FluxImagesError] | None, bool, int, int]] = [
    # a scenario; the error; whether it may have been billed; POSTs; the gateway's bill
    (None, None, False, 1, 1),
    ("stall-before-headers", flux.GatewayTimeoutError, True, 1, 1),
    ("reset-before-headers", flux.InternalServerError, True, 1, 1),
    ("cut-body", flux.UnexpectedResponseError, True, 1, 1),
    ("web-page", flux.UnexpectedResponseError, True, 1, 0),
    ("sensitive-words", flux.ModerationError, False, 1, 0),
]


@pytest.fixture(params=WAYS)
def buy(request: pytest.FixtureRequest) -> Buy:
    """Each of the clients."""
    return WAYS[request.param]


def _spent(mock: MockServer) -> tuple[int, int]:
    return sum(request.method == "POST" for request in mock.requests), mock.bill.pictures


@pytest.mark.parametrize(("scenario", "error", "billed", "posts", "bill"), OUTCOMES)
def test_through_nginx(
    flux_mock: MockServer,
    tmp_path: Path,
    buy: Buy,
    scenario: str | None,
    error: type[flux.FluxImagesError] | None,
    billed: bool,
    posts: int,
    bill: int,
) -> None:
    if scenario:
        flux_mock.scenario(scenario)
    with nginx(tmp_path, flux_mock.url) as url:
        if error is None:
            buy(url)
        else:
            with pytest.raises(error) as caught:
                buy(url)
            assert caught.value.may_have_been_billed is billed
    assert _spent(flux_mock) == (posts, bill)


def test_a_body_that_nginx_does_not_take(flux_mock: MockServer, tmp_path: Path, buy: Buy) -> None:
    with nginx(tmp_path, flux_mock.url) as url, pytest.raises(flux.PayloadTooLargeError) as caught:
        buy(url, "a medal " * 200_000)
    assert not caught.value.may_have_been_billed
    assert "larger than a proxy in front of the gateway takes" in str(caught.value)
    assert _spent(flux_mock) == (0, 0)


LOST = ["reset-before-headers", "reset-after-headers", "cut-body", "panic"]


@pytest.mark.parametrize(
    ("retry_on", "most"), [("conn-failure", 1), ("all-retryable-errors", 4)], ids=["default", "everything"]
)
@pytest.mark.parametrize("scenario", LOST)
def test_through_haproxy_that_tries_again(
    flux_mock: MockServer, tmp_path: Path, buy: Buy, scenario: str, retry_on: str, most: int
) -> None:
    """As it comes it repeats no POST. Told to repeat everything it does, and no client can stop it: README says so."""
    flux_mock.scenario(scenario)
    with haproxy(tmp_path, flux_mock.url, retry_on) as url:
        with pytest.raises(flux.FluxImagesError) as caught:
            buy(url)
        assert caught.value.may_have_been_billed
    assert 1 <= _spent(flux_mock)[0] <= most


def _address() -> str:
    """One of this machine that is not loopback, which no proxy is asked for. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


@pytest.mark.parametrize("password", [PASSWORD, "wrong-s3cret-0123"])
def test_through_a_proxy_with_a_password(
    tmp_path: Path, buy: Buy, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    with tinyproxy(tmp_path, PASSWORD) as proxy, MockServer(host=_address()) as mock:
        monkeypatch.setenv("HTTP_PROXY", proxy.replace("//", f"//user:{password}@"))
        options = {"allow_insecure": True, "allow_local_images": True}
        if password == PASSWORD:
            buy(mock.url, options=options)
            assert _spent(mock) == (1, 1)
            return
        with pytest.raises(flux.FluxImagesError, match=r"the proxy 127\.0\.0\.1 asks for|check the API key") as caught:
            buy(mock.url, options=options)
        assert mock.requests == []
    said = "".join(everything(caught.value))
    assert password not in said
    assert KEY not in said

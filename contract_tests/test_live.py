"""The promises of `flux-images check`, one test each, of the gateway at `--live-url`.

Paid ones are given out beforehand, the first `--allow-paid` of them, so that no number of workers spends more.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from flux_images import FluxImages
from flux_images._cli.promises import BROKEN, NOT_TESTED, PROMISES, Allowance, Gateway, Promise
from flux_images._request.address import find_base_url
from flux_images._request.key import find_key

if TYPE_CHECKING:
    from collections.abc import Iterator

PAID = [promise for promise in PROMISES if promise.paid]


@pytest.fixture
def gateway(pytestconfig: pytest.Config) -> Iterator[Gateway]:
    """The live gateway, with nothing to spend yet."""
    url = pytestconfig.getoption("--live-url")
    if not url:
        pytest.fail("no gateway to ask: give --live-url")
    variable = str(pytestconfig.getoption("--api-key-env"))
    with FluxImages(os.environ[variable], base_url=url, max_retries=0) as flux:
        address = find_base_url(url, allow_insecure=False)
        live = Gateway(address, find_key(os.environ[variable]), flux, Allowance(0))
        yield live
        live.close()


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
def test_a_live_gateway_keeps(promise: Promise, gateway: Gateway, pytestconfig: pytest.Config) -> None:
    """The promise is kept, or not tested for want of an allowance."""
    if promise in PAID[: pytestconfig.getoption("--allow-paid")]:
        gateway.allowance = Allowance(1)
    found = promise.find(gateway)
    if found.verdict == NOT_TESTED:
        pytest.skip(found.evidence)
    assert found.verdict != BROKEN, found.evidence

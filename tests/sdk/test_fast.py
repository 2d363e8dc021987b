"""The fast transport: the same outcomes, on another engine."""

from __future__ import annotations

import anyio
import pytest

import flux_images
from flux_images import AsyncFluxImages
from tests.sdk.conftest import BUYERS, KEY
from tests.sdk.raw_server import raw_server
from tests.sdk.rows import ROWS, Row
from tests.sdk.test_rows import addressed

pytest.importorskip("httpx_aiohttp", reason="the extra `fast` is not installed")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_table_holds_on_the_fast_transport(row: Row) -> None:
    """Success, class of error, billing and number of POSTs."""
    error: flux_images.FluxImagesError | None = None
    with raw_server(pictures={"/picture.png": row.picture}) as server:
        server.reply = addressed(row.reply, server)
        try:
            BUYERS["asyncio"](server.url, options={"fast": True}, **row.fields)
        except flux_images.FluxImagesError as raised:
            error = raised
    assert type(error) is (row.error or type(None))
    if error:
        assert error.may_have_been_billed is row.billed
    assert len(server.posts) == row.posts
    assert {post.header("authorization") for post in server.posts} == {f"Bearer {KEY}"}


def test_a_refused_connection_costs_nothing() -> None:
    """And is tried again."""
    with raw_server() as server:
        gone = server.url
    told: list[object] = []
    with pytest.raises(flux_images.APIConnectionError) as caught:
        BUYERS["asyncio"](gone, options={"fast": True, "on_retry": told.append})
    assert not caught.value.may_have_been_billed
    assert len(told) == 2


def test_the_extra_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is missing, at construction."""
    monkeypatch.setitem(__import__("sys").modules, "flux_images._fast", None)
    with pytest.raises(flux_images.ConfigurationError, match=r"flux-images\[fast\]"):
        AsyncFluxImages(KEY, fast=True)


def test_closing_ends_its_session() -> None:
    """Also of a client that made no call."""

    async def main() -> None:
        async with AsyncFluxImages(KEY, fast=True):
            pass

    anyio.run(main)

"""What gateways do, against what a caller gets: every row, on every way of calling, over real sockets."""

from __future__ import annotations

import logging
import pickle
import time
import traceback
from typing import Any

import pytest

import flux_images
from tests.sdk.conftest import KEY, Buy
from tests.sdk.raw_server import RawServer, Reply, raw_server
from tests.sdk.rows import ROWS, Row

SLOWEST = 3.0
"""Seconds that no row may take: the shortest of the default timeouts is ten."""


def addressed(reply: Reply, server: RawServer) -> Reply:
    """The reply, with the server's own address in the places that ask for it."""
    filled = [step.replace(b"{server}", server.url.encode()) if isinstance(step, bytes) else step for step in reply]
    return [_fix_length(step) if isinstance(step, bytes) and b"picture.png" in step else step for step in filled]


def _fix_length(reply: bytes) -> bytes:
    head, _, body = reply.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")  # trio's, of httpx's where decoding fails
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_caller_gets_what_the_table_says(row: Row, way: Buy, caplog: pytest.LogCaptureFixture) -> None:
    """Class, billing, number of POSTs, request id; no key anywhere, none on any GET, and in good time."""
    caplog.set_level(logging.DEBUG)
    with raw_server(pictures={"/picture.png": row.picture}) as server:
        server.reply = addressed(row.reply, server)
        started = time.monotonic()
        error, generation = _outcome(way, server.url, row)
        assert time.monotonic() - started < SLOWEST
    assert len(server.posts) == row.posts
    assert {post.header("authorization") for post in server.posts} == {f"Bearer {KEY}"}
    for get in server.gets:
        assert {name.lower() for name, _ in get.headers} - {"user-agent"} == {"host", "accept"}
    if row.error is None:
        assert error is None
        assert len(generation.images) == row.pictures
        assert generation.missing == row.fields.get("n", row.pictures) - row.pictures
    else:
        assert type(error) is row.error
        assert error.may_have_been_billed is row.billed
        assert row.says in str(error)
        assert "\n" not in str(error)
        assert KEY not in "".join(everything(error))
        if row.code is not None:
            assert getattr(error, "code", None) == row.code
    if row.request_id:
        assert getattr(error or generation, "request_id", None) == row.request_id
    assert KEY not in caplog.text


def _outcome(buy: Buy, url: str, row: Row) -> tuple[Any, Any]:
    try:
        return None, buy(url, **row.fields)[0]
    except flux_images.FluxImagesError as error:
        return error, None


def everything(error: BaseException) -> list[str]:
    """All that an error and those behind it can show."""
    seen = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
    seen += [repr(list(getattr(getattr(error, "_request", None), "headers", {}).items()))]
    if isinstance(error, flux_images.FluxImagesError):
        seen.append(repr(pickle.dumps(error)))
    for behind in (error.__cause__, error.__context__):
        if behind is not None:
            seen += everything(behind)
    return seen


def test_the_table_is_whole() -> None:
    """More than fifty behaviours, each named once."""
    assert len({row.name for row in ROWS}) == len(ROWS) > 50

"""A bounded fuzz run over the bytes of a request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mock.wire import GOOD, JSON, KEY, exchange, post

if TYPE_CHECKING:
    from flux_images_mock import MockServer

PARTS = [
    *(
        b"POST ",
        b"GET ",
        b"/v1/images/generations",
        b" HTTP/1.1\r\n",
        b"Host: mock\r\n",
        KEY,
        JSON,
        b"\r\n",
        b"\r\n\r\n",
    ),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"5\r\n", b"0\r\n\r\n", b"Connection: close\r\n"),
    *(
        b"Prefer: code=999, example=x\r\n",
        b"Expect: 100-continue\r\n",
        b"Content-Encoding: br\r\n",
        b"\x00",
        b"\xff",
        b"%",
    ),
    *(b'{"model":', b'"prompt":"p"', b"}", b"[", b'"\\u', b"1e999", b"-", b"null", b",", b":"),
]


def requests() -> st.SearchStrategy[bytes]:
    """Return requests from parts of good ones, and good ones with a piece cut, doubled or replaced."""
    parts = st.lists(st.sampled_from(PARTS) | st.binary(max_size=8), max_size=30).map(b"".join)
    whole = post(GOOD)
    spans = st.tuples(st.integers(0, len(whole)), st.integers(0, 12), st.binary(max_size=12))
    mutated = spans.map(lambda span: whole[: span[0]] + span[2] + whole[span[0] + span[1] :])
    bodies = st.binary(max_size=60).map(post)
    return parts | mutated | bodies


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request_bytes=requests())
def test_no_bytes_break_the_mock(request_bytes: bytes, server: MockServer, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever bytes come, no answer is a 5xx and nothing is raised."""
    with caplog.at_level(logging.ERROR):
        replies = exchange(server.url, request_bytes)
    assert all(reply.status < 500 for reply in replies)
    assert not caplog.records

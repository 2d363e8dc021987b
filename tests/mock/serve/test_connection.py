"""Time limits and endings on the wire."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing

import pytest

from flux_images_mock import MockServer
from tests.mock.wire import GOOD, JSON, KEY, connect, exchange, post, read_all, split

LIMIT = 1.0
"""The header timeout of the fixture's server, in seconds."""

STALLS = {
    "nothing at all": (b"", []),
    "half a request line": (b"POST /v1/ima", [408]),
    "half a header": (b"POST /v1/images/generations HTTP/1.1\r\nHost: mo", [408]),
    "headers without an end": (b"POST /v1/images/generations HTTP/1.1\r\nHost: mock\r\n", [408]),
    "half a body": (post(GOOD)[:-10], [408]),
    "half a chunked body": (
        b"POST /v1/images/generations HTTP/1.1\r\nHost: mock\r\n"
        + KEY
        + JSON
        + b"Transfer-Encoding: chunked\r\n\r\n28\r\n{",
        [408],
    ),
    "a good request, then half of one": (post(GOOD) + b"POST /", [200, 408]),
}


@pytest.mark.parametrize(("sent", "statuses"), STALLS.values(), ids=STALLS)
def test_a_stalled_request_is_closed(sent: bytes, statuses: list[int], server: MockServer) -> None:
    """A client that stops half-way is told so and closed within the time limit."""
    with closing(connect(server.url)) as connection:
        begun = time.monotonic()
        connection.sendall(sent)
        replies = list(split(read_all(connection)))
    assert [reply.status for reply in replies] == statuses
    assert time.monotonic() - begun < LIMIT + 3


def test_a_dripped_header_is_closed(server: MockServer) -> None:
    """Sending a byte now and then doesn't extend the time for a request's head."""
    with closing(connect(server.url)) as connection:
        connection.settimeout(0.1)
        begun = time.monotonic()
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        received = b""
        while time.monotonic() - begun < LIMIT + 3 and not received:
            connection.sendall(b"x")
            try:
                received = connection.recv(65536)
            except TimeoutError:
                continue
    assert b" 408 " in received


def test_stalled_connections_leave_the_others_alone(server: MockServer) -> None:
    """With two hundred connections stalled, a request is still answered at once."""
    with ExitStack() as stack:
        for _ in range(200):
            connection = stack.enter_context(closing(connect(server.url)))
            connection.sendall(b"POST /v1/images/generations HTTP/1.1\r\nHost: mock\r\n")
        times: list[float] = []
        for _ in range(20):
            begun = time.perf_counter()
            (reply,) = exchange(server.url, post(GOOD))
            times.append(time.perf_counter() - begun)
            assert reply.status == 200
    assert sorted(times)[10] < 0.05


def test_a_refusal_survives_what_the_client_still_sends(server: MockServer) -> None:
    """A client in the middle of a large upload can read the refusal: the connection isn't reset under it."""
    with closing(connect(server.url)) as connection:
        connection.sendall(
            b"POST /v1/images/generations HTTP/1.1\r\nHost: mock\r\n" + KEY + JSON + b"Content-Length: 20000000\r\n\r\n"
        )
        for _ in range(30):
            connection.sendall(b" " * 65536)
        (reply,) = split(read_all(connection))
    assert reply.status == 413
    assert b"connection: close" in reply.head


def test_a_connection_is_kept(server: MockServer) -> None:
    """Two requests in turn are answered on one connection."""
    with closing(connect(server.url)) as connection:
        for _ in range(2):
            connection.sendall(post(GOOD))
            (reply,) = split(connection.recv(65536))
            assert reply.status == 200
            assert b"connection: close" not in reply.head


def test_the_body_of_an_answer_to_head_is_left_out(server: MockServer) -> None:
    """An answer to HEAD has the length of a body and no body."""
    with closing(connect(server.url)) as connection:
        connection.sendall(b"HEAD /v1/images/generations HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n")
        received = read_all(connection)
    assert b"content-length: 1" in received
    assert received.endswith(b"\r\n\r\n")


def test_a_quick_request_waits_for_the_slow_one_before_it(server: MockServer) -> None:
    """Answers come in the order of their requests, though the first has a picture to draw."""
    slow = post(b'{"model":"m","prompt":"first","response_format":"b64_json"}')
    replies = exchange(server.url, slow + post(GOOD) + post(b"{}"))
    assert [reply.status for reply in replies] == [200, 200, 400]
    assert b"b64_json" in replies[0].body
    assert b"url" in replies[1].body


def test_a_connection_that_rests_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its last answer a connection is kept for a while, and no longer."""
    monkeypatch.setattr("flux_images_mock._serve.connection._IDLE", 0.2)
    with MockServer(header_timeout=0.2) as server, closing(connect(server.url)) as connection:
        connection.sendall(post(GOOD))
        (reply,) = split(read_all(connection))
    assert reply.status == 200
    assert b"connection: close" not in reply.head

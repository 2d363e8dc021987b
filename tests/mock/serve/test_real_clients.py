"""Clients that are slow, only speak first, or speak an old HTTP; and what is noted of those that are refused."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from flux_images_mock import MockServer
from tests.mock.asking import KEY, PATH

BODY = b'{"model": "m", "prompt": "p"}'
HEAD = b"POST %b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"


def _connected(mock: MockServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(mock.url).port or 0), timeout=20)


def _request(head: bytes = b"", body: bytes = BODY, version: bytes = b"1.1") -> bytes:
    start = (HEAD % (PATH.encode(), KEY.encode())).replace(b"HTTP/1.1", b"HTTP/" + version)
    return start + head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _all_of(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


@pytest.mark.parametrize("latency", ["0s", "100ms"])
def test_a_client_that_only_speaks_first_gets_its_answer(latency: str) -> None:
    """It closes its half of the connection once its request has left, as netcat does."""
    with MockServer(latency=latency) as mock, _connected(mock) as connection:
        connection.sendall(_request())
        connection.shutdown(socket.SHUT_WR)
        received = _all_of(connection)
        assert b"HTTP/1.1 200 OK\r\n" in received
        assert not mock.requests[-1].client_left


def test_an_old_client_gets_no_interim_answer() -> None:
    with MockServer() as mock, _connected(mock) as connection:
        connection.sendall(_request(b"Expect: 100-continue\r\n", version=b"1.0"))
        assert _all_of(connection).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_slow_body_is_judged_by_what_comes() -> None:
    """So long as a kilobyte a second comes it may take its time; one that stands still is refused."""
    body = b'{"model": "m", "prompt": "' + b"p" * 20_000 + b'"}'
    with MockServer(header_timeout=0.2) as mock, _connected(mock) as connection:
        head, _, _ = _request(body=body).partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        for start in range(0, len(body), 1000):
            connection.sendall(body[start : start + 1000])
            assert not mock.app.state.run.wait_for_sleepers(1, 0.03)  # for time to pass
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    with MockServer(header_timeout=0.2) as mock, _connected(mock) as connection:
        connection.sendall(head + b"\r\n\r\n" + body[:10])
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"nonsense\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000, 431)],
)
def test_what_the_reader_refuses_is_in_the_journal(sent: bytes, status: int) -> None:
    with MockServer() as mock, _connected(mock) as connection:
        connection.sendall(sent)
        assert _all_of(connection).startswith(b"HTTP/1.1 %d " % status)
        assert [request.status for request in mock.requests] == [status]

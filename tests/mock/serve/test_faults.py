"""What goes wrong on the wire: over a socket, and as its counterpart without one."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from flux_images_mock import WireFaultError, app
from flux_images_mock._answer.answer import KINDS, Answer, Fault
from flux_images_mock._serve.faults import script
from tests.mock.asking import BODY, KEY, PATH, ask, fetch, url_of

if TYPE_CHECKING:
    from flux_images_mock import Mock, MockServer

ERRORS = {kind: fault.counterpart for kind, fault in KINDS.items()}


@pytest.mark.parametrize("kind", [kind for kind, error in ERRORS.items() if error])
def test_a_fault_is_the_same_error_with_and_without_a_socket(kind: str, either: Mock) -> None:
    """The class of httpx that a table names is the one that httpx raises."""
    with pytest.raises(httpx.TransportError) as caught:
        ask(either, headers={"Prefer": f"scenario={kind}"}, timeout=0.3)
    assert type(caught.value).__name__ == ERRORS[kind]
    assert either.bill[KEY] == 1


@pytest.mark.parametrize("kind", ["reset-before-headers", "cut-body", "stall-before-headers"])
def test_an_application_without_a_wire_says_what_it_would_be(kind: str) -> None:
    """In `httpx.ASGITransport` a fault is an error of the mock's own that names its counterpart."""

    async def call() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://mock") as client:
            headers = {"Authorization": f"Bearer {KEY}", "Prefer": f"scenario={kind}"}
            await client.post(PATH, json=BODY, headers=headers)

    with pytest.raises(WireFaultError, match=str(ERRORS[kind])) as caught:
        asyncio.run(call())
    assert caught.value.counterpart == ERRORS[kind]


def test_an_answer_longer_than_it_says_arrives_cut(either: Mock) -> None:
    """The client takes what the length says."""
    answer = ask(either, headers={"Prefer": "scenario=length-too-small"})
    assert len(answer.content) == int(answer.headers["content-length"])
    assert not answer.content.endswith(b"}")


def _raw(mock: MockServer, name: str) -> socket.socket:
    address = urlsplit(mock.url)
    connection = socket.create_connection((address.hostname or "", address.port or 0), timeout=5)
    body = b'{"model": "m", "prompt": "p"}'
    head = [
        f"POST {PATH} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {KEY}",
        f"Prefer: scenario={name}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    return connection


def _until(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += connection.recv(65536)
    return data


def test_a_reset_is_a_reset(mock: MockServer) -> None:
    """The connection isn't closed, it is torn down; after the headers, those still arrive."""
    with _raw(mock, "reset-before-headers") as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    with _raw(mock, "reset-after-headers") as connection:
        assert b"HTTP/1.1 200 OK\r\n" in _until(connection, 20)
        with pytest.raises(ConnectionResetError):
            connection.recv(65536)


def test_a_stall_ends_by_the_mock_s_clock(mock: MockServer) -> None:
    """After ten minutes the connection is closed, with half of the body on the other side."""
    with _raw(mock, "stall-in-body") as connection:
        assert mock.app.state.run.wait_for_sleepers(1)
        head, _, half = _until(connection, 100).partition(b"\r\n\r\n")
        mock.advance(601)
        assert connection.recv(1) == b""
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
    assert len(half) == length // 2


def test_a_stall_ends_when_the_client_leaves(mock: MockServer) -> None:
    """Its place becomes free, though the clock stands still."""
    mock.reset(concurrency=1)
    with _raw(mock, "stall-before-headers"):
        assert mock.app.state.run.wait_for_sleepers(1)
        assert ask(mock).status_code == 429
    assert 200 in (ask(mock).status_code for _ in range(200))


def test_a_drip_comes_a_byte_at_a_time(mock: MockServer) -> None:
    """The first arrives alone; a reset ends it."""
    with _raw(mock, "drip") as connection:
        assert mock.app.state.run.wait_for_sleepers(1)
        data = _until(connection, 20)
        mock.reset()
        while part := connection.recv(65536):
            data += part
    assert data.partition(b"\r\n\r\n")[2] in (b"{", b'{"')


def test_a_lost_picture(either: Mock) -> None:
    """A fault can wait behind an address."""
    url = url_of(ask(either, headers={"Prefer": "scenario=picture-connection-lost"}))
    with pytest.raises(httpx.RemoteProtocolError):
        fetch(url)


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_ends(kind: str) -> None:
    """The script of each fault is finite, and its last step ends the connection."""
    steps = list(script(Fault(kind, 1.0), Answer(200, [(b"content-length", b"4")], b"body", "test")))
    assert steps[-1] in ("close", "reset")
    assert not any(step in ("close", "reset") for step in steps[:-1])

"""A client of bare sockets, which sends what no HTTP library would."""

from __future__ import annotations

import socket
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE = 15.0
KEY = b"Authorization: Bearer sk-wire\r\n"
JSON = b"Content-Type: application/json\r\n"
GOOD = b'{"model":"flux","prompt":"a lighthouse"}'


@dataclass(frozen=True)
class Reply:
    """One answer: its status, its header lines and its body."""

    status: int
    head: bytes
    body: bytes


def connect(url: str) -> socket.socket:
    """Return a connection to the server."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)


def exchange(url: str, *pieces: bytes) -> list[Reply]:
    """Send bytes as they are and return every answer until the server closes or has nothing more to say."""
    with closing(connect(url)) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        return list(split(read_all(connection)))


def read_all(connection: socket.socket) -> bytes:
    """Return everything that comes until the server closes."""
    received = bytearray()
    while chunk := connection.recv(65536):
        received += chunk
    return bytes(received)


def split(received: bytes) -> Iterable[Reply]:
    """Yield each answer in a stream; an interim one has no body."""
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        yield Reply(status, head, rest[:length])
        received = rest[length:]


def post(body: bytes, head: bytes = KEY + JSON, path: bytes = b"/v1/images/generations") -> bytes:
    """Return a request that posts a body, with its length."""
    return b"POST %b HTTP/1.1\r\nHost: mock\r\n%bContent-Length: %d\r\n\r\n%b" % (path, head, len(body), body)

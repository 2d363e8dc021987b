"""Requests byte by byte, for headers that no well-behaved client would send."""

from __future__ import annotations

import socket
from http.client import HTTPResponse
from typing import NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """A status, its headers (lower-case names) and a body."""

    status: int
    headers: dict[str, str]
    body: bytes


def exchange(url: str, request: bytes) -> Answer:
    """Send bytes to the server at a URL and read one answer, for 10 seconds at most."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request)
        response = HTTPResponse(connection)
        response.begin()
        body = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def post(path: str, header_lines: list[bytes], body: bytes) -> bytes:
    """The bytes of a JSON POST with the given extra header lines."""
    lines = [
        f"POST {path} HTTP/1.1".encode(),
        b"Host: gateway",
        b"Content-Type: application/json",
        f"Content-Length: {len(body)}".encode(),
        *header_lines,
        b"Connection: close",
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body

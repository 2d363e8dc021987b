"""A server on plain sockets that says exactly what it is told, broken HTTP included."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

Step = bytes | Callable[[socket.socket], object]
"""Bytes to send, or something to do with the connection."""
Reply = Sequence[Step]
"""The steps of one answer; the connection is closed after the last."""


@dataclass
class Request:
    """One request as it came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class RawServer:
    """What was asked, and what to answer: ``pictures`` by path for GET, ``reply`` for everything else."""

    url: str
    reply: Reply | Callable[[int], Reply]
    pictures: dict[str, Reply]
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list[Request])
    connections: int = 0

    @property
    def posts(self) -> list[Request]:
        """The paid ones."""
        return [request for request in self.requests if request.method == "POST"]

    @property
    def gets(self) -> list[Request]:
        """Those for pictures."""
        return [request for request in self.requests if request.method == "GET"]


def answer(status: int, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """A whole HTTP answer; ``length`` is the Content-Length to claim."""
    lines = [
        f"HTTP/1.1 {status} Reason",
        "Connection: close",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def stall(connection: socket.socket) -> None:
    """Say nothing until the other side hangs up."""
    with contextlib.suppress(OSError):
        while connection.recv(1024):
            pass


def reset(connection: socket.socket) -> None:
    """End the connection with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextlib.contextmanager
def raw_server(
    reply: Reply | Callable[[int], Reply] = (),
    pictures: dict[str, Reply] | None = None,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> Generator[RawServer]:
    """Serve until the block ends, a thread for each connection and one request on each."""
    listener = socket.create_server((host, 0))
    server = RawServer(f"http{'s' * bool(tls)}://{host}:{listener.getsockname()[1]}", reply, pictures or {}, tls)
    open_now: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_now.append(connection)
                server.connections += 1
                threads.append(threading.Thread(target=_serve, args=(server, connection)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def _serve(server: RawServer, connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection = server.tls.wrap_socket(connection, server_side=True) if server.tls else connection
    with connection, contextlib.suppress(OSError):
        request = _read(connection)
        if request is None:
            return
        server.requests.append(request)
        if request.method == "GET":
            steps = server.pictures.get(request.target.partition("?")[0], [answer(404, b"no such picture")])
        else:
            steps = server.reply(len(server.posts)) if callable(server.reply) else server.reply
        for step in steps:
            if isinstance(step, bytes):
                connection.sendall(step)
            else:
                step(connection)


def _read(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    while len(body) < length:
        if not (more := connection.recv(65536)):
            return None
        body += more
    method, target, _ = first.split(" ")
    return Request(method, target, headers, body)

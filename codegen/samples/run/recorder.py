"""A server between a sample and the mock, which keeps what the sample sent as it came."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import NamedTuple, cast
from urllib.parse import urlsplit


class Received(NamedTuple):
    """A request and the status that the mock gave it. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int


class Recorder(HTTPServer):
    """Passes requests on to the mock, one at a time, and keeps them in ``received``."""

    def __init__(self, mock_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mock = urlsplit(mock_url).netloc
        self.received: list[Received] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_port}"

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def do_POST(self) -> None:
        recorder = cast("Recorder", self.server)
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        passed: dict[str, str] = {name: headers[name] for name in ("authorization", "content-type") if name in headers}
        connection = HTTPConnection(recorder.mock, timeout=20)
        connection.request(self.command, self.path, body, passed)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        recorder.received.append(Received(self.command, self.path, headers, body, answer.status))
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type") or "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 -- as the base class looks for them

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as the base class calls it
        del format, args

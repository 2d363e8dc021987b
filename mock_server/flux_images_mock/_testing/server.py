"""The mock as a server on a socket of its own."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Unpack

from flux_images_mock._options import HEADER_TIMEOUT, Options
from flux_images_mock._serve.asgi import app
from flux_images_mock._serve.server import Server, address, bind
from flux_images_mock._testing.mock import Mock


class MockServer(Mock):
    """The mock on a socket, served from a thread: `with MockServer() as mock: ... mock.url`.

    The socket listens before the thread starts, so the first request needs no waiting. `port=0` takes any free one.
    Raises `SpecError` (a `ValueError`) where the description can't be served, and `OSError` where the port is taken.
    """

    def __init__(
        self, spec: str | Path | None = None, *, host: str = "127.0.0.1", port: int = 0, **options: Unpack[Options]
    ) -> None:
        application = app(spec, **options)
        listener = bind(host, port)
        super().__init__(application, address(listener))
        self._server = Server(application, listener, options.get("header_timeout", HEADER_TIMEOUT))
        self._thread = Thread(target=self._server.run, name="flux-images-mock", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, then close the socket."""
        self.app.state.run.end()  # nobody waits any more
        self._server.stop()
        self._thread.join()

    def __enter__(self) -> MockServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

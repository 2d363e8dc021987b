"""The mock as a server on a socket of its own."""

from __future__ import annotations

import logging
import socket
from contextlib import contextmanager
from functools import partial
from signal import SIGINT, SIGTERM, signal
from threading import Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Unpack, cast

import uvicorn

from flux_images_mock._options import HEADER_TIMEOUT
from flux_images_mock._serve.asgi import app
from flux_images_mock._serve.connection import MockProtocol, Outbox
from flux_images_mock._testing.mock import Mock

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import TracebackType

    from flux_images_mock._options import Options
    from flux_images_mock._serve.asgi import MockApp

_BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises `OSError` if the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def address(listener: socket.socket) -> str:
    """Return the root URL of a listening socket, without a slash at its end."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn, which a signal ends with status 0 and in silence."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Let SIGTERM and SIGINT end the server, and nothing else."""
        if current_thread() is not main_thread():
            yield
            return
        before = {number: signal(number, self.handle_exit) for number in (SIGTERM, SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is under way; what takes longer than four seconds is cut off."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def configure(application: MockApp, options: Options) -> uvicorn.Server:
    """Return a uvicorn server for the application, its own logs off."""
    protocol = partial(
        MockProtocol, application, outbox=Outbox(), header_timeout=options.get("header_timeout", HEADER_TIMEOUT)
    )
    return _Server(
        uvicorn.Config(
            application,
            http=cast("type[MockProtocol]", protocol),  # uvicorn only calls it
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=4,
            backlog=_BACKLOG,
        )
    )


class MockServer(Mock):
    """The mock on a socket, served from a thread: `with MockServer() as mock: ... mock.url`.

    The socket listens before the thread starts, so the first request needs no waiting. `port=0` takes any free one.
    Raises `SpecError` (a `ValueError`) where the description can't be served, and `OSError` where the port is taken.
    """

    def __init__(
        self, spec: str | Path | None = None, *, host: str = "127.0.0.1", port: int = 0, **options: Unpack[Options]
    ) -> None:
        application = app(spec, **options)
        self._listener = bind(host, port)
        super().__init__(application, address(self._listener))
        self._server = configure(self.app, options)
        self._thread = Thread(target=self._server.run, args=([self._listener],), name="flux-images-mock", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, then close the socket."""
        self.app.state.clock.reset()  # nobody waits any more
        self._server.should_exit = True
        self._thread.join()

    def __enter__(self) -> MockServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

"""The mock as a server on a socket of its own."""

from __future__ import annotations

import socket
from threading import Thread
from typing import TYPE_CHECKING, Any

import uvicorn

from flux_images_mock._app import app

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from flux_images_mock._app import MockApp

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


def configure(application: MockApp) -> uvicorn.Server:
    """Return a uvicorn server for the application, its own logs off."""
    return uvicorn.Server(
        uvicorn.Config(
            application,
            http="httptools",
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


class MockServer:
    """The mock on a socket, served from a thread: `with MockServer() as mock: ... mock.url`.

    The socket listens before the thread starts, so the first request needs no waiting. `port=0` takes any free one.
    Raises `SpecError` (a `ValueError`) where the description can't be served, and `OSError` where the port is taken.
    """

    def __init__(
        self, spec: str | Path | None = None, *, host: str = "127.0.0.1", port: int = 0, **options: Any
    ) -> None:
        self.app = app(spec, **options)
        self._listener = bind(host, port)
        self.url = address(self._listener)
        """The root of the server, without a slash at its end."""
        self._server = configure(self.app)
        self._thread = Thread(target=self._server.run, args=([self._listener],), name="flux-images-mock", daemon=True)

    @property
    def openai_base_url(self) -> str:
        """What OpenAI's SDKs want as their `base_url`."""
        return f"{self.url}/v1"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, then close the socket."""
        self._server.should_exit = True
        self._thread.join()

    def __enter__(self) -> MockServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

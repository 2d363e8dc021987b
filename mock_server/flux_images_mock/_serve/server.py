"""A socket of the mock's own, and the server on it."""

from __future__ import annotations

import logging
import socket
from contextlib import contextmanager
from functools import partial
from signal import SIGINT, SIGTERM, signal
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, cast

import uvicorn

from flux_images_mock._options import HEADER_TIMEOUT
from flux_images_mock._serve.connection import MockProtocol, Outbox

if TYPE_CHECKING:
    from collections.abc import Generator

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

"""A socket of the mock's own, and the server on it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from functools import partial
from signal import SIGINT, SIGTERM
from threading import Event, current_thread, main_thread

from flux_images_mock._gateway.delivery import Gateway
from flux_images_mock._options import HEADER_TIMEOUT
from flux_images_mock._serve.connection import Connection, Outbox

_BACKLOG = 2048
_PATIENCE = 4.0


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises `OSError` if the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def address(listener: socket.socket) -> str:
    """Return the root URL of a listening socket, without a slash at its end."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server:
    """Serves a gateway on a listening socket, until it is stopped."""

    def __init__(self, gateway: Gateway, listener: socket.socket, header_timeout: float = HEADER_TIMEOUT) -> None:
        self._gateway = gateway
        self._listener = listener
        self._header_timeout = header_timeout
        self._begun = Event()

    def run(self) -> None:
        """Serve; what is under way at the end is answered, and cut off where that takes longer than four seconds."""
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(self._serve())

    def stop(self) -> None:
        """End `run`, which another thread has called, or is about to."""
        self._begun.wait()
        with suppress(RuntimeError):  # its loop is closed: it has ended by itself
            self._loop.call_soon_threadsafe(self._ending.set)

    def close(self) -> None:
        """Close the socket of a server that never ran."""
        self._listener.close()

    async def _serve(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        connections, outbox = set[Connection](), Outbox()
        if current_thread() is main_thread():
            with suppress(NotImplementedError):  # on Windows, Ctrl-C is a KeyboardInterrupt
                for number in (SIGINT, SIGTERM):
                    self._loop.add_signal_handler(number, self._ending.set)
        make = partial(Connection, self._gateway, connections, outbox, self._header_timeout)
        server = await self._loop.create_server(make, sock=self._listener, backlog=_BACKLOG)
        await self._ending.wait()
        self._gateway.is_ending = True
        server.close()
        for connection in list(connections):
            connection.shutdown()
        if tasks := [connection.task for connection in connections if connection.task is not None]:
            await asyncio.wait(tasks, timeout=_PATIENCE)


def _new_loop() -> asyncio.AbstractEventLoop:
    """Return a loop of uvloop where there is one, which is twice as fast."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.new_event_loop()
    return new_event_loop()

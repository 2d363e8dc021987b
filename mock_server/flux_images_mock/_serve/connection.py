"""One connection of HTTP/1.1: requests answered in turn, limits in time, and endings that a client can still read.

An answer that needn't wait for anything leaves in the same breath in which its request came: no task is made for it.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import deque
from email.utils import formatdate
from functools import lru_cache
from socket import SO_LINGER, SOL_SOCKET
from typing import cast

from flux_images_mock._answer.answer import Answer, Fault
from flux_images_mock._gateway.delivery import NEED_BODY, Gateway, NeedBody, Play, Step, Wait, Work
from flux_images_mock._request.message import Headers, Request
from flux_images_mock._serve.faults import STATUS_LINES, End, script
from flux_images_mock._serve.reader import Reader, Turn

_IDLE = 75.0
"""Seconds for which a connection that has carried a request waits for the next, longer than clients keep theirs."""

_LINGER = 2.0
"""Seconds in which a client that was answered early may go on sending."""

_SLOWEST = 1024
"""Bytes a second at which a body may take its time."""

_PROBE = 0.02
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NO_LINGER = struct.pack("ii", 1, 0)  # closing then resets the connection


class Outbox:
    """The connections of one server that have something to send.

    They send when all have been served on which something came: a burst wakes its readers once.
    """

    def __init__(self) -> None:
        self._waiting: list[Connection] = []

    def add(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        """Let a connection send soon."""
        if not self._waiting:
            loop.call_soon(self._send)
        self._waiting.append(connection)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
            connection.flush()


class Connection(asyncio.Protocol):
    """The connection of one client. Requests are answered one after the other."""

    _transport: asyncio.Transport

    def __init__(self, gateway: Gateway, connections: set[Connection], outbox: Outbox, header_timeout: float) -> None:
        self.task: asyncio.Task[None] | None = None
        """The answer under way that takes time."""
        self._gateway = gateway
        self._connections = connections
        self._outbox = outbox
        self._header_timeout = header_timeout
        self._loop = asyncio.get_running_loop()
        self._turns: deque[tuple[Turn, Play]] = deque()
        self._step: Step | None = None
        self._is_awaited = False  # an answer, of which nothing was sent
        self._seen = 0  # bytes of a body at the last look
        self._unsent: list[bytes] = []
        self._paused = False
        self._writable = True
        self._last = False
        self._over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to watch the time: a connection on which nothing comes is closed as well."""
        self._transport = cast("asyncio.Transport", transport)  # asyncio's base class names it loosely
        self._reader = Reader(
            self._take,
            self._gateway.engine.max_body,
            self._loop.time,
            transport.get_extra_info("sockname"),
        )
        self._connections.add(self)
        self._watch = self._loop.call_later(self._header_timeout, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop whatever is under way for a client who has left."""
        del exc
        self._over = True
        self._watch.cancel()
        self._forget()
        self._connections.discard(self)
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        """Read what came, and answer what is whole."""
        if not self._over:
            self._reader.feed(data)
            self._advance()

    def eof_received(self) -> bool:
        """Find out whether a client that says no more still listens: interim answers reach it, or break off.

        The first is refused by whoever has left, and the second learns of that.
        """
        self._last = True
        self.flush()
        self._probe()
        if self._is_awaited:
            self._loop.call_later(_PROBE, self._probe)
        return self._is_awaited

    def _probe(self) -> None:
        if self._is_awaited and not self._transport.is_closing():
            self._transport.write(_CONTINUE)

    def pause_writing(self) -> None:
        """Answer no more until the client has read what it got."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True
        self._advance()

    def shutdown(self) -> None:
        """Close the connection, after the answer that is under way."""
        self._last = True
        if self.task is None:
            self._end("close")

    def _take(self, turn: Turn) -> None:
        self._turns.append((turn, self._gateway.play(turn.request)))
        if self.task is not None or len(self._turns) > 1:
            self._pause()

    def _advance(self) -> None:
        """Answer the requests that can be answered, in order; then refuse what came after them, if it was bad."""
        while self._turns and self.task is None and self._writable and not self._over:
            turn, play = self._turns[0]
            step = self._next_step(turn, play)
            if isinstance(step, NeedBody):
                break
            self._turns.popleft()
            self._step = None
            if isinstance(step, (Work, Wait)) or step.fault is not None:
                self.task = self._loop.create_task(self._carry_out(turn, play, step))
            else:
                self._write(turn, step)
                next(play, None)
        if self.task is None and self._writable and not self._over:
            if self._reader.refusal is not None:
                self._refuse(*self._reader.refusal)
            elif self._paused:
                self._paused = False
                self._transport.resume_reading()

    def _next_step(self, turn: Turn, play: Play) -> Step:
        """Return the next step of the first request, as far as it can be taken without its body."""
        if self._step is None:
            self._step = next(play)
            if self._step is NEED_BODY and turn.expects_continue:
                self._send(_CONTINUE)
        if self._step is NEED_BODY and turn.size > self._gateway.engine.max_body:
            return play.send(None)
        if self._step is NEED_BODY and turn.whole:
            return play.send(b"".join(turn.parts))
        return self._step

    async def _carry_out(self, turn: Turn, play: Play, step: Step) -> None:
        """Take the steps that take time, to the end."""
        try:
            self._is_awaited = turn.knows_interim
            while not isinstance(step, Answer):
                if isinstance(step, Work):
                    step = play.send(await asyncio.to_thread(step.make))
                elif isinstance(step, Wait):
                    step = play.send(await step.sleep(step.seconds))
            self._is_awaited = False
            if step.fault is None:
                self._write(turn, step)
            else:
                await self._break(step.fault, step)
            next(play, None)
        finally:
            self._is_awaited = False
            play.close()
            self.task = None
        self._advance()

    async def _break(self, fault: Fault, answer: Answer) -> None:
        """Play a fault on the connection to its end."""
        for step in script(fault, answer):
            if isinstance(step, bytes):
                self._send(step)
            elif isinstance(step, str):
                self._end(step)
            elif answer.sleep is not None and not await answer.sleep(step):
                self._end("close")
                return

    def _end(self, end: End) -> None:
        self._over = True
        self.flush()
        if end == "reset":
            self._transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _NO_LINGER)
            self._transport.abort()
        else:
            self._transport.close()

    def _send(self, data: bytes) -> None:
        if not self._unsent:
            self._outbox.add(self, self._loop)
        self._unsent.append(data)

    def flush(self) -> None:
        """Send what is to be sent."""
        unsent, self._unsent = self._unsent, []
        if unsent and not self._transport.is_closing():
            self._transport.write(b"".join(unsent))

    def _write(self, turn: Turn, answer: Answer) -> None:
        """Send an answer whole, and close the connection after it where it can't go on."""
        closing = (self._last and not self._turns) or answer.close or not (turn.whole and turn.keep_alive)
        lines = [STATUS_LINES[answer.status], _date_line(int(time.time()))]
        for name, value in answer.headers:
            lines += (name, b": ", value, b"\r\n")
        lines.append(b"connection: close\r\n\r\n" if closing else b"\r\n")
        lines.append(answer.body)
        self._send(b"".join(lines))
        if not turn.whole:
            self._linger()
        elif closing:
            self._end("close")

    def _refuse(self, status: int, text: str) -> None:
        """Answer in place of the gateway, and close."""
        turn = self._reader.turn if self._reader.arriving else None
        nameless = Request("-", "-", b"", Headers([]), "")
        self._gateway.refuse(status, text, nameless if turn is None else turn.request)
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self._send(STATUS_LINES[status] + head % (len(text) + 1) + f"{text}\n".encode())
        self._linger()

    def _linger(self) -> None:
        """Close for writing, and read on for a while: closing at once would destroy the answer on its way."""
        self._over = True
        self._forget()
        self.flush()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        if self._paused:
            self._transport.resume_reading()
        self._loop.call_later(_LINGER, self._transport.close)

    def _forget(self) -> None:
        """Answer none of the requests that wait in line."""
        for _, play in self._turns:
            play.close()
        self._turns.clear()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _look(self) -> None:
        """Close the connection if a request has taken too long to arrive, or to begin; look again later if not."""
        if self._over:
            return
        now, reader = self._loop.time(), self._reader
        idle = self._header_timeout if reader.turn is None else _IDLE
        due = reader.since + idle
        if self.task is not None or self._paused or not self._writable:
            due = now + self._header_timeout
        elif reader.arriving:
            size = self._turns[-1][0].size if self._turns else 0
            due = reader.since + self._header_timeout
            if now >= due and size - self._seen >= _SLOWEST * self._header_timeout:
                self._seen, reader.since = size, now
                due = now + self._header_timeout
        if now < due:
            self._watch = self._loop.call_at(min(due, now + self._header_timeout), self._look)
        elif reader.arriving:
            self._refuse(408, "The request took too long to arrive.")
        else:
            self._end("close")


@lru_cache(maxsize=1)
def _date_line(second: int) -> bytes:
    return f"date: {formatdate(second, usegmt=True)}\r\n".encode()

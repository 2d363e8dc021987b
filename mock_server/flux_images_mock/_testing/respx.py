"""The mock without a socket: the same engine behind respx, for clients of httpx with any transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack
from urllib.parse import urlsplit

import httpx
import respx

from flux_images_mock._request.message import Headers, Request
from flux_images_mock._serve.asgi import app
from flux_images_mock._testing.mock import Mock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from flux_images_mock._answer.faults import Fault
    from flux_images_mock._options import Options
    from flux_images_mock._request.message import Answer, Exchange

_HOST = "flux-images.mock"


class RespxMock(Mock):
    """A mock that answers httpx by itself. Time doesn't pass by waiting: a latency moves the mock's clock.

    A latency, or a stall, beyond the client's read timeout is a `ReadTimeout` at once; every other fault on the
    wire is the error of httpx that it would be over a socket. Requests to other hosts are refused by respx.
    """

    def __init__(self, spec: str | Path | None = None, **options: Unpack[Options]) -> None:
        options["allow_hosts"] = [*options.get("allow_hosts", ()), _HOST]
        super().__init__(app(spec, **options), f"https://{_HOST}")
        self._router = respx.mock(using="httpx", assert_all_called=False)
        servers: list[dict[str, str]] = self.app.engine.description.get("servers", [])
        hosts = {_HOST, *(host for server in servers if (host := urlsplit(server["url"]).hostname))}
        for host in sorted(hosts):
            self._router.route(host=host).mock(side_effect=self._answer)

    def __enter__(self) -> RespxMock:
        self._router.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._router.stop(clear=False)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        url, app = request.url, self.app
        pairs = [(name.lower(), value) for name, value in request.headers.raw]
        path = url.raw_path.partition(b"?")[0].decode("latin-1")
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        exchange = app.begin(Request(request.method, path, url.query, Headers(pairs), origin))
        answer = app.admit(exchange)
        if answer is None and len(request.content) > app.engine.max_body:
            answer = app.engine.too_large(exchange)
        answer = app.complete(exchange, answer or app.answer(exchange, request.content))
        app.record(exchange, answer)
        try:
            return self._deliver(request, exchange, answer)
        except httpx.ReadTimeout:
            app.miss(exchange, answer)
            raise
        finally:
            app.finish(exchange, answer)

    def _deliver(self, request: httpx.Request, exchange: Exchange, answer: Answer) -> httpx.Response:
        fault = answer.fault
        self._pass(answer.delay, request)
        self.app.send_off(exchange, answer)
        if fault is None or fault.counterpart is None:
            if fault is not None:
                self._pass(fault.seconds, request)
                answer = fault.without_wire(answer)
                self.app.state.clock.advance(max(0.0, fault.duration(answer) - fault.seconds))
            return _response(answer, answer.body, None)
        error = self._error(fault, request)
        if isinstance(error, httpx.ReadTimeout):
            self.app.miss(exchange, answer)
        if fault.kind in ("cut-body", "stall-in-body"):
            return _response(answer, answer.body[: len(answer.body) // 2], error)
        if fault.kind in ("reset-after-headers", "length-too-large"):
            return _response(answer, b"" if fault.kind == "reset-after-headers" else answer.body, error)
        raise error

    def _pass(self, seconds: float, request: httpx.Request) -> None:
        """Let time pass, until the client gives up at the latest."""
        if not seconds:
            return
        patience: float | None = request.extensions.get("timeout", {}).get("read")
        if patience is not None and seconds > patience:
            self.app.state.clock.advance(patience)
            raise httpx.ReadTimeout("The mock's latency is longer than the read timeout", request=request)
        self.app.state.clock.advance(seconds)

    def _error(self, fault: Fault, request: httpx.Request) -> httpx.TransportError:
        name = fault.counterpart or "TransportError"
        patience: float | None = request.extensions.get("timeout", {}).get("read")
        if name == "ReadTimeout" and (patience is None or patience > fault.seconds):
            name = "RemoteProtocolError"  # the server closes the connection first
        self.app.state.clock.advance(min(fault.seconds, patience or fault.seconds))
        kind: type[httpx.TransportError] = getattr(httpx, name)
        return kind(f"{fault.kind}, played by the mock", request=request)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that may end with an error."""

    def __init__(self, content: bytes, error: httpx.TransportError | None) -> None:
        self._content = content
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


def _response(answer: Answer, body: bytes, error: httpx.TransportError | None) -> httpx.Response:
    return httpx.Response(answer.status, headers=answer.headers, stream=_Body(body, error))

"""The mock without a socket: the same engine behind respx, for clients of httpx with any transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Unpack
from urllib.parse import urlsplit

import httpx
import respx

from flux_images_mock._answer.answer import Answer, Fault
from flux_images_mock._gateway.delivery import NeedBody, Play, Wait, Work
from flux_images_mock._options import Options
from flux_images_mock._request.message import Headers, Request
from flux_images_mock._serve.asgi import app
from flux_images_mock._serve.faults import without_wire
from flux_images_mock._testing.mock import Mock

_HOST = "flux-images.mock"
_UNHEARD = "127.0.0.1:9"
"""Where nobody listens: what goes by respx, such as OpenAI's SDK on httpx2, ends on this machine."""
_ARRIVES: dict[str, Callable[[bytes], bytes]] = {
    "cut-body": lambda body: body[: len(body) // 2],
    "stall-in-body": lambda body: body[: len(body) // 2],
    "reset-after-headers": lambda body: body[:0],
    "length-too-large": lambda body: body,
}
"""What arrives of a body before the error; with other faults, not even the headers do."""


class FluxMockRespx(Mock):
    """A mock that answers httpx by itself. Time doesn't pass by waiting: a latency moves the mock's clock.

    A latency, or a stall, beyond the client's read timeout is a `ReadTimeout` at once; every other fault on the
    wire is the error of httpx that it would be over a socket. Requests to other hosts are refused by respx; transports
    that call an application in this process, such as a TestClient's, are let through.
    """

    def __init__(self, spec: str | Path | None = None, **options: Unpack[Options]) -> None:
        options["allow_hosts"] = [*options.get("allow_hosts", ()), _HOST, "127.0.0.1"]
        super().__init__(app(spec, **options), f"https://{_HOST}")
        self._router = respx.mock(assert_all_called=False)
        servers: list[dict[str, str]] = self.app.engine.description.get("servers", [])
        hosts = {_HOST, *(host for server in servers if (host := urlsplit(server["url"]).hostname))}
        for host in sorted(hosts):
            self._router.route(host=host).mock(side_effect=self._answer)
        self._router.route(url__startswith=f"http://{_UNHEARD}/").mock(side_effect=self._answer)

    @property
    def openai_base_url(self) -> str:
        """What OpenAI's SDKs want as their `base_url`: those on httpx are answered, others reach nobody."""
        return f"http://{_UNHEARD}/v1"

    def __enter__(self) -> FluxMockRespx:
        self._router.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._router.stop(clear=False)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        pairs = [(name.lower(), value) for name, value in request.headers.raw]
        path = url.raw_path.partition(b"?")[0].decode("latin-1")
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        play = self.app.play(Request(request.method, path, url.query, Headers(pairs), origin))
        try:
            return self._deliver(request, play, self._carry_out(request, play))
        finally:
            play.close()

    def _carry_out(self, request: httpx.Request, play: Play) -> Answer:
        step = next(play)
        while True:
            match step:
                case NeedBody():
                    too_large = len(request.content) > self.app.engine.max_body
                    step = play.send(None if too_large else request.content)
                case Work(make):
                    step = play.send(make())
                case Wait(seconds):
                    self._pass(seconds, request)
                    step = play.send(True)
                case answer:
                    return answer

    def _deliver(self, request: httpx.Request, play: Play, answer: Answer) -> httpx.Response:
        fault, body, error = answer.fault, answer.body, None
        if fault is not None and fault.counterpart is not None:
            error = self._error(fault, request)
            body = _ARRIVES[fault.kind](body) if fault.kind in _ARRIVES else b""
        elif fault is not None:
            self._pass(fault.seconds, request)
            self.app.state.run.advance(max(0.0, without_wire(fault, answer) - fault.seconds))
            body = answer.body
        if not isinstance(error, httpx.ReadTimeout):
            next(play, None)
        if error is not None and fault is not None and fault.kind not in _ARRIVES:
            raise error
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(body, error))

    def _pass(self, seconds: float, request: httpx.Request) -> None:
        """Let time pass, until the client gives up at the latest."""
        if not seconds:
            return
        patience: float | None = request.extensions.get("timeout", {}).get("read")
        if patience is not None and seconds > patience:
            self.app.state.run.advance(patience)
            raise httpx.ReadTimeout("The mock's latency is longer than the read timeout", request=request)
        self.app.state.run.advance(seconds)

    def _error(self, fault: Fault, request: httpx.Request) -> httpx.TransportError:
        name = fault.counterpart or "TransportError"
        patience: float | None = request.extensions.get("timeout", {}).get("read")
        if name == "ReadTimeout" and (patience is None or patience > fault.seconds):
            name = "RemoteProtocolError"  # the server closes the connection first
        self.app.state.run.advance(min(fault.seconds, patience or fault.seconds))
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

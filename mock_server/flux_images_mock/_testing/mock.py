"""What a test sees and changes of a mock, whether it has a socket or not; and the one that has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import Any, Unpack

from flux_images_mock._description.node import is_object
from flux_images_mock._gateway.journal import RecordedRequest, requests
from flux_images_mock._gateway.run import Bill
from flux_images_mock._options import HEADER_TIMEOUT, Behaviour, Options
from flux_images_mock._serve.asgi import MockApp, app
from flux_images_mock._serve.server import Server, address, bind

_LONGEST = 200


class Mock:
    """A running mock, in the hands of a test."""

    def __init__(self, app: MockApp, url: str) -> None:
        self.app = app
        self.url = url
        """The root of the mock, without a slash at its end."""

    @property
    def openai_base_url(self) -> str:
        """What OpenAI's SDKs want as their `base_url`."""
        return f"{self.url}/v1"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The last requests, oldest first; fetching a picture isn't among them."""
        return requests(self.app.state.run.journal)

    @property
    def bill(self) -> Bill:
        """How many pictures were billed: `bill.pictures` in all, `bill[key]` for one key."""
        return self.app.state.run.bill

    def scenario(self, name: str, times: int | None = None) -> None:
        """Let the next `times` requests meet a scenario, or all until the next reset.

        Scenarios with a number of times are met in the order in which they were asked for, before a lasting one.
        Raises `ValueError` for an unknown name and for a number below 1.
        """
        if times is not None and times < 1:
            raise ValueError(f"times: expected 1 or more, got {times}")
        self.app.state.run.queue.put(self.app.engine.scenarios.get(name, "scenario").name, times)

    def advance(self, seconds: float, waiting: int = 0) -> None:
        """Let time pass at once: answers under way come, limits end, addresses of pictures expire.

        With `waiting`, first wait until so many requests wait for an answer. Raises `TimeoutError` where they don't
        within ten seconds.
        """
        if waiting and not self.app.state.run.wait_for_sleepers(waiting):
            raise TimeoutError(f"waiting: {waiting} requests were not waiting within ten seconds")
        self.app.state.run.advance(seconds)

    def reset(self, **behaviour: Unpack[Behaviour]) -> None:
        """Forget requests, bill and scenarios, and behave as at the start, but for what is given.

        Raises `ValueError` for behaviour that can't be read.
        """
        name = behaviour.get("scenario")
        if name is not None:
            self.app.engine.scenarios.get(name, "scenario")
        self.app.state.reset(behaviour)

    def expect(self, *, times: int | None = None, **fields: Any) -> RecordedRequest:
        """Return the last request whose body has these fields, each equal to what is given.

        Raises `AssertionError`, with the differences of the nearest request, if there is none; or, with `times`, if
        there aren't exactly as many.
        """
        __tracebackhide__ = True
        return _expect(self.requests, fields, times)


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
        """Answer what is under way, then close the socket. Without a start, only that."""
        self.app.state.run.end()  # nobody waits any more
        if self._thread.ident is None:
            self._server.close()
            return
        self._server.stop()
        self._thread.join()

    def __enter__(self) -> MockServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


FluxMock = MockServer
"""What the fixture `flux_mock` gives."""


def _expect(asked: Sequence[RecordedRequest], fields: dict[str, Any], times: int | None) -> RecordedRequest:
    """Return the last request whose body has these fields; raises `AssertionError` if none has, or not `times`."""
    __tracebackhide__ = True
    if times is not None and times < 1:
        raise ValueError(f"times: expected 1 or more, got {times}; where none is expected, look at `requests`")
    differences = [(_differences(request, fields), request) for request in asked]
    found = [request for lines, request in differences if not lines]
    if found and times in (None, len(found)):
        return found[-1]
    wanted = ", ".join(f"{name}={_short(value)}" for name, value in fields.items()) or "any body"
    if found:
        raise AssertionError(f"expected {times} requests with {wanted}, got {len(found)} of {len(asked)}")
    if not differences:
        raise AssertionError(f"expected a request with {wanted}; none came at all")
    lines, nearest = min(reversed(differences), key=lambda pair: len(pair[0]))
    answer = "no answer" if nearest.status is None else str(nearest.status)
    raise AssertionError(
        f"expected a request with {wanted}; the nearest of {len(asked)} was "
        f"{nearest.method} {nearest.path} -> {answer}, which differs:\n" + "\n".join(f"  {line}" for line in lines)
    )


def _differences(request: RecordedRequest, fields: dict[str, Any]) -> list[str]:
    body = request.body if is_object(request.body) else {}
    return [
        f"/{name}: expected {_short(wanted)}, got {_short(body[name]) if name in body else 'nothing'}"
        for name, wanted in fields.items()
        if name not in body or wanted != body[name]
    ]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."

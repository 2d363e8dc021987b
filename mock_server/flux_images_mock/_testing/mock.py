"""What a test sees and changes of a mock, whether it has a socket or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from flux_images_mock._description.node import is_object
from flux_images_mock._gateway.journal import RecordedRequest, requests
from flux_images_mock._gateway.run import Bill
from flux_images_mock._options import Behaviour
from flux_images_mock._serve.asgi import MockApp

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

    def advance(self, seconds: float) -> None:
        """Let time pass at once: answers under way come, limits end, addresses of pictures expire."""
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

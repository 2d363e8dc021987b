"""What a test sees and changes of a mock, whether it has a socket or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from flux_images_mock._testing.expect import expect

if TYPE_CHECKING:
    from flux_images_mock._gateway.bill import Bill
    from flux_images_mock._gateway.journal import RecordedRequest
    from flux_images_mock._options import Behaviour
    from flux_images_mock._serve.asgi import MockApp


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
        return self.app.state.journal.requests()

    @property
    def bill(self) -> Bill:
        """How many pictures were billed: `bill.pictures` in all, `bill[key]` for one key."""
        return self.app.state.bill

    def scenario(self, name: str, times: int | None = None) -> None:
        """Let the next `times` requests meet a scenario, or all until the next reset.

        Scenarios with a number of times are met in the order in which they were asked for, before a lasting one.
        Raises `ValueError` for an unknown name and for a number below 1.
        """
        if times is not None and times < 1:
            raise ValueError(f"times: expected 1 or more, got {times}")
        self.app.state.queue.put(self.app.engine.scenarios.get(name, "scenario").name, times)

    def advance(self, seconds: float) -> None:
        """Let time pass at once: answers under way come, limits end, addresses of pictures expire."""
        self.app.state.clock.advance(seconds)

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
        return expect(self.requests, fields, times)

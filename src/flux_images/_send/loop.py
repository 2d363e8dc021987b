"""The two clients that send every API call: ``send`` overridden once each, over the decisions of ``_call``.

They build requests like any httpx client, but pass them to another one, ours or the user's, which owns the
connections. The key is added to a copy of the request at the last moment, so that nothing that the caller can
reach carries it. What comes back was judged: an answer that is not a success is raised as a typed error.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from flux_images._answer.receive import ErrorAnswer, Receiver, WholeAnswer
from flux_images._errors import ClientClosedError, FluxImagesError
from flux_images._send.call import Call, Settings
from flux_images._send.transport import async_sender, ends_in, sender

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_images._send.transport import AsyncInner, Inner

T = TypeVar("T")

CLOSED = "the client is closed; make a new one"


class ApiClient(httpx.Client):
    """Sends calls through ``inner``, under one set of settings."""

    def __init__(self, inner: Inner, base_url: httpx.URL, headers: Mapping[str, str], settings: Settings) -> None:
        super().__init__(
            base_url=base_url,
            headers=headers,
            timeout=settings.timeout,
            transport=httpx.BaseTransport(),
            trust_env=False,
        )
        self._inner = inner
        self._send = sender(inner)
        self._settings = settings

    def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        """Send, and give the whole answer of a success; raise everything else as a typed error."""
        return self.call(request, WholeAnswer)

    def call(self, request: httpx.Request, make_receiver: Callable[[], Receiver[T]]) -> T:
        """Send, try again where that is safe, and give what the receiver makes of a success."""
        if self._inner.is_closed:
            raise ClientClosedError(CLOSED)
        call = Call(request, self._settings)
        while True:
            try:
                with ends_in(call.left()):
                    return self._attempt(call, make_receiver)
            except FluxImagesError as error:
                wait = call.wait(error)
            time.sleep(wait)

    def _attempt(self, call: Call, make_receiver: Callable[[], Receiver[T]]) -> T:
        try:
            response = self._send(call.attempt())
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise call.lost(error) from error
        response.request = call.request
        receiver = make_receiver() if response.is_success else ErrorAnswer()
        try:
            for chunk in response.iter_bytes():
                call.check_time()
                if not receiver.feed(chunk):
                    break
            response.close()
            return call.succeeded(response, receiver.finish(call, response))
        except httpx.HTTPError as error:
            raise call.broken_off(error, response, receiver) from error
        except ValueError as problem:
            raise call.unreadable(response, receiver, problem) from problem
        finally:
            receiver.close()
            response.close()


class AsyncApiClient(httpx.AsyncClient):
    """The same for asyncio and trio."""

    def __init__(self, inner: AsyncInner, base_url: httpx.URL, headers: Mapping[str, str], settings: Settings) -> None:
        super().__init__(
            base_url=base_url,
            headers=headers,
            timeout=settings.timeout,
            transport=httpx.AsyncBaseTransport(),
            trust_env=False,
        )
        self._inner = inner
        self._send = async_sender(inner)
        self._settings = settings

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        """Send, and give the whole answer of a success; raise everything else as a typed error."""
        return await self.call(request, WholeAnswer)

    async def call(self, request: httpx.Request, make_receiver: Callable[[], Receiver[T]]) -> T:
        """Send, try again where that is safe, and give what the receiver makes of a success."""
        import anyio  # not needed to import the SDK

        if self._inner.is_closed:
            raise ClientClosedError(CLOSED)
        call = Call(request, self._settings)
        while True:
            try:
                with anyio.move_on_after(call.left()):
                    return await self._attempt(call, make_receiver)
                raise call.out_of_time()
            except FluxImagesError as error:
                wait = call.wait(error)
            except anyio.get_cancelled_exc_class() as cancelled:
                call.cancelled(cancelled)
                raise
            await anyio.sleep(wait)

    async def _attempt(self, call: Call, make_receiver: Callable[[], Receiver[T]]) -> T:
        try:
            response = await self._send(call.attempt())
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise call.lost(error) from error
        response.request = call.request
        receiver = make_receiver() if response.is_success else ErrorAnswer()
        try:
            async for chunk in response.aiter_bytes():
                if not receiver.feed(chunk):
                    break
            await response.aclose()
            return call.succeeded(response, receiver.finish(call, response))
        except httpx.HTTPError as error:
            raise call.broken_off(error, response, receiver) from error
        except ValueError as problem:
            raise call.unreadable(response, receiver, problem) from problem
        finally:
            receiver.close()
            await response.aclose()

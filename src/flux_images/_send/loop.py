"""One call, from its first attempt to its last: sent, received, and tried again where that is safe.

``Sender`` and ``AsyncSender`` pass each attempt to a transport, which owns the connections. The key is added to a copy
of the request at the last moment, so that nothing that the caller can reach carries it. A ``Receiver``, made for each
answer by a room above, judges it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import httpx

from flux_images._errors import FluxImagesError
from flux_images._request.options import Limits, Retry
from flux_images._send import failure
from flux_images._send.billing import is_billed
from flux_images._send.retry import wait_before_next
from flux_images._text import one_line, request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_images._request.key import Key
    from flux_images._request.options import Options
    from flux_images._send.network import Departure

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

log = logging.getLogger("flux_images")

INTERRUPTS = (KeyboardInterrupt, SystemExit)


class Receiver(Protocol[T_co]):
    """Takes the decoded bytes of one answer."""

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes; False if no more are wanted. A ValueError says that they are unreadable."""
        ...

    def finish(self) -> T_co:
        """Make something of the answer; a ValueError says that it is unreadable."""
        ...

    def rescue(self, problem: str) -> T_co | None:
        """What can be made of an answer that did not come to its end, if anything can."""
        ...

    def broken(self, problem: str, *, truncated: bool) -> FluxImagesError:
        """The error for an answer that cannot be read, or that did not come to its end."""
        ...


class Call:
    """The state of one call: every decision, no I/O. Headers and stages are those of ``request``."""

    def __init__(
        self, request: httpx.Request, options: Options, limits: Limits | None = None, *, free: bool = False
    ) -> None:
        self.request = request
        self.key: Key = options.key
        self._limits = limits or options.limits
        self._on_retry = options.on_retry
        self._free = free
        self._started = time.monotonic()
        self._attempt = 0
        self.departure: Departure | None = None
        """Whether any of this attempt may have left."""
        self._feared = False  # that an earlier attempt was billed
        self.receiver: Receiver[Any] | None = None
        """What takes the answer of this attempt, once its head is there."""

    @property
    def billed(self) -> bool:
        """Whether the operation costs money at all."""
        return not self._free and is_billed(self.request)

    @property
    def _may_have_left(self) -> bool:
        return self.departure is None or self.departure.may_have_left

    def left(self) -> float:
        """Seconds of the call's total time that are left; not negative."""
        return max(0.0, self._limits.total - (time.monotonic() - self._started))

    def attempt(self) -> httpx.Request:
        """The request to send now: with the key, and with no stage's timeout longer than what is left."""
        self._attempt += 1
        self.receiver = None
        if not (left := self.left()):
            raise self._out_of_time(billed=False)
        stages: Mapping[str, float | None] = self.request.extensions.get("timeout") or self._limits.stages.as_dict()
        timeout = {stage: left if limit is None else min(limit, left) for stage, limit in stages.items()}
        request = httpx.Request(
            self.request.method,
            self.request.url,
            headers=self.request.headers,
            stream=self.request.stream,
            extensions={**self.request.extensions, "timeout": timeout},
        )
        request.headers["Authorization"] = self.key.authorization()
        return request

    def answer_in(self, error: Exception) -> httpx.Response:
        """The answer that a hook of the user's client refused; for all else that is no answer, the typed error."""
        if isinstance(error, httpx.HTTPStatusError):
            return error.response
        if isinstance(error, FluxImagesError):
            raise error
        left = self._may_have_left
        raise failure.lost(error, self.request, self.key, billed=self.billed, left=left) from error

    def broken_off(self, error: Exception, receiver: Receiver[T]) -> T:
        """What is left of an answer that broke off or cannot be read; the typed error where nothing is."""
        if isinstance(error, FluxImagesError):
            raise error
        lost = failure.broken_off(error, self.request, self.key, billed=self.billed)
        problem, truncated = failure.what_broke(error, self.key)
        if (rescued := receiver.rescue(problem)) is not None:
            return rescued
        if failure.is_late(error):
            raise lost from error
        raise receiver.broken(problem, truncated=truncated) from error

    def late(self) -> Any:
        """The same for an answer that the call's total time cut off."""
        late = self._out_of_time(billed=self.billed and self._may_have_left)
        if self.receiver and (rescued := self.receiver.rescue(late.message)) is not None:
            return rescued
        raise late

    def _out_of_time(self, *, billed: bool) -> FluxImagesError:
        return failure.out_of_time(self._limits.total, self.request.url.netloc.decode(), billed=billed)

    def cancelled(self, error: BaseException) -> None:
        """Say on the way out what a cancelled call may cost."""
        if self.billed and self._may_have_left:
            error.add_note("flux_images: the request was cancelled on its way; it may have been billed")
        self._log("cancelled")

    def wait(self, error: FluxImagesError) -> float:
        """Seconds until the next attempt; raises ``error`` if there is to be none."""
        elapsed = time.monotonic() - self._started
        wait = wait_before_next(self._limits, error, self._attempt, elapsed, free=not self.billed)
        if wait is None:
            error.may_have_been_billed = error.may_have_been_billed or self._feared
            self._log(type(error).__name__, getattr(error, "status_code", None), error.request_id)
            raise error
        self._feared = self._feared or error.may_have_been_billed
        risk = ", although it may have been billed" if error.may_have_been_billed else ""
        log.warning("attempt %d failed (%s); trying again in %.1f s%s", self._attempt, error, wait, risk)
        if self._on_retry is not None:
            self._on_retry(Retry(error, self._attempt, wait))
        return wait

    def succeeded(self, response: httpx.Response, result: T) -> T:
        """Log the end of the call, and pass the result on."""
        if log.isEnabledFor(logging.INFO):
            self._log("ok", response.status_code, request_id(response.headers))
        return result

    def _log(self, outcome: str, status: int | None = None, identity: str | None = None) -> None:
        if not log.isEnabledFor(logging.INFO):
            return
        body = _document(self.request)
        log.info(
            "%s %s model=%s aspect_ratio=%s %s status=%s %.2f s request_id=%s",
            self.request.method,
            self.request.url.path,
            one_line(str(body.get("model", "-")), 64),
            one_line(str(body.get("aspect_ratio", "-")), 16),
            outcome,
            status or "-",
            time.monotonic() - self._started,
            identity or "-",
        )
        if os.environ.get("FLUX_LOG_PROMPTS") == "1":
            log.debug("prompt: %s", one_line(str(body.get("prompt", "-")), 4000))


def _document(request: httpx.Request) -> dict[str, Any]:
    try:
        document = json.loads(request.content)
    except (ValueError, httpx.RequestNotRead):
        return {}
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


class Sender:
    """Sends calls through a transport, under one set of options."""

    def __init__(self, transport: httpx.BaseTransport, options: Options) -> None:
        self._transport = transport
        self._options = options

    def call(
        self,
        request: httpx.Request,
        receiver_of: Callable[[Call, httpx.Response], Receiver[T]],
        limits: Limits | None = None,
        *,
        free: bool = False,
    ) -> T:
        """Send, try again where that is safe, and give what the receiver makes of the answer.

        ``free`` says that the request costs nothing, although the contract does not know it.

        Raises:
            FluxImagesError: what went wrong, and whether it may have been billed.
        """
        from flux_images._send.network import ends_in  # `import flux_images` stays light without it

        call = Call(request, self._options, limits, free=free)
        while True:
            try:
                with ends_in(call.left()) as call.departure:
                    return self._attempt(call, receiver_of)
            except FluxImagesError as error:
                wait = call.wait(error)
            except INTERRUPTS as interrupt:
                call.cancelled(interrupt)
                raise
            time.sleep(wait)

    def _attempt(self, call: Call, receiver_of: Callable[[Call, httpx.Response], Receiver[T]]) -> T:
        try:
            response = self._transport.handle_request(call.attempt())
        except Exception as error:  # noqa: BLE001 -- a user's client, hooks and transport raise what they like
            response = call.answer_in(error)
        response.request = call.request
        receiver = call.receiver = receiver_of(call, response)
        try:
            for chunk in response.iter_bytes():
                if not receiver.feed(chunk):
                    break
                if not call.left():
                    return cast("T", call.late())
            response.close()
            result = receiver.finish()
        except Exception as error:  # noqa: BLE001 -- as above, and the picture is paid for
            result = call.broken_off(error, receiver)
        finally:
            with contextlib.suppress(Exception):  # it was read or given up: nothing depends on it any more
                response.close()
        return call.succeeded(response, result)


class AsyncSender:
    """The same for asyncio and trio."""

    def __init__(self, transport: httpx.AsyncBaseTransport, options: Options) -> None:
        self._transport = transport
        self._options = options

    async def call(
        self,
        request: httpx.Request,
        receiver_of: Callable[[Call, httpx.Response], Receiver[T]],
        limits: Limits | None = None,
        *,
        free: bool = False,
    ) -> T:
        """Send, try again where that is safe, and give what the receiver makes of the answer; as above."""
        import anyio  # not needed to import the SDK

        from flux_images._send.network import ends_in  # as above

        call = Call(request, self._options, limits, free=free)
        while True:
            try:
                with ends_in(call.left()) as call.departure, anyio.move_on_after(call.left()):
                    return await self._attempt(call, receiver_of)
                return cast("T", call.late())
            except FluxImagesError as error:
                wait = call.wait(error)
            except (anyio.get_cancelled_exc_class(), *INTERRUPTS) as cancelled:
                call.cancelled(cancelled)
                raise
            await anyio.sleep(wait)

    async def _attempt(self, call: Call, receiver_of: Callable[[Call, httpx.Response], Receiver[T]]) -> T:
        try:
            response = await self._transport.handle_async_request(call.attempt())
        except Exception as error:  # noqa: BLE001 -- a user's client, hooks and transport raise what they like
            response = call.answer_in(error)
        response.request = call.request
        receiver = call.receiver = receiver_of(call, response)
        try:
            async for chunk in response.aiter_bytes():
                if not receiver.feed(chunk):
                    break
            await response.aclose()
            result = receiver.finish()
        except Exception as error:  # noqa: BLE001 -- as above, and the picture is paid for
            result = call.broken_off(error, receiver)
        finally:
            with contextlib.suppress(Exception):  # as above
                await response.aclose()
        return call.succeeded(response, result)

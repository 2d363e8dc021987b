"""One call of one operation, from its first attempt to its last: every decision, no I/O.

``_send`` does the I/O that these decisions ask for, once synchronously and once asynchronously.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar, cast

import httpx

from flux_images._answer.classify import request_id, status_error, unreadable
from flux_images._errors import (
    APIConnectionError,
    APITimeoutError,
    ConfigurationError,
    FluxImagesError,
)
from flux_images._send.billing import Stage, may_have_been_billed
from flux_images._send.retry import Policy, Retry
from flux_images._text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_images._answer.receive import Receiver
    from flux_images._request.key import Key

T = TypeVar("T")

log = logging.getLogger("flux_images")

POLICY = "flux_images.policy"
"""The extension of a request that carries a retry policy of its own."""

_STAGES: tuple[tuple[type[httpx.HTTPError], Stage], ...] = (
    (httpx.PoolTimeout, Stage.POOL),
    (httpx.ConnectTimeout, Stage.CONNECT),
    (httpx.ConnectError, Stage.CONNECT),
    (httpx.ProxyError, Stage.CONNECT),
    (httpx.UnsupportedProtocol, Stage.NOT_SENT),
    (httpx.WriteTimeout, Stage.WRITE),
    (httpx.WriteError, Stage.WRITE),
)
"""The stage of what httpx raises; anything else broke while the answer was awaited or read.

`LocalProtocolError` is among the rest: over HTTP/2 httpcore raises it for a request that is already on its way.
"""

_WORDS: dict[Stage, str] = {
    Stage.NOT_SENT: "the request cannot be sent",
    Stage.POOL: "no connection became free",
    Stage.CONNECT: "no connection to the gateway",
    Stage.WRITE: "the connection broke while the request was sent",
    Stage.READ: "the connection broke before the answer was whole",
}
_WRONG_ENCODING = "the answer is not in the encoding that its Content-Encoding says"
_TIMEOUT_WORDS: dict[Stage, str] = {
    Stage.POOL: "no connection became free in time",
    Stage.CONNECT: "no connection to the gateway in time",
    Stage.WRITE: "the gateway did not take the request in time",
    Stage.READ: "no answer in time",
}


class Settings(NamedTuple):
    """How a client calls; ``timeout`` bounds the stages of an attempt, ``policy`` the whole call."""

    key: Key
    timeout: httpx.Timeout
    policy: Policy
    on_retry: Callable[[Retry], object] | None = None


class Call:
    """The state of one call. ``headers`` and timeouts are those of ``request``, the key is added at each attempt."""

    def __init__(self, request: httpx.Request, settings: Settings) -> None:
        self.request = request
        self.billed = is_billed(request)
        self._settings = settings
        self._policy: Policy = request.extensions.get(POLICY, settings.policy)
        self._started = time.monotonic()
        self._attempt = 0

    @property
    def key(self) -> Key:
        """The key, for redaction."""
        return self._settings.key

    def left(self) -> float:
        """Seconds of the call's total time that are left; not negative."""
        return max(0.0, self._policy.total - (time.monotonic() - self._started))

    def attempt(self) -> httpx.Request:
        """The request to send now: with the key, and with no stage's timeout longer than what is left."""
        self._attempt += 1
        left = self.left()
        if not left:
            raise self.out_of_time()
        stages: Mapping[str, float | None] = self.request.extensions.get("timeout", {})
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

    def check_time(self) -> None:
        """Stop the call where its total time has run out."""
        if not self.left():
            raise self.out_of_time()

    def lost(self, error: httpx.HTTPError | httpx.InvalidURL) -> FluxImagesError:
        """The typed error for what httpx raised before an answer came. httpx's own stays its cause, without the key."""
        self._clean(error)
        return self._unanswered(error, next((stage for kind, stage in _STAGES if isinstance(error, kind)), Stage.READ))

    def _unanswered(self, error: httpx.HTTPError | httpx.InvalidURL, stage: Stage) -> APIConnectionError:
        kind, words = (
            (APITimeoutError, _TIMEOUT_WORDS)
            if isinstance(error, httpx.TimeoutException)
            else (APIConnectionError, _WORDS)
        )
        message = self._with_reason(words.get(stage, _WORDS[Stage.READ]), error)
        return kind(message, may_have_been_billed=self._billed(stage))

    def broken_off(
        self, error: httpx.HTTPError, response: httpx.Response, receiver: Receiver[object]
    ) -> FluxImagesError:
        """The same for an answer whose head came and whose body did not, or cannot be decoded."""
        self._clean(error)
        if isinstance(error, httpx.TimeoutException):
            return self._unanswered(error, Stage.READ)
        decoding = isinstance(error, httpx.DecodingError)
        problem = _WRONG_ENCODING if decoding else self._with_reason("the answer was cut short", error)
        what_came = (response.status_code, response.headers, receiver.beginning(), self.key)
        if response.is_success:
            return unreadable(*what_came, problem, billed=self.billed, truncated=not decoding)
        return status_error(*what_came, billed=self.billed, problem=problem)

    def _clean(self, error: httpx.HTTPError | httpx.InvalidURL) -> None:
        """Take the key out of an error and those behind it; a gateway may have echoed it in a broken header."""
        if isinstance(error, httpx.HTTPError):
            error.request = self.request
        behind: BaseException | None = error
        while behind is not None:
            behind.args = tuple(self.key.redact(part) if isinstance(part, str) else part for part in behind.args)
            behind = behind.__cause__ or behind.__context__

    def _with_reason(self, message: str, error: httpx.HTTPError | httpx.InvalidURL) -> str:
        why = one_line(self.key.redact(str(error)), 200)
        return f"{message}: {why}" if why else message

    def out_of_time(self) -> APITimeoutError:
        """The typed error for a call that took its whole time."""
        return APITimeoutError(
            f"no whole answer within {self._policy.total:g} seconds, retries included",
            may_have_been_billed=self._billed(Stage.TOTAL),
        )

    def cancelled(self, error: BaseException) -> None:
        """Say on the way out what a cancelled call may cost."""
        if self._billed(Stage.CANCELLED):
            error.add_note("flux_images: the request was cancelled on its way; it may have been billed")
        self._log("cancelled")

    def unreadable(self, response: httpx.Response, receiver: Receiver[object], problem: ValueError) -> FluxImagesError:
        """The typed error for a success that is not what the contract says."""
        return unreadable(
            response.status_code, response.headers, receiver.beginning(), self.key, str(problem), billed=self.billed
        )

    def wait(self, error: FluxImagesError) -> float:
        """Seconds until the next attempt; raises ``error`` if there is to be none."""
        elapsed = time.monotonic() - self._started
        wait = self._policy.wait(error, self._attempt, elapsed, free=not self.billed)
        if wait is None:
            self.failed(error)
        risk = ", although it may have been billed" if error.may_have_been_billed else ""
        log.warning("attempt %d failed (%s); trying again in %.1f s%s", self._attempt, error, wait, risk)
        if self._settings.on_retry is not None:
            self._settings.on_retry(Retry(error, self._attempt, wait))
        return wait

    def failed(self, error: FluxImagesError) -> NoReturn:
        """Log the end of the call, and raise."""
        self._log(type(error).__name__, getattr(error, "status_code", None), error.request_id)
        raise error

    def succeeded(self, response: httpx.Response, result: T) -> T:
        """Log the end of the call, and pass the result on."""
        if log.isEnabledFor(logging.INFO):
            self._log("ok", response.status_code, request_id(response.headers))
        return result

    def _billed(self, stage: Stage) -> bool:
        return self.billed and may_have_been_billed(stage)

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


def is_billed(request: httpx.Request) -> bool:
    """Whether the operation that a request calls costs money; a request that the contract does not know does."""
    matching = [
        billed for method, path, billed in _operations() if method == request.method and path.search(request.url.path)
    ]
    return any(matching) if matching else True


def is_billed_operation(name: str) -> bool:
    """The same for an operation's method and path, as in ``POST /v1/things/{thing_id}``."""
    from flux_images_api.contract import OPERATIONS  # `import flux_images` stays light without it

    return next((found.billed for found in OPERATIONS.values() if f"{found.method} {found.path}" == name), True)


@cache
def _operations() -> tuple[tuple[str, re.Pattern[str], bool], ...]:
    from flux_images_api.contract import OPERATIONS  # as above

    return tuple(
        (
            operation.method,
            re.compile(re.sub(r"\\{[^/]+?\\}", "[^/]+", re.escape(operation.path)) + "$"),
            operation.billed,
        )
        for operation in OPERATIONS.values()
    )


def _document(request: httpx.Request) -> dict[str, Any]:
    try:
        document = json.loads(request.content)
    except (ValueError, httpx.RequestNotRead):
        return {}
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def check_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Refuse headers that cannot be sent, or that would replace the key.

    Raises:
        ConfigurationError: names the header, never its value.
    """
    for name, value in (headers or {}).items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ConfigurationError(f"the header name {one_line(name, 64)!r} cannot be sent")
        if name.lower() == "authorization":
            raise ConfigurationError("the Authorization header is made from the key; pass api_key instead")
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise ConfigurationError(f"the value of the header {name} holds characters that cannot be sent")
    return dict(headers or {})

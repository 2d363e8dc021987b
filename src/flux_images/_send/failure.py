"""What a transport raised, as the typed error that says how far the call came and what it may have cost."""

from __future__ import annotations

import contextlib
import socket
from typing import cast

import httpx

from flux_images._errors import APIConnectionError, APITimeoutError, ConfigurationError
from flux_images._request.key import Key
from flux_images._send.billing import Stage, may_have_been_billed
from flux_images._send.environment import TLSError, proxies
from flux_images._text import bare_addresses, one_line

_STAGES: tuple[tuple[tuple[type[Exception], ...], Stage], ...] = (
    ((httpx.PoolTimeout,), Stage.POOL),
    ((httpx.ConnectTimeout, httpx.ConnectError, httpx.ProxyError), Stage.CONNECT),
    ((ConnectionRefusedError, socket.gaierror), Stage.CONNECT),
    ((httpx.UnsupportedProtocol, httpx.InvalidURL), Stage.NOT_SENT),
    ((httpx.WriteTimeout, httpx.WriteError), Stage.WRITE),
)
"""The stage of what a transport raises; anything else broke while the answer was awaited or read.

`LocalProtocolError` is among the rest: over HTTP/2 httpcore raises it for a request that is already on its way.
"""

_WORDS: dict[Stage, tuple[str, str]] = {
    Stage.NOT_SENT: ("the request to {host} cannot be sent", ""),
    Stage.POOL: ("no connection to {host} became free", "no connection to {host} became free in time"),
    Stage.CONNECT: ("no connection to the gateway {host}", "no connection to the gateway {host} in time"),
    Stage.WRITE: (
        "the connection to {host} broke while the request was sent",
        "{host} did not take the request in time",
    ),
    Stage.READ: ("the connection to {host} broke before the answer was whole", "no answer in time from {host}"),
}
"""What happened at a stage: a failure, a timeout."""


_KEPT = 2**16
"""Characters that are kept of each text that other people's errors hold."""


def lost(error: Exception, request: httpx.Request, key: Key, *, billed: bool, left: bool) -> APIConnectionError:
    """The error for what came in place of an answer, whoever raised it. It can be its cause: the key is taken out.

    ``billed`` says whether the operation costs money at all, ``left`` whether any of the request may have left.
    """
    clean(error, request, key)
    stage = next((stage for kinds, stage in _STAGES if isinstance(error, kinds)), Stage.READ)
    if stage in (Stage.READ, Stage.WRITE) and not left:
        stage = Stage.CONNECT
    return _failed(stage, error, request, key, billed=billed)


def broken_off(error: Exception, request: httpx.Request, key: Key, *, billed: bool) -> APIConnectionError:
    """The same where the answer's head was there."""
    clean(error, request, key)
    return _failed(Stage.READ, error, request, key, billed=billed)


def _failed(stage: Stage, error: Exception, request: httpx.Request, key: Key, *, billed: bool) -> APIConnectionError:
    late = is_late(error) and bool(_WORDS[stage][True])
    kind = APITimeoutError if late else APIConnectionError
    words = _WORDS[stage][late].format(host=one_line(request.url.netloc.decode(), 200))
    failed = kind(_with_reason(words, error, key), may_have_been_billed=billed and may_have_been_billed(stage))
    failed.can_heal = not isinstance(error, TLSError)
    return failed


def is_late(error: Exception) -> bool:
    """Whether it says that something took too long."""
    return isinstance(error, httpx.TimeoutException | TimeoutError)


def what_broke(error: Exception, key: Key) -> tuple[str, bool]:
    """What is wrong with an answer that broke off, and whether it was cut short."""
    if isinstance(error, httpx.DecodingError):
        return "the answer is not in the encoding that its Content-Encoding says", False
    if isinstance(error, ValueError):  # of the receiver
        return one_line(safe_text(str(error), key)), False
    return _with_reason("the answer was cut short", error, key), True


def out_of_time(total: float, host: str, *, billed: bool) -> APITimeoutError:
    """The error for a call that took its whole time, in seconds."""
    return APITimeoutError(
        f"no whole answer from {host} within {total:g} seconds, retries included", may_have_been_billed=billed
    )


def clean(error: BaseException, request: httpx.Request, key: Key | None = None) -> None:
    """Take the key out of an error and all behind it: whoever raised them may have quoted an echo, or kept the request.

    Chains of other people's errors can be circles. The frames of those behind hold the headers that were sent.
    """

    def harmless(value: object) -> object:
        if isinstance(value, str):
            return safe_text(value[:_KEPT], key)
        if isinstance(value, bytes):
            return safe_text(value[:_KEPT].decode("latin-1"), key).encode("latin-1")
        if type(value) is list:  # notes, mostly
            return [harmless(part) for part in cast("list[object]", value)]
        if isinstance(value, httpx.Response):
            value.request = request
        return request if isinstance(value, httpx.Request) else value

    seen: set[int] = set()
    found: list[BaseException | None] = [error]
    while found:
        behind = found.pop()
        if behind is None or id(behind) in seen:
            continue
        seen.add(id(behind))
        behind.args = tuple(harmless(part) for part in behind.args)
        kept = vars(behind)
        kept.update({name: harmless(value) for name, value in kept.items()})
        if isinstance(behind, UnicodeDecodeError):
            behind.object = b""
        if behind is not error:
            behind.__traceback__ = None
        found += [behind.__cause__, behind.__context__]
        if isinstance(behind, BaseExceptionGroup):
            found += cast("tuple[BaseException, ...]", behind.exceptions)
    if isinstance(error, httpx.HTTPError):
        error.request = request


def safe_text(text: str, key: Key | None = None) -> str:
    """What others wrote, without the key, the credentials and queries of addresses, and a proxy's password."""
    with contextlib.suppress(ConfigurationError):  # a proxy that cannot be used was not used
        for proxy in proxies().values():
            for secret in (":".join(proxy.auth), proxy.auth[1]) if proxy.auth else ():
                text = Key(secret).redact(text) if secret else text
    return bare_addresses(key.redact(text) if key else text)


def _with_reason(message: str, error: Exception, key: Key) -> str:
    why = one_line(safe_text(str(error), key), 300)
    return f"{message}: {why}" if why else message

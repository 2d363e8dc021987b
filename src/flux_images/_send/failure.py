"""What a transport raised, as the typed error that says how far the call came and what it may have cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from flux_images._errors import APIConnectionError, APITimeoutError
from flux_images._send.billing import Stage, may_have_been_billed
from flux_images._text import one_line

if TYPE_CHECKING:
    from flux_images._request.key import Key

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

_WORDS: dict[Stage, tuple[str, str]] = {
    Stage.NOT_SENT: ("the request cannot be sent", ""),
    Stage.POOL: ("no connection became free", "no connection became free in time"),
    Stage.CONNECT: ("no connection to the gateway", "no connection to the gateway in time"),
    Stage.WRITE: ("the connection broke while the request was sent", "the gateway did not take the request in time"),
    Stage.READ: ("the connection broke before the answer was whole", "no answer in time"),
}
"""What happened at a stage: a failure, a timeout."""


def lost(
    error: Exception, request: httpx.Request, key: Key, *, billed: bool, answered: bool = False
) -> APIConnectionError:
    """The error for what came in place of a whole answer. httpx's own can be its cause: the key is taken out of it.

    ``billed`` says whether the operation costs money at all, ``answered`` that the answer's head was there.
    """
    _clean(error, request, key)
    stage = next((stage for kind, stage in _STAGES if isinstance(error, kind) and not answered), Stage.READ)
    late = isinstance(error, httpx.TimeoutException)
    kind = APITimeoutError if late else APIConnectionError
    message = _with_reason(_WORDS[stage][late], error, key)
    return kind(message, may_have_been_billed=billed and may_have_been_billed(stage))


def what_broke(error: Exception, key: Key) -> tuple[str, bool]:
    """What is wrong with an answer that broke off, and whether it was cut short."""
    if isinstance(error, httpx.DecodingError):
        return "the answer is not in the encoding that its Content-Encoding says", False
    return _with_reason("the answer was cut short", error, key), True


def out_of_time(total: float, *, billed: bool) -> APITimeoutError:
    """The error for a call that took its whole time, in seconds."""
    return APITimeoutError(
        f"no whole answer within {total:g} seconds, retries included",
        may_have_been_billed=billed and may_have_been_billed(Stage.TOTAL),
    )


def _clean(error: Exception, request: httpx.Request, key: Key) -> None:
    """Take the key out of an error and those behind it; a gateway may have echoed it in a broken header.

    A chain of errors can be a circle: respx makes one of each side effect that raises.
    """
    if isinstance(error, httpx.HTTPError):
        error.request = request
    behind: BaseException | None = error
    seen: set[int] = set()
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        behind.args = tuple(key.redact(part) if isinstance(part, str) else part for part in behind.args)
        behind = behind.__cause__ or behind.__context__


def _with_reason(message: str, error: Exception, key: Key) -> str:
    why = one_line(key.redact(str(error)), 200)
    return f"{message}: {why}" if why else message

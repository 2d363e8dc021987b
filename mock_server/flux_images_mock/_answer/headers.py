"""Response headers whose value this family of gateways makes anew for each answer."""

from __future__ import annotations

import random
import time
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Maker = Callable[[bytes], bytes]
    """Makes a header's value from the request's id."""

_bits = random.Random().getrandbits  # noqa: S311 -- an id, not a secret


@lru_cache(maxsize=2)
def _stamp(seconds: int) -> bytes:
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds)).encode()


def new_request_id() -> bytes:
    """Return an id as One API writes it: time stamp, nanoseconds, eight characters."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return b"%b%09d%08x" % (_stamp(seconds), nanoseconds, _bits(32))


def _same(request_id: bytes) -> bytes:
    return request_id


MAKERS: dict[str, Maker] = {"x-oneapi-request-id": _same, "x-request-id": _same}

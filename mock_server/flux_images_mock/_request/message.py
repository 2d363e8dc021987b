"""A request's line and headers, and what its media types say."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Pair = tuple[bytes, bytes]
Pairs = list[Pair]

_HOST = re.compile(rb"[A-Za-z0-9._~%-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_PARAMETER = re.compile(r';\s{0,9}([\w!#$%&*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))')
_bits = random.Random().getrandbits  # noqa: S311 -- an id, not a secret


class Headers:
    """Header lines as they came, names in lower case."""

    __slots__ = ("_last", "get", "pairs", "repeated")

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self._last = dict(pairs)
        self.get: Callable[[bytes], bytes | None] = self._last.get
        """Returns the (last) value of a header; a dict's own method, as every step of the pipeline asks."""
        self.repeated = len(self._last) != len(pairs)
        """Whether any name came more than once."""

    def all(self, name: bytes) -> list[bytes]:
        """Return every value of a header, in order."""
        return [value for key, value in self.pairs if key == name]

    def size(self) -> int:
        """Return about how many bytes they take."""
        return sum(map(len, self._last.values()))


@lru_cache(maxsize=2)
def _stamp(seconds: int) -> bytes:
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds)).encode()


def new_id() -> bytes:
    """Return an id as One API writes it: time stamp, nanoseconds, eight characters."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return b"%b%09d%08x" % (_stamp(seconds), nanoseconds, _bits(32))


@dataclass(slots=True)
class Request:
    """A request without its body. `path` is as it was sent, percent signs and all."""

    method: str
    path: str
    query: bytes
    headers: Headers
    origin: str
    """The server as the client has it: scheme, host and port."""
    id: bytes = field(default_factory=new_id)
    credential: str | None = None
    """What its caller was let in with, where that was asked for."""


def origin_of(scheme: str, host: bytes | None, server: Sequence[Any] | None) -> str:
    """Return the origin of a server as its client has it: by its Host header, else by the server's own address."""
    if host is not None and _HOST.fullmatch(host):
        return f"{scheme}://{host.decode()}"
    name, port, *_ = server or ("localhost", None)
    return f"{scheme}://{name}" if port is None else f"{scheme}://{name}:{port}"


@lru_cache(maxsize=64)
def essence_of(line: str) -> str:
    """Return a media type in lower case, without its parameters."""
    return line.partition(";")[0].strip().lower()


@lru_cache(maxsize=64)
def parameter_of(line: str, name: str) -> str:
    """Return a parameter of a media type in lower case, empty if it isn't there."""
    for key, quoted, plain in _PARAMETER.findall(line.lower()):
        if key == name:
            return re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
    return ""


def is_json(essence: str) -> bool:
    """Return whether bodies of this type are JSON."""
    return essence == "application/json" or essence.endswith("+json")


def is_xml(essence: str) -> bool:
    """Return whether bodies of this type are XML."""
    return essence in ("application/xml", "text/xml") or essence.endswith("+xml")

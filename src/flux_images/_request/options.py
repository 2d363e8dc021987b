"""What a client and each of its calls are made with, checked."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

import httpx

from flux_images._errors import ConfigurationError, FluxImagesError
from flux_images._request.address import find_base_url, is_private
from flux_images._text import one_line
from flux_images._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_images._request.key import Key

USER_AGENT = f"flux-images/{__version__}"
STAGES = httpx.Timeout(connect=10.0, write=30.0, read=None, pool=None)
"""A stage without a bound of its own has that of the whole call."""
_FRAMING = ("content-length", "transfer-encoding", "host", "connection", "content-encoding")


class Retry(NamedTuple):
    """What an ``on_retry`` hook is told: attempt ``attempt`` failed with ``error``; the next is in ``wait`` seconds."""

    error: FluxImagesError
    attempt: int
    wait: float


class Limits(NamedTuple):
    """The bounds of one call: of each stage of an attempt, of attempts, and of the whole in seconds."""

    stages: httpx.Timeout = STAGES
    total: float = 600.0
    max_retries: int = 2
    retry_possibly_billed: bool = False

    def changed(self, timeout: float | httpx.Timeout | None, max_retries: int | None = None) -> Limits:
        """A copy with other bounds; None leaves one as it is.

        Raises:
            ConfigurationError: names the option that cannot be used.
        """
        limits = self
        if isinstance(timeout, httpx.Timeout):
            stages = {name: limit for name, limit in timeout.as_dict().items() if limit is not None}
            for stage, limit in stages.items():
                _check_seconds(f"timeout: {stage}", limit)
            limits = limits._replace(
                stages=timeout, total=max(limits.total, *stages.values()) if stages else limits.total
            )
        elif timeout is not None:
            _check_seconds("timeout", timeout)
            limits = limits._replace(total=float(timeout))
        if max_retries is not None:
            if type(max_retries) is not int or max_retries < 0:
                raise ConfigurationError(f"max_retries: expected a whole number, 0 or more, got {max_retries!r}")
            limits = limits._replace(max_retries=max_retries)
        return limits


def _check_seconds(option: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (value > 0 and math.isfinite(value)):
        raise ConfigurationError(f"{option}: expected seconds, more than 0, got {one_line(repr(value), 64)}")


class Options(NamedTuple):
    """What a client was made with; ``with_options`` changes a copy."""

    key: Key
    base_url: httpx.URL
    headers: httpx.Headers
    limits: Limits
    on_retry: Callable[[Retry], object] | None
    allow_local_images: bool

    def changed(
        self, timeout: float | httpx.Timeout | None, max_retries: int | None, headers: Mapping[str, str] | None
    ) -> Options:
        """A copy with other options."""
        merged = httpx.Headers([*self.headers.multi_items()])
        merged.update(check_headers(headers))
        return self._replace(headers=merged, limits=self.limits.changed(timeout, max_retries))


def configure(
    key: Key,
    base_url: str | None,
    timeout: float | httpx.Timeout | None,
    max_retries: int | None,
    *,
    retry_possibly_billed: bool,
    on_retry: Callable[[Retry], object] | None,
    allow_insecure: bool,
    allow_local_images: bool,
) -> Options:
    """Check the options of a client.

    Raises:
        ConfigurationError: names the option that cannot be used.
    """
    url = find_base_url(base_url, allow_insecure=allow_insecure)
    return Options(
        key,
        url,
        httpx.Headers({"User-Agent": USER_AGENT, "Accept": "application/json"}),
        Limits(retry_possibly_billed=retry_possibly_billed).changed(timeout, max_retries),
        on_retry,
        allow_local_images or is_private(url.host),
    )


def check_headers(headers: Mapping[str, str] | None) -> Mapping[str, str]:
    """Refuse headers that cannot be sent, or that would replace the key.

    Raises:
        ConfigurationError: names the header, never its value.
    """
    for name, value in (headers or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # whatever a caller passes
            raise ConfigurationError("a header's name and value must be text")
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ConfigurationError(f"the header name {one_line(name, 64)!r} cannot be sent")
        if name.lower() == "authorization":
            raise ConfigurationError("the Authorization header is made from the key; pass api_key instead")
        if name.lower() in _FRAMING:
            raise ConfigurationError(f"the header {name} is made from the address and the body; leave it out")
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise ConfigurationError(f"the value of the header {name} holds characters that cannot be sent")
    return headers or {}

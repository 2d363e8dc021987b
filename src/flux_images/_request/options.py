"""What a client is made with, checked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import httpx

from flux_images._errors import ConfigurationError
from flux_images._picture.download import Rules
from flux_images._request.address import find_base_url, is_private
from flux_images._send.call import Settings, check_headers
from flux_images._send.retry import Policy, Retry
from flux_images._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_images._request.key import Key

USER_AGENT = f"flux-images/{__version__}"
STAGES = httpx.Timeout(connect=10.0, write=30.0, read=300.0, pool=300.0)


class Config(NamedTuple):
    """What a client was made with; ``with_options`` changes a copy."""

    base_url: httpx.URL
    headers: dict[str, str]
    settings: Settings
    rules: Rules

    def changed(
        self, timeout: float | httpx.Timeout | None, max_retries: int | None, headers: Mapping[str, str] | None
    ) -> Config:
        """A copy with other options."""
        stages, policy = limits(timeout, max_retries, self.settings.timeout, self.settings.policy)
        return self._replace(
            headers={**self.headers, **check_headers(headers)},
            settings=self.settings._replace(timeout=stages, policy=policy),
            rules=self.rules._replace(timeout=stages, policy=policy),
        )


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
) -> Config:
    """Check the options of a client.

    Raises:
        ConfigurationError: names the option that cannot be used.
    """
    url = find_base_url(base_url, allow_insecure=allow_insecure)
    stages, policy = limits(timeout, max_retries, STAGES, Policy(retry_possibly_billed=retry_possibly_billed))
    return Config(
        base_url=url,
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        settings=Settings(key, stages, policy, on_retry),
        rules=Rules(stages, policy, allow_local_images or is_private(url.host), USER_AGENT),
    )


def limits(
    timeout: float | httpx.Timeout | None, max_retries: int | None, stages: httpx.Timeout, policy: Policy
) -> tuple[httpx.Timeout, Policy]:
    """The bounds that the options ask for; None leaves them as they are."""
    if isinstance(timeout, httpx.Timeout):
        stages = timeout
    elif timeout is not None:
        if not (timeout > 0 and math.isfinite(timeout)):
            raise ConfigurationError(f"timeout: expected seconds, more than 0, got {timeout}")
        policy = policy._replace(total=float(timeout))
    if max_retries is not None:
        if max_retries < 0:
            raise ConfigurationError(f"max_retries: expected 0 or more, got {max_retries}")
        policy = policy._replace(max_retries=max_retries)
    return stages, policy


def check_kind(http_client: object, kind: type) -> None:
    """Refuse an async client where a sync one is needed, and the other way round."""
    if http_client is not None and not isinstance(http_client, kind):
        raise ConfigurationError(f"http_client: expected an httpx.{kind.__name__}, got {type(http_client).__name__}")

"""Fetching pictures from the addresses that a gateway gives: without the key, and with suspicion.

``Download`` decides, the clients of ``fetch`` do the I/O. Redirects are followed here, request by request, so that no
header or cookie can come along. Fetching costs nothing, so it is tried again freely.
"""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from flux_images._errors import ClientClosedError, ImageDownloadError
from flux_images._picture.check import PictureError
from flux_images._picture.store import Kept
from flux_images._request.address import is_private
from flux_images._request.options import USER_AGENT, Limits
from flux_images._send.failure import clean, safe_text
from flux_images._send.retry import LONGEST_RETRY_AFTER, backoff, retry_after_seconds
from flux_images._text import bare_addresses, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 64 * 2**20
"""Bytes of one fetched picture."""
MAX_REDIRECTS = 5
FRESH = 60.0
"""Seconds after an answer in which its addresses may not be known everywhere yet."""
_RETRIES = 5
"""How often a fetch that can heal is tried again, unless the client tries nothing again."""

_EXPIRED = frozenset({401, 403, 404, 410})
_HEAL_SOON = frozenset({401, 403, 404})
"""Statuses of an address that is so new that a content delivery network does not know it."""
_HEAL = frozenset({202, 408, 409, 423, 425, 429, *range(500, 600)})
_REFUSE_HEADERS = frozenset({403, 406, 415})
"""Statuses of hosts that take no request for ``image/*``, or none of an unknown user agent."""
_FAKE_BY_DNS = ipaddress.ip_network("198.18.0.0/15")
"""What the resolvers of Clash and sing-box answer for any name: addresses of their own tunnel."""
_PAID = "the picture was paid for: fetch it again, do not buy it again"


class Rules(NamedTuple):
    """What downloads of one client keep to."""

    limits: Limits = Limits()
    allow_local: bool = False


class Download:
    """The state of one download; ``born`` is the time (``time.monotonic``) of the answer that named the address."""

    def __init__(self, url: str, rules: Rules, born: float | None) -> None:
        self.kept = Kept()
        """What came so far."""
        self._rules = rules
        self._start = url
        self._url = httpx.URL()
        self._attempts = 0
        self._redirects = 0
        self._began = time.monotonic()
        self._born = born
        self._heals = False
        self._asked_to_wait = 0.0
        self._plain = False
        self.as_it_is = False
        """Whether the bytes are taken without looking at their Content-Encoding."""

    def restart(self) -> None:
        """Begin an attempt: at the first address, with nothing kept."""
        self._attempts += 1
        self._redirects = 0
        self._heals, self._asked_to_wait = False, 0.0
        self.kept.clear()
        self._go(httpx.URL, self._start)

    def request(self, trace: Callable[..., Any]) -> httpx.Request:
        """The request for the current address, made from nothing but the address."""
        url = self._url
        if url.scheme not in ("http", "https") or not url.host:
            raise ImageDownloadError(f"the picture's address is not http(s): {one_line(str(url), 100)}; {_PAID}")
        self._check_host(url.host)
        limits = self._rules.limits.stages.as_dict()
        left = self.left()
        return httpx.Request(
            "GET",
            url.copy_with(username="", password="", fragment=None) if url.userinfo or url.fragment else url,
            headers={"Accept": "*/*"} if self._plain else {"User-Agent": USER_AGENT, "Accept": "image/*"},
            extensions={
                "timeout": {stage: left if limit is None else min(limit, left) for stage, limit in limits.items()},
                "trace": trace,
            },
        )

    def check_peer(self, connected_to: str, stream: Any) -> None:
        """Refuse what a name turned out to be. A proxy's own address is not the picture's."""
        if connected_to != self._url.raw_host.decode("ascii") or not (peer := stream.get_extra_info("server_addr")):
            return
        address = str(peer[0])
        by_dns = connected_to != address
        if not (by_dns and ":" not in address and ipaddress.ip_address(address) in _FAKE_BY_DNS):
            self._check_host(address)

    def moved(self, response: httpx.Response) -> bool:
        """Whether the answer leads on to another address."""
        if not response.has_redirect_location:
            return False
        self._redirects += 1
        if self._redirects > MAX_REDIRECTS:
            raise ImageDownloadError(f"the picture's address redirects more than {MAX_REDIRECTS} times; {_PAID}")
        self._go(self._url.join, response.headers["location"])
        return True

    def check_status(self, response: httpx.Response) -> None:
        """Refuse an answer that is not a picture to be."""
        status = response.status_code
        if response.is_success and status != 202:
            return
        self._heals = status in _HEAL or (status in _HEAL_SOON and self._is_fresh())
        self._asked_to_wait = retry_after_seconds(response.headers.get("retry-after")) or 0.0
        if status in _REFUSE_HEADERS and not self._plain:
            self._plain = self._heals = True
        if status in _EXPIRED:
            raise ImageDownloadError(
                f"the picture's address answers {status}: it has expired (after about 10 minutes) or is not public; "
                "the picture was paid for, so ask the gateway for it",
                status_code=status,
            )
        raise ImageDownloadError(f"the picture's host answers {status}; {_PAID}", status_code=status)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the picture."""
        if not self.left():
            raise self.out_of_time()
        if self.kept.size + len(chunk) > MAX_BYTES:
            raise ImageDownloadError(f"the picture is larger than {MAX_BYTES} bytes; {_PAID}")
        self.kept.write(chunk)

    def no_picture(self, error: PictureError) -> ImageDownloadError:
        """The error for what came instead: a page of the host, or half a file. Both heal."""
        self._heals = True
        return ImageDownloadError(f"what the picture's address gave cannot be used: {error}; {_PAID}")

    def left(self) -> float:
        """Seconds that are left of the total time."""
        return max(0.0, self._rules.limits.total - (time.monotonic() - self._began))

    def out_of_time(self) -> ImageDownloadError:
        """The error for a download that took its whole time."""
        return ImageDownloadError(f"the picture did not arrive within {self._rules.limits.total:g} seconds; {_PAID}")

    def wait(self, error: Exception) -> float:
        """Seconds until the next attempt; raises a typed error if there is to be none."""
        if isinstance(error, httpx.DecodingError) and not self.as_it_is:
            self.as_it_is = True  # a label that lies: the bytes are taken as they come
            return 0.0
        heals = self._heals or isinstance(error, httpx.TransportError)
        most = max(self._rules.limits.max_retries, _RETRIES) if self._rules.limits.max_retries else 0
        wait = max(backoff(self._attempts), self._asked_to_wait)
        if heals and self._attempts <= most and wait <= LONGEST_RETRY_AFTER and wait < self.left():
            return wait
        if isinstance(error, ImageDownloadError | ClientClosedError):
            raise error
        clean(error, httpx.Request("GET", bare_addresses(str(self._url))))
        why = one_line(safe_text(str(error)), 200) or type(error).__name__
        raise ImageDownloadError(f"the picture's host cannot be reached or broke off: {why}; {_PAID}") from error

    def _is_fresh(self) -> bool:
        return self._born is not None and time.monotonic() - self._born < FRESH

    def _check_host(self, host: str) -> None:
        """Refuse an address of this machine or its network, unless such are allowed."""
        if not self._rules.allow_local and is_private(host):
            raise ImageDownloadError(
                f"the gateway gave an address in a private network ({one_line(host, 64)}), which is not fetched; "
                "pass allow_local_images=True if that is meant"
            )

    def _go(self, to: Callable[[str], httpx.URL], address: str) -> None:
        try:
            self._url = to(address)
        except (httpx.InvalidURL, ValueError) as error:
            raise ImageDownloadError(
                f"the picture is at an address that is none: {one_line(str(error), 200)}; {_PAID}"
            ) from None

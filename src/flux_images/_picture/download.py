"""Fetching pictures from the addresses that a gateway gives: without the key, and with suspicion.

``Download`` decides, the clients of ``_fetch`` do the I/O. Redirects are followed here, request by
request, so that no header or cookie can come along. Fetching costs nothing, so it is tried again freely.
"""

from __future__ import annotations

import tempfile
import time
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import httpx

from flux_images._errors import ImageDownloadError
from flux_images._request.address import is_private
from flux_images._request.options import USER_AGENT, Limits
from flux_images._send.retry import backoff
from flux_images._text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 64 * 2**20
"""Bytes of one fetched picture."""
MAX_REDIRECTS = 5
IN_MEMORY = 2**19
"""Bytes up to which a picture waits in memory instead of in a temporary file."""

_EXPIRED = (401, 403, 404, 410)
_PAID = "the picture was paid for: fetch it again, do not buy it again"


class Rules(NamedTuple):
    """What downloads of one client keep to."""

    limits: Limits
    allow_local: bool


class Download:
    """The state of one download."""

    def __init__(self, url: str, rules: Rules) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 -- closed by close()
        self._rules = rules
        self._start = url
        self._url = httpx.URL()
        self._attempts = 0
        self._redirects = 0
        self._began = time.monotonic()
        self._whole = False

    def finish(self) -> IO[bytes]:
        """The whole file, which ``close`` leaves open."""
        self._whole = True
        return self.file

    def close(self) -> None:
        """Drop what came of a file that is not whole."""
        if not self._whole:
            self.file.close()

    def restart(self) -> None:
        """Begin an attempt: at the first address, with an empty file."""
        self._attempts += 1
        self._redirects = 0
        self.file.seek(0)
        self.file.truncate()
        try:
            self._url = httpx.URL(self._start)
        except httpx.InvalidURL as error:
            raise ImageDownloadError(f"the gateway gave an address that is none: {one_line(str(error), 200)}") from None

    def request(self, trace: Callable[..., Any]) -> httpx.Request:
        """The request for the current address, made from nothing but the address."""
        url = self._url
        if url.scheme not in ("http", "https") or not url.host:
            raise ImageDownloadError(f"the picture's address is not http(s): {one_line(str(url), 100)}")
        self.check_host(url.host)
        limits = self._rules.limits.stages.as_dict()
        left = self.left()
        return httpx.Request(
            "GET",
            url.copy_with(username="", password="", fragment=None) if url.userinfo or url.fragment else url,
            headers={"User-Agent": USER_AGENT, "Accept": "image/*"},
            extensions={
                "timeout": {stage: left if limit is None else min(limit, left) for stage, limit in limits.items()},
                "trace": trace,
            },
        )

    def check_host(self, host: str) -> None:
        """Refuse an address of this machine or its network, unless such are allowed."""
        if not self._rules.allow_local and is_private(host):
            raise ImageDownloadError(
                f"the gateway gave an address in a private network ({one_line(host, 64)}), which is not fetched; "
                "pass allow_local_images=True if that is meant"
            )

    def check_peer(self, connected_to: str, stream: Any) -> None:
        """The same for the address that a name turned out to be. A proxy's own address is not the picture's."""
        if connected_to == self._url.raw_host.decode("ascii") and (peer := stream.get_extra_info("server_addr")):
            self.check_host(str(peer[0]))

    def moved(self, response: httpx.Response) -> bool:
        """Whether the answer leads on to another address."""
        if not response.has_redirect_location:
            return False
        self._redirects += 1
        if self._redirects > MAX_REDIRECTS:
            raise ImageDownloadError(f"the picture's address redirects more than {MAX_REDIRECTS} times; {_PAID}")
        self._url = self._url.join(response.headers["location"])
        return True

    def check_status(self, response: httpx.Response) -> None:
        """Refuse an answer that is not a success."""
        status = response.status_code
        if status in _EXPIRED:
            raise ImageDownloadError(
                f"the picture's address answers {status}: it has expired (after about 10 minutes) or is not public; "
                f"the picture was paid for, so ask the gateway for it with the request id",
                status_code=status,
            )
        if not response.is_success:
            raise ImageDownloadError(f"the picture's host answers {status}; {_PAID}", status_code=status)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the picture."""
        if not self.left():
            raise self.out_of_time()
        if self.file.tell() + len(chunk) > MAX_BYTES:
            raise ImageDownloadError(f"the picture is larger than {MAX_BYTES} bytes")
        self.file.write(chunk)

    def left(self) -> float:
        """Seconds that are left of the total time."""
        return max(0.0, self._rules.limits.total - (time.monotonic() - self._began))

    def out_of_time(self) -> ImageDownloadError:
        """The error for a download that took its whole time."""
        return ImageDownloadError(f"the picture did not arrive within {self._rules.limits.total:g} seconds; {_PAID}")

    def wait(self, error: ImageDownloadError | httpx.HTTPError) -> float:
        """Seconds until the next attempt; raises the error if there is to be none."""
        heals = isinstance(error, httpx.TransportError) or (
            isinstance(error, ImageDownloadError)
            and error.status_code is not None
            and (error.status_code in (408, 429) or error.status_code >= 500)
        )
        wait = backoff(self._attempts)
        if heals and self._attempts <= self._rules.limits.max_retries and wait < self.left():
            return wait
        if isinstance(error, ImageDownloadError):
            raise error
        why = one_line(str(error), 200) or type(error).__name__
        raise ImageDownloadError(f"the picture's host cannot be reached or broke off: {why}; {_PAID}") from error

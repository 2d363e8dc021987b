"""The clients that fetch pictures: they do the I/O that ``download`` asks for."""

from __future__ import annotations

import time
from typing import IO, TYPE_CHECKING, Any

import httpx

from flux_images._errors import ImageDownloadError
from flux_images._picture.download import Download
from flux_images._send.transport import async_transport, ends_in, sync_transport

if TYPE_CHECKING:
    from flux_images._picture.download import Rules


class Downloads:
    """Fetches pictures with a client of its own, made when first needed, or with the user's."""

    def __init__(self, rules: Rules, given: httpx.BaseTransport | None = None) -> None:
        self._rules = rules
        self._given = given
        self._own: httpx.BaseTransport | None = None
        self._closed = False

    def __reduce__(self) -> tuple[type[Downloads], tuple[Rules]]:
        return Downloads, (self._rules,)

    def fetch(self, url: str) -> IO[bytes]:
        """The file at an address.

        Raises:
            ImageDownloadError: says why there is none.
        """
        client = self._client()
        download = Download(url, self._rules)
        try:
            while True:
                try:
                    with ends_in(download.left()):
                        self._attempt(client, download)
                except (ImageDownloadError, httpx.HTTPError) as error:
                    wait = download.wait(error)
                else:
                    return download.finish()
                time.sleep(wait)
        finally:
            download.close()
            if self._closed and client is not self._given:
                client.close()

    def _client(self) -> httpx.BaseTransport:
        """After ``close`` a paid picture can still be fetched, by a client for it alone."""
        if self._given is not None:
            return self._given
        if self._closed:
            return sync_transport()
        if self._own is None:
            self._own = sync_transport()
        return self._own

    @staticmethod
    def _attempt(client: httpx.BaseTransport, download: Download) -> None:
        host = ""

        def trace(event: str, info: dict[str, Any]) -> None:
            nonlocal host
            if event == "connection.connect_tcp.started":
                host = info["host"]
            elif event == "connection.connect_tcp.complete":
                try:
                    download.check_peer(host, info["return_value"])
                except ImageDownloadError:
                    info["return_value"].close()
                    raise

        download.restart()
        while True:
            request = download.request(trace)
            response = client.handle_request(request)
            response.request = request
            try:
                if download.moved(response):
                    continue
                download.check_status(response)
                for chunk in response.iter_bytes():
                    download.feed(chunk)
                return
            finally:
                response.close()

    def close(self) -> None:
        """Close the connections that are kept for the next picture."""
        self._closed = True
        if self._own is not None:
            self._own.close()


class AsyncDownloads:
    """The same for asyncio and trio."""

    def __init__(self, rules: Rules, given: httpx.AsyncBaseTransport | None = None) -> None:
        self._rules = rules
        self._given = given
        self._own: httpx.AsyncBaseTransport | None = None
        self._closed = False

    def __reduce__(self) -> tuple[type[AsyncDownloads], tuple[Rules]]:
        return AsyncDownloads, (self._rules,)

    async def fetch(self, url: str) -> IO[bytes]:
        """The file at an address.

        Raises:
            ImageDownloadError: says why there is none.
        """
        import anyio  # not needed to import the SDK

        client = self._client()
        download = Download(url, self._rules)
        try:
            while True:
                try:
                    with anyio.move_on_after(download.left()):
                        await self._attempt(client, download)
                        return download.finish()
                    raise download.out_of_time()
                except (ImageDownloadError, httpx.HTTPError) as error:
                    wait = download.wait(error)
                await anyio.sleep(wait)
        finally:
            download.close()
            if self._closed and client is not self._given:
                await client.aclose()

    def _client(self) -> httpx.AsyncBaseTransport:
        """After ``close`` a paid picture can still be fetched, by a client for it alone."""
        if self._given is not None:
            return self._given
        if self._closed:
            return async_transport()
        if self._own is None:
            self._own = async_transport()
        return self._own

    @staticmethod
    async def _attempt(client: httpx.AsyncBaseTransport, download: Download) -> None:
        host = ""

        async def trace(event: str, info: dict[str, Any]) -> None:
            nonlocal host
            if event == "connection.connect_tcp.started":
                host = info["host"]
            elif event == "connection.connect_tcp.complete":
                try:
                    download.check_peer(host, info["return_value"])
                except ImageDownloadError:
                    await info["return_value"].aclose()
                    raise

        download.restart()
        while True:
            request = download.request(trace)
            response = await client.handle_async_request(request)
            response.request = request
            try:
                if download.moved(response):
                    continue
                download.check_status(response)
                async for chunk in response.aiter_bytes():
                    download.feed(chunk)
                return
            finally:
                await response.aclose()

    async def aclose(self) -> None:
        """Close the connections that are kept for the next picture."""
        self._closed = True
        if self._own is not None:
            await self._own.aclose()

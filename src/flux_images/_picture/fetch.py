"""The clients that fetch pictures: they do the I/O that ``download`` asks for."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from flux_images._errors import ImageDownloadError
from flux_images._picture.check import PictureError, check_picture
from flux_images._picture.download import Download, Rules
from flux_images._send.transport import async_transport, sync_transport

if TYPE_CHECKING:
    from collections.abc import Callable

    import anyio

    from flux_images._picture.check import Picture
    from flux_images._picture.store import Kept

T = TypeVar("T")


class Downloads:
    """Fetches pictures with a transport of its own, made when first needed, or with the user's client."""

    def __init__(self, rules: Rules | None = None, given: httpx.BaseTransport | None = None) -> None:
        self.rules = rules or Rules()
        self._given = given
        self._own: httpx.BaseTransport | None = None
        self._closed = False

    def __reduce__(self) -> tuple[type[Downloads], tuple[Rules]]:
        return Downloads, (self.rules,)

    def fetch(self, url: str, born: float | None, *, check: bool) -> tuple[Kept, Picture | None]:
        """The file at an address, and what it was found to be if it is to be looked at.

        Raises:
            ImageDownloadError: says why there is none.
        """
        from flux_images._send.network import ends_in  # not needed to import the SDK

        transport = self._transport()
        download = Download(url, self.rules, born)
        try:
            while True:
                try:
                    with ends_in(download.left()):
                        self._attempt(transport, download)
                    return download.kept, look_at(download.kept) if check else None
                except PictureError as error:
                    wait = download.wait(download.no_picture(error))
                except Exception as error:  # noqa: BLE001 -- whatever a user's transport raises: the picture is paid for
                    wait = download.wait(error)
                time.sleep(wait)
        finally:
            if self._closed and transport is not self._given:
                transport.close()

    def _transport(self) -> httpx.BaseTransport:
        """After ``close`` a paid picture can still be fetched, by a transport for it alone."""
        if self._given is not None:
            return self._given
        if self._closed:
            return sync_transport()
        if self._own is None:
            self._own = sync_transport()
        return self._own

    @staticmethod
    def _attempt(transport: httpx.BaseTransport, download: Download) -> None:
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
            response = transport.handle_request(request)
            response.request = request
            try:
                if download.moved(response):
                    continue
                download.check_status(response)
                for chunk in response.iter_raw() if download.as_it_is else response.iter_bytes():
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
    """The same for asyncio and trio. Pictures are looked at in threads, as many at a time as there are processors."""

    def __init__(self, rules: Rules | None = None, given: httpx.AsyncBaseTransport | None = None) -> None:
        self.rules = rules or Rules()
        self._given = given
        self._own: httpx.AsyncBaseTransport | None = None
        self._closed = False
        self._limiter: tuple[object, anyio.CapacityLimiter] | None = None

    def __reduce__(self) -> tuple[type[AsyncDownloads], tuple[Rules]]:
        return AsyncDownloads, (self.rules,)

    async def fetch(self, url: str, born: float | None, *, check: bool) -> tuple[Kept, Picture | None]:
        """The file at an address, and what it was found to be; as above."""
        import anyio  # not needed to import the SDK

        transport = self._transport()
        download = Download(url, self.rules, born)
        try:
            while True:
                try:
                    with anyio.move_on_after(download.left()):
                        await self._attempt(transport, download)
                        return download.kept, await self.in_thread(look_at, download.kept) if check else None
                    raise download.out_of_time()
                except PictureError as error:
                    wait = download.wait(download.no_picture(error))
                except Exception as error:  # noqa: BLE001 -- as above
                    wait = download.wait(error)
                await anyio.sleep(wait)
        finally:
            if self._closed and transport is not self._given:
                await transport.aclose()

    async def in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run what takes a processor apart from the event loop, under a limit of this client's own."""
        import anyio.lowlevel
        import anyio.to_thread

        loop = anyio.lowlevel.current_token()
        if self._limiter is None or self._limiter[0] != loop:
            self._limiter = loop, anyio.CapacityLimiter(os.cpu_count() or 1)
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self._limiter[1])

    def _transport(self) -> httpx.AsyncBaseTransport:
        if self._given is not None:
            return self._given
        if self._closed:
            return async_transport()
        if self._own is None:
            self._own = async_transport()
        return self._own

    @staticmethod
    async def _attempt(transport: httpx.AsyncBaseTransport, download: Download) -> None:
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
            response = await transport.handle_async_request(request)
            response.request = request
            try:
                if download.moved(response):
                    continue
                download.check_status(response)
                async for chunk in response.aiter_raw() if download.as_it_is else response.aiter_bytes():
                    download.feed(chunk)
                return
            finally:
                await response.aclose()

    async def aclose(self) -> None:
        """Close the connections that are kept for the next picture."""
        self._closed = True
        if self._own is not None:
            await self._own.aclose()


def look_at(kept: Kept) -> Picture:
    """What the bytes are.

    Raises:
        PictureError: they are surely no whole picture.
    """
    with kept.open() as file:
        return check_picture(file)

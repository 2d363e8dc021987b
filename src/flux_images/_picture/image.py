"""Pictures as a caller holds them: looked at to their end before any byte is given out."""

from __future__ import annotations

import threading
import weakref
from typing import IO, TYPE_CHECKING, Any

from flux_images._errors import FluxImagesError, ImageDownloadError, UnexpectedResponseError
from flux_images._picture.save import put_in_place, target_of

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import PIL.Image

    from flux_images._errors import Bought
    from flux_images._picture.check import Picture
    from flux_images._picture.fetch import AsyncDownloads, Downloads


class _BaseImage:
    """What ``Image`` and ``AsyncImage`` share: everything but the fetching."""

    def __init__(self, generation: Bought, url: str | None, file: IO[bytes] | None, revised_prompt: str | None) -> None:
        self._generation = generation
        self._url = url
        self._file: IO[bytes] | None = None
        if file is not None:
            self._keep(file)
        self._revised_prompt = revised_prompt
        self._picture: Picture | None = None
        self._lock = threading.Lock()

    @property
    def url(self) -> str | None:
        """Where the picture is, valid for about 10 minutes; None if it came inside the answer."""
        return self._url

    @property
    def revised_prompt(self) -> str | None:
        """The prompt that was drawn, if the gateway says that it changed it."""
        return self._revised_prompt

    def __repr__(self) -> str:
        source = f"url={self._url.partition('?')[0]!r}" if self._url else "inline"
        size = f", {self._picture.media_type}, {self._picture.width}x{self._picture.height}" if self._picture else ""
        return f"<{type(self).__name__} {source}{size}>"

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_file": self._bytes() if self._file else None}
        del state["_lock"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        import io

        self.__dict__.update(state)
        self._lock = threading.Lock()
        self._file = io.BytesIO(state["_file"]) if state["_file"] is not None else None

    def _keep(self, file: IO[bytes]) -> None:
        """Hold the picture's file for as long as the image lives."""
        self._file = file
        weakref.finalize(self, file.close)

    def _checked(self) -> Picture:
        """Decode the file to its end, once."""
        from flux_images._picture.check import PictureError, check_picture

        assert self._file is not None  # noqa: S101 -- for the type checkers; asked only once there is a file
        with self._lock:
            if self._picture is None:
                try:
                    self._picture = check_picture(self._file)
                except PictureError as error:
                    raise self._not_a_picture(error) from None
            return self._picture

    def _not_a_picture(self, error: ValueError) -> FluxImagesError:
        request_id = self._generation.request_id
        if self._url is None:
            return UnexpectedResponseError(f"the answer's picture cannot be used: {error}", request_id=request_id)
        assert self._file is not None  # noqa: S101 -- as above
        self._file.close()
        self._file = None  # so that the next read fetches again
        return self._failed(ImageDownloadError(f"what the picture's address gave cannot be used: {error}"))

    def _failed(self, error: ImageDownloadError) -> ImageDownloadError:
        error.generation = self._generation
        error.request_id = self._generation.request_id
        return error

    def _bytes(self) -> bytes:
        assert self._file is not None  # noqa: S101 -- as above
        with self._lock:
            self._file.seek(0)
            return self._file.read()

    def _put(self, path: str | os.PathLike[str], *, overwrite: bool) -> Path:
        target = target_of(path, self._checked().media_type, overwrite=overwrite)
        assert self._file is not None  # noqa: S101 -- as above
        with self._lock:
            self._file.seek(0)
            put_in_place(self._file, target, overwrite=overwrite)
        return target

    def _shown_as(self, media_type: str) -> bytes | None:
        return self._bytes() if self._checked().media_type == media_type else None


class Image(_BaseImage):
    """One picture. It shows itself in a notebook."""

    def __init__(
        self,
        generation: Bought,
        url: str | None,
        file: IO[bytes] | None,
        revised_prompt: str | None,
        downloads: Downloads,
    ) -> None:
        super().__init__(generation, url, file, revised_prompt)
        self._downloads = downloads

    def read(self) -> bytes:
        """The picture's file, fetched if it is not here yet, and decoded to its end before it is given out.

        Raises:
            ImageDownloadError: it cannot be fetched, or what came is not a whole picture.
            UnexpectedResponseError: the picture inside the answer is not a whole one.
        """
        self._here()
        return self._bytes()

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the picture's file, whole or not at all, and give its path.

        A path without a suffix gets that of the picture's type.

        Raises:
            FileExistsError: there is a file already, and ``overwrite`` is False.
            OSError: the folder is missing, the disk is full, ...
            ImageDownloadError: as for ``read``.
            UnexpectedResponseError: as for ``read``.
        """
        target_of(path, None, overwrite=overwrite)
        self._fetched()
        return self._put(path, overwrite=overwrite)

    def to_pil(self) -> PIL.Image.Image:
        """The picture as a Pillow image, which needs Pillow."""
        return _pil(self.read())

    def _fetched(self) -> None:
        if self._file is None and self._url is not None:
            try:
                self._keep(self._downloads.fetch(self._url))
            except ImageDownloadError as error:
                raise self._failed(error) from error.__cause__

    @property
    def media_type(self) -> str:
        """``image/png``, ``image/jpeg`` or ``image/webp``. Fetches the picture if it is not here yet."""
        return self._here().media_type

    @property
    def width(self) -> int:
        """Pixels across. Fetches the picture if it is not here yet."""
        return self._here().width

    @property
    def height(self) -> int:
        """Pixels down. Fetches the picture if it is not here yet."""
        return self._here().height

    def _here(self) -> Picture:
        self._fetched()
        return self._checked()

    def _repr_png_(self) -> bytes | None:
        self._fetched()
        return self._shown_as("image/png")

    def _repr_jpeg_(self) -> bytes | None:
        self._fetched()
        return self._shown_as("image/jpeg")


class AsyncImage(_BaseImage):
    """One picture, read and saved by awaiting. It shows itself in a notebook once it was read."""

    def __init__(
        self,
        generation: Bought,
        url: str | None,
        file: IO[bytes] | None,
        revised_prompt: str | None,
        downloads: AsyncDownloads,
    ) -> None:
        super().__init__(generation, url, file, revised_prompt)
        self._downloads = downloads

    async def read(self) -> bytes:
        """The picture's file; as ``Image.read``."""
        import anyio.to_thread  # not needed to import the SDK

        await self._fetched()
        await anyio.to_thread.run_sync(self._checked)
        return self._bytes()

    async def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the picture's file, whole or not at all; as ``Image.save``."""
        import anyio.to_thread  # as above

        target_of(path, None, overwrite=overwrite)
        await self._fetched()
        return await anyio.to_thread.run_sync(lambda: self._put(path, overwrite=overwrite))

    async def to_pil(self) -> PIL.Image.Image:
        """The picture as a Pillow image, which needs Pillow."""
        return _pil(await self.read())

    @property
    def media_type(self) -> str:
        """``image/png``, ``image/jpeg`` or ``image/webp``. Known once the picture was read."""
        return self._known().media_type

    @property
    def width(self) -> int:
        """Pixels across. Known once the picture was read."""
        return self._known().width

    @property
    def height(self) -> int:
        """Pixels down. Known once the picture was read."""
        return self._known().height

    def _known(self) -> Picture:
        if self._file is None:
            raise FluxImagesError("the picture is not here yet: await its read() or save() first")
        return self._checked()

    def _repr_png_(self) -> bytes | None:
        return self._shown_as("image/png") if self._file else None

    def _repr_jpeg_(self) -> bytes | None:
        return self._shown_as("image/jpeg") if self._file else None

    async def _fetched(self) -> None:
        if self._file is None and self._url is not None:
            try:
                self._keep(await self._downloads.fetch(self._url))
            except ImageDownloadError as error:
                raise self._failed(error) from error.__cause__


def _pil(data: bytes) -> PIL.Image.Image:
    import io

    try:
        import PIL.Image
    except ImportError as error:
        raise ImportError("to_pil() needs Pillow: pip install 'flux-images[pillow]'") from error
    return PIL.Image.open(io.BytesIO(data))

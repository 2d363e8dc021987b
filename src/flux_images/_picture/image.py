"""Pictures as a caller holds them: looked at before any byte is given out, and given out whatever surrounds them."""

from __future__ import annotations

import base64
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from flux_images._errors import FluxImagesError, ImageDownloadError, UnexpectedResponseError
from flux_images._picture.check import PictureError
from flux_images._picture.fetch import Downloads, look_at
from flux_images._picture.save import put_in_place, target_of, warn_of_suffix
from flux_images._picture.store import Kept

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    import PIL.Image

    from flux_images._errors import Bought
    from flux_images._picture.check import Picture

log = logging.getLogger("flux_images")


class Alone:
    """The call of a picture of which nothing else is known."""

    def __init__(self, request_id: str | None) -> None:
        self.request_id = request_id
        self.images: list[Any] = []

    @property
    def image(self) -> Any:
        return self.images[0]


class BaseImage:
    """What ``Image`` and ``AsyncImage`` share: everything but the fetching."""

    def __init__(self, generation: Bought, url: str | None, kept: Kept | None, revised_prompt: str | None) -> None:
        self._generation = generation
        self._url = url
        self._kept = kept
        self._revised_prompt = revised_prompt
        self._picture: Picture | None = None
        self._born: float | None = time.monotonic()
        self._lock = threading.Lock()

    @property
    def url(self) -> str | None:
        """Where the picture is, valid for about 10 minutes; None if it came inside the answer."""
        return self._url

    @property
    def revised_prompt(self) -> str | None:
        """The prompt that was drawn, if the gateway says that it changed it."""
        return self._revised_prompt

    @property
    def size_if_known(self) -> tuple[int, int] | None:
        """Pixels across and down, if the picture was looked at; never fetches it."""
        seen = self._picture
        return (seen.width, seen.height) if seen and seen.height else None

    def to_dict(self) -> dict[str, Any]:
        """The picture as JSON has it: its address, and its bytes in base64 if they are here. No key is in it."""
        data = base64.b64encode(self._kept.read()).decode("ascii") if self._kept else None
        return {
            "url": self._url,
            "revised_prompt": self._revised_prompt,
            "b64_json": data,
            "request_id": self._generation.request_id,
        }

    def __repr__(self) -> str:
        source = f"url={self._url.partition('?')[0]!r}" if self._url else "inline"
        seen = self._picture
        size = f", {seen.media_type}, {seen.width}x{seen.height}" if seen else ""
        return f"<{type(self).__name__} {source}{size}>"

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_born": None}
        del state["_lock"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def _restored(self, born: float | None = None) -> Self:
        self._born = born
        return self

    def _checked(self) -> Picture:
        """Look at the bytes that are here, once.

        Raises:
            PictureError: they are surely no whole picture.
        """
        assert self._kept is not None  # noqa: S101 -- for the type checkers; asked only once there are bytes
        with self._lock:
            if self._picture is None:
                self._picture = look_at(self._kept)
                if self._picture.check != "whole":
                    log.info("a picture is handed out as it is: %s", self._picture.check)
            return self._picture

    def _arrived(self, kept: Kept, picture: Picture | None) -> None:
        self._kept, self._picture = kept, picture

    def _damaged(self, error: PictureError) -> FluxImagesError | None:
        """The error for bytes inside the answer that are no picture; None if there is an address to turn to."""
        if self._url is not None:
            self._kept = None
            return None
        return UnexpectedResponseError(
            f"the answer's picture cannot be used: {error}; its bytes can be had with check=False",
            request_id=self._generation.request_id,
        )

    def _failed(self, error: ImageDownloadError) -> ImageDownloadError:
        error.generation = self._generation
        error.request_id = self._generation.request_id
        return error

    def _bytes(self) -> bytes:
        assert self._kept is not None  # noqa: S101 -- as above
        return self._kept.read()

    def _put(self, path: str | os.PathLike[str], *, overwrite: bool) -> Path:
        assert self._kept is not None  # noqa: S101 -- as above
        try:
            media_type = self._checked().media_type
        except PictureError:
            media_type = "application/octet-stream"  # asked for with check=False
        target = target_of(path, media_type, overwrite=overwrite)
        with self._kept.open() as file:
            put_in_place(file, target, overwrite=overwrite)
        warn_of_suffix(target, media_type)
        return target

    def _shown_as(self, media_type: str) -> bytes | None:
        return self._bytes() if self._picture is not None and self._picture.media_type == media_type else None


class Image(BaseImage):
    """One picture. It shows itself in a notebook."""

    def __init__(
        self, generation: Bought, url: str | None, kept: Kept | None, revised_prompt: str | None, downloads: Downloads
    ) -> None:
        super().__init__(generation, url, kept, revised_prompt)
        self._downloads = downloads

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any], generation: Bought | None = None) -> Self:
        """What ``to_dict`` saved; it is fetched, if it must be, with a client of its own."""
        return cls(*parts_of(saved, generation), Downloads())._restored()

    @classmethod
    def at(cls, url: str, downloads: Downloads) -> Self:
        """The picture at an address, fetched and looked at."""
        image = cls(Alone(None), url, None, None, downloads)._restored()
        image._here()
        return image

    def read(self, *, check: bool = True) -> bytes:
        """The picture's file, fetched if it is not here yet, and looked at before it is given out.

        ``check=False`` gives the bytes as they are, also where they are damaged.

        Raises:
            ImageDownloadError: it cannot be fetched, or what came is surely not a whole picture.
            UnexpectedResponseError: the picture inside the answer is surely not a whole one.
        """
        self._here(check=check)
        return self._bytes()

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False, check: bool = True) -> Path:
        """Write the picture's file, whole or not at all, and give its path.

        A path without a suffix gets that of the picture's type; one with another type's is kept, with a warning.
        ``~`` stands for the home folder. ``check_target`` looks at a path before a picture is bought. ``check=False``
        as for ``read``.

        Raises:
            FileExistsError: there is a file already, and ``overwrite`` is False.
            OSError: the folder is missing, the disk is full, ...
            ImageDownloadError: as for ``read``.
            UnexpectedResponseError: as for ``read``.
        """
        target_of(path, None, overwrite=overwrite)
        self._here(check=check)
        return self._put(path, overwrite=overwrite)

    def to_pil(self) -> PIL.Image.Image:
        """The picture as a Pillow image, which needs Pillow."""
        return as_pil(self.read())

    @property
    def check(self) -> str:
        """``whole``, or why the picture could not be looked at to its end here. Fetches it if it is not here yet."""
        return self._looked_at().check

    @property
    def media_type(self) -> str:
        """``image/png``, ``image/jpeg``, ... Fetches the picture if it is not here yet."""
        return self._looked_at().media_type

    @property
    def width(self) -> int:
        """Pixels across. Fetches the picture if it is not here yet.

        Raises:
            FluxImagesError: the picture's format is not known here, nor its size.
        """
        return pixels(self._looked_at().width)

    @property
    def height(self) -> int:
        """Pixels down; as ``width``."""
        return pixels(self._looked_at().height)

    def _looked_at(self) -> Picture:
        self._here()
        return self._checked()

    def _here(self, *, check: bool = True) -> None:
        if self._kept is not None and check:
            try:
                self._checked()
            except PictureError as error:
                if typed := self._damaged(error):
                    raise typed from None
        if self._kept is None and self._url is not None:
            try:
                self._arrived(*self._downloads.fetch(self._url, self._born, check=check))
            except ImageDownloadError as error:
                raise self._failed(error) from error.__cause__

    def _repr_png_(self) -> bytes | None:
        self._here()
        return self._shown_as("image/png")

    def _repr_jpeg_(self) -> bytes | None:
        self._here()
        return self._shown_as("image/jpeg")


def parts_of(saved: Mapping[str, Any], generation: Bought | None) -> tuple[Bought, str | None, Kept | None, str | None]:
    data = saved.get("b64_json")
    kept = Kept(base64.b64decode(data)) if data else None
    return generation or Alone(saved.get("request_id")), saved.get("url"), kept, saved.get("revised_prompt")


def pixels(count: int) -> int:
    if not count:
        raise FluxImagesError("the picture's format is not known here, nor its size in pixels")
    return count


def as_pil(data: bytes) -> PIL.Image.Image:
    import io

    try:
        import PIL.Image
    except ImportError as error:
        raise ImportError("to_pil() needs Pillow: pip install 'flux-images[pillow]'") from error
    return PIL.Image.open(io.BytesIO(data))

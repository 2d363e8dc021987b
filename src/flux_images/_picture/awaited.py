"""Pictures that are read and saved by awaiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from flux_images._errors import FluxImagesError, ImageDownloadError
from flux_images._picture.check import PictureError
from flux_images._picture.fetch import AsyncDownloads
from flux_images._picture.image import Alone, BaseImage, as_pil, parts_of, pixels
from flux_images._picture.save import target_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    import PIL.Image

    from flux_images._errors import Bought
    from flux_images._picture.check import Picture
    from flux_images._picture.store import Kept


class AsyncImage(BaseImage):
    """One picture, read and saved by awaiting. It shows itself in a notebook once it was read."""

    def __init__(
        self,
        generation: Bought,
        url: str | None,
        kept: Kept | None,
        revised_prompt: str | None,
        downloads: AsyncDownloads,
    ) -> None:
        super().__init__(generation, url, kept, revised_prompt)
        self._downloads = downloads

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any], generation: Bought | None = None) -> Self:
        """What ``to_dict`` saved; as ``Image.from_dict``."""
        return cls(*parts_of(saved, generation), AsyncDownloads())._restored()

    @classmethod
    async def at(cls, url: str, downloads: AsyncDownloads) -> Self:
        """The picture at an address, fetched and looked at."""
        image = cls(Alone(None), url, None, None, downloads)._restored()
        await image._here()
        return image

    async def read(self, *, check: bool = True) -> bytes:
        """The picture's file; as ``Image.read``."""
        await self._here(check=check)
        return self._bytes()

    async def save(self, path: str | os.PathLike[str], *, overwrite: bool = False, check: bool = True) -> Path:
        """Write the picture's file, whole or not at all; as ``Image.save``."""
        target_of(path, None, overwrite=overwrite)
        await self._here(check=check)
        return await self._downloads.in_thread(lambda: self._put(path, overwrite=overwrite))

    async def to_pil(self) -> PIL.Image.Image:
        """The picture as a Pillow image, which needs Pillow."""
        return as_pil(await self.read())

    @property
    def check(self) -> str:
        """``whole``, or why the picture could not be looked at to its end here. Known once the picture was read."""
        return self._known().check

    @property
    def media_type(self) -> str:
        """``image/png``, ``image/jpeg``, ... Known once the picture was read."""
        return self._known().media_type

    @property
    def width(self) -> int:
        """Pixels across. Known once the picture was read; as ``Image.width``."""
        return pixels(self._known().width)

    @property
    def height(self) -> int:
        """Pixels down; as ``width``."""
        return pixels(self._known().height)

    def _known(self) -> Picture:
        if self._picture is None:
            raise FluxImagesError("the picture is not known yet: await its read() or save() first")
        return self._picture

    def _repr_png_(self) -> bytes | None:
        return self._shown_as("image/png")

    def _repr_jpeg_(self) -> bytes | None:
        return self._shown_as("image/jpeg")

    async def _here(self, *, check: bool = True) -> None:
        if self._kept is not None and check:
            try:
                await self._downloads.in_thread(self._checked)
            except PictureError as error:
                if typed := self._damaged(error):
                    raise typed from None
        if self._kept is None and self._url is not None:
            try:
                self._arrived(*await self._downloads.fetch(self._url, self._born, check=check))
            except ImageDownloadError as error:
                raise self._failed(error) from error.__cause__

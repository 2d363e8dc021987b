"""What a call brought."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Generic, NamedTuple, TypeVar

from flux_images._picture.image import AsyncImage, Image

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_images._picture.fetch import AsyncDownloads, Downloads
    from flux_images_api.models import ImagesResponse

_I = TypeVar("_I", Image, AsyncImage)


class Part(NamedTuple):
    """What an answer says of one picture."""

    url: str | None
    file: IO[bytes] | None
    revised_prompt: str | None


class _BaseGeneration(Generic[_I]):
    """What ``Generation`` and ``AsyncGeneration`` share."""

    def __init__(self, raw: ImagesResponse, request_id: str | None, asked: int) -> None:
        self.images: list[_I] = []
        """The pictures, in the order of the answer."""
        self.raw: ImagesResponse = raw
        """The answer as the contract's type, with a short placeholder for each picture inside it."""
        self.request_id: str | None = request_id
        """The gateway's id of the call."""
        self._asked = asked

    @property
    def missing(self) -> int:
        """How many of the pictures that were asked for did not come."""
        return max(0, self._asked - len(self.images))

    @property
    def image(self) -> _I:
        """The first picture."""
        return self.images[0]

    @property
    def created(self) -> int | None:
        """When the answer was made, in seconds since 1970 (UTC), if the gateway says so."""
        return self.raw.created if isinstance(self.raw.created, int) else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.images)} pictures, request id {self.request_id}>"


class Generation(_BaseGeneration[Image]):
    """What one call of ``generate`` brought."""

    def take(self, parts: Iterable[Part], downloads: Downloads) -> None:
        """Hold the pictures of the answer."""
        self.images += [Image(self, *part, downloads) for part in parts]


class AsyncGeneration(_BaseGeneration[AsyncImage]):
    """What one awaited call of ``generate`` brought."""

    def take(self, parts: Iterable[Part], downloads: AsyncDownloads) -> None:
        """Hold the pictures of the answer."""
        self.images += [AsyncImage(self, *part, downloads) for part in parts]

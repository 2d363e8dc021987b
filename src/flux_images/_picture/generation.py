"""What a call brought."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeVar

from flux_images._errors import Deviation
from flux_images._picture.awaited import AsyncImage
from flux_images._picture.fetch import AsyncDownloads, Downloads
from flux_images._picture.image import Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flux_images._picture.store import Kept
    from flux_images_api.models import ImagesResponse

_I = TypeVar("_I", Image, AsyncImage)

_OFF = 0.03
"""By how much the ratio of a picture may differ: models draw in steps of 32 pixels."""


class Asked(NamedTuple):
    """What a call asked for that an answer can be held to."""

    n: int | None = None
    aspect_ratio: str | None = None


class Part(NamedTuple):
    """What an answer says of one picture."""

    url: str | None
    kept: Kept | None
    revised_prompt: str | None


class Answer(NamedTuple):
    """What an answer says beside its pictures."""

    raw: ImagesResponse
    request_id: str | None
    document: Any = None
    deviations: tuple[Deviation, ...] = ()


class _BaseGeneration(Generic[_I]):
    """What ``Generation`` and ``AsyncGeneration`` share."""

    images: list[_I]
    """The pictures, in the order of the answer."""

    def __init__(self, answer: Answer, asked: Asked) -> None:
        self.raw: ImagesResponse = answer.raw
        """The answer as the contract's type: a placeholder for each picture inside it, and what differs left out."""
        self.request_id: str | None = answer.request_id
        """The gateway's id of the call."""
        self.document: Any = answer.document
        """The whole decoded answer, with a short placeholder for each picture."""
        self._deviations = answer.deviations
        self._asked = asked

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """Where the answer differs from the contract, or from what was asked: (where, expected, got).

        Of a picture's ratio that is known once the picture was read or saved.
        """
        count, (wanted, ratio) = len(self.images), self._asked
        number = (Deviation("/data", f"{wanted} pictures", f"{count} pictures"),) if wanted not in (None, count) else ()
        ratios = tuple(
            Deviation(f"/data/{index}", f"the ratio {ratio}", f"{size[0]} x {size[1]} px")
            for index, image in enumerate(self.images)
            if ratio and (size := image.size_if_known) and _differs(size, ratio)
        )
        return self._deviations + number + ratios

    @property
    def missing(self) -> int:
        """How many of the pictures that were asked for did not come."""
        return max(0, (self._asked.n or 1) - len(self.images))

    @property
    def image(self) -> _I:
        """The first picture."""
        return self.images[0]

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[_I]:
        return iter(self.images)

    @property
    def created(self) -> int | None:
        """When the answer was made, in seconds since 1970 (UTC), if the gateway says so."""
        return self.raw.created if isinstance(self.raw.created, int) else None

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON has it, for a ledger or a queue: no key, and the bytes of each picture that are here.

        ``from_dict`` makes it a generation again, whose pictures are fetched with a client of their own.
        """
        return {
            "images": [image.to_dict() for image in self.images],
            "raw": self.raw.to_dict(),
            "request_id": self.request_id,
            "document": self.document,
            "deviations": [list(deviation) for deviation in self._deviations],
            "asked": self._asked.n,
            "aspect_ratio": self._asked.aspect_ratio,
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.images)} pictures, request id {self.request_id}>"


class Generation(_BaseGeneration[Image]):
    """What one call of ``generate`` brought."""

    def __init__(self, answer: Answer, asked: Asked, parts: Iterable[Part], downloads: Downloads) -> None:
        super().__init__(answer, asked)
        self.images = [Image(self, *part, downloads) for part in parts]

    def _repr_html_(self) -> str:
        """The pictures, for a notebook; each is fetched if it is not here yet."""
        shown = ((image.media_type, base64.b64encode(image.read()).decode("ascii")) for image in self.images)
        return "".join(f'<img src="data:{kind};base64,{data}" style="max-width: 24em">' for kind, data in shown)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """What ``to_dict`` saved."""
        generation = cls(*_restored(saved), (), Downloads())
        generation.images = [Image.from_dict(image, generation) for image in saved["images"]]
        return generation


class AsyncGeneration(_BaseGeneration[AsyncImage]):
    """What one awaited call of ``generate`` brought."""

    def __init__(self, answer: Answer, asked: Asked, parts: Iterable[Part], downloads: AsyncDownloads) -> None:
        super().__init__(answer, asked)
        self.images = [AsyncImage(self, *part, downloads) for part in parts]

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """What ``to_dict`` saved."""
        generation = cls(*_restored(saved), (), AsyncDownloads())
        generation.images = [AsyncImage.from_dict(image, generation) for image in saved["images"]]
        return generation


def _differs(size: tuple[int, int], ratio: str) -> bool:
    width, height = (float(side) for side in ratio.split(":"))
    return abs(size[0] * height / (size[1] * width) - 1) > _OFF


def _restored(saved: Mapping[str, Any]) -> tuple[Answer, Asked]:
    from flux_images_api.models import ImagesResponse  # not needed to import the SDK

    deviations = tuple(Deviation(*deviation) for deviation in saved["deviations"])
    answer = Answer(ImagesResponse.from_dict(saved["raw"]), saved["request_id"], saved["document"], deviations)
    return answer, Asked(saved["asked"], saved.get("aspect_ratio"))

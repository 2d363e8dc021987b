"""The bill: how many pictures each key has paid for."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flux_images_mock._description.json import is_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_images_mock._request.message import Exchange

_MOST_KEYS = 10_000
_OTHERS = "others"

# gateway-family: a gateway charges on success, and these say that it stopped waiting for a model that goes on drawing.
_BILLED_STATUSES = frozenset([504, 520, 522, 524])


def is_billed(status: int) -> bool:
    """Return whether an answer with this status costs money, where its scenario doesn't say."""
    return status < 300 or status in _BILLED_STATUSES


def units(exchange: Exchange) -> int:
    """Return how many pictures a valid request asks for, and so is charged."""
    count = exchange.body.get("n", 1) if is_object(exchange.body) else 1
    return count if isinstance(count, int) and count > 0 else 1


def label(key: str) -> str:
    """Return a name for a key that doesn't give it away, always the same for the same key."""
    digest = hashlib.blake2b(key.encode(), digest_size=4).hexdigest()
    return f"sk-***{digest}" if key.startswith("sk-") else f"***{digest}"


class Bill(Mapping[str, int]):
    """Pictures billed, by key. `bill["sk-test"]` is what that key paid; the keys themselves aren't kept.

    Iterating gives a label for each key (`sk-***1f0c9a2b`), with which the bill can be read as well.
    """

    def __init__(self) -> None:
        self._by_label: OrderedDict[str, int] = OrderedDict()
        self.pictures = 0
        """All pictures billed."""

    def charge(self, key: str, pictures: int) -> None:
        """Add to the bill; past ten thousand keys, the longest unseen are counted together."""
        name = label(key)
        self.pictures += pictures
        self._by_label[name] = self._by_label.get(name, 0) + pictures
        self._by_label.move_to_end(name)
        if len(self._by_label) > _MOST_KEYS:
            oldest = next(known for known in self._by_label if known != _OTHERS)
            self._by_label[_OTHERS] = self._by_label.get(_OTHERS, 0) + self._by_label.pop(oldest)

    def __getitem__(self, key: str) -> int:
        found = self._by_label.get(key)
        return self._by_label.get(label(key), 0) if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._by_label))

    def __len__(self) -> int:
        return len(self._by_label)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and (key in self._by_label or label(key) in self._by_label)

    def __repr__(self) -> str:
        return f"Bill({dict(self._by_label)})"

"""The host of the pictures: signed addresses that expire, and the files behind them, drawn when first fetched."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from flux_images_mock._durations import read_duration
from flux_images_mock._pictures.draw import draw
from flux_images_mock._request.message import Answer, Exchange, Pairs
from flux_images_mock._request.paths import PICTURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_images_mock._answer.faults import Fault
    from flux_images_mock._gateway.clock import Clock
    from flux_images_mock._options import Behaviour
    from flux_images_mock._pictures.draw import Picture
    from flux_images_mock._pictures.sizes import Size

URL_TTL = 600.0
"""Seconds that an address is valid, by default: 10 minutes is common."""

_MOST_PROMISED = 8 * 1024 * 1024
_MOST_DRAWN = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileEffect:
    """What a scenario does to the files behind the addresses it gives out."""

    answer: Callable[[Exchange], Answer] | None = None
    fault: Fault | None = None
    expired: bool = False
    cut: bool = False
    least_bytes: int = 0


class Gallery:
    """The pictures that were promised and those that were drawn, each within a limit of bytes, oldest out first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._signer = blake2b(key=secrets.token_bytes(16), digest_size=16)
        self._lock = Lock()
        self._drawn: OrderedDict[str, bytes] = OrderedDict()
        self._drawn_size = 0
        self.reset({})

    def reset(self, behaviour: Behaviour) -> None:
        """Forget every address; files stay drawn, as the same picture is the same file."""
        with self._lock:
            self.size: Size = behaviour.get("size", "preview")
            self._ttl = read_duration(behaviour.get("url_ttl", URL_TTL), "url_ttl")
            self._promised: OrderedDict[str, tuple[Picture, FileEffect | None]] = OrderedDict()
            self._promised_size = 0

    def promise(self, picture: Picture, since: float, effect: FileEffect | None = None) -> str:
        """Return the signed end of an address that is valid `since` a time; the picture is drawn when first fetched."""
        name = picture.name if effect is None else f"{secrets.token_hex(4)}-{picture.name}"
        with self._lock:
            if self._promised.pop(name, None) is None:
                self._promised_size += _weight(picture)
            self._promised[name] = picture, effect
            while self._promised_size > _MOST_PROMISED:
                _, (oldest, _) = self._promised.popitem(last=False)
                self._promised_size -= _weight(oldest)
        ttl = -1.0 if effect is not None and effect.expired else self._ttl
        expires = str(int(since + ttl))
        return f"{name}?expires={expires}&signature={self._sign(name, expires)}"

    def content(self, picture: Picture, effect: FileEffect | None = None) -> bytes:
        """Return what stands in a picture's place: its file, unless a scenario changes it. Drawing takes a while."""
        file = self._draw(picture)
        return file[: len(file) // 2] if effect is not None and effect.cut else file

    def serve(self, exchange: Exchange) -> Answer:
        """Answer a request for a picture's address, as a host of signed addresses does."""
        request = exchange.request
        if request.method not in ("GET", "HEAD"):
            return _page(405, "fetch a picture with GET", [(b"allow", b"GET, HEAD")])
        if request.headers.get(b"authorization") is not None:
            return _page(
                401, "a signed address takes no Authorization header: never send the API key to a picture's host"
            )
        name = request.path.removeprefix(PICTURES)
        query = parse_qs(request.query.decode("latin-1"))
        expires, signature = query.get("expires", [""])[0], query.get("signature", [""])[0]
        if not hmac.compare_digest(signature.encode(), self._sign(name, expires).encode()):
            return _page(403, "the address is not signed as this host signs; use it whole, as it was given")
        if int(expires) <= self._clock.now():
            return _page(403, "the address has expired; pictures must be fetched soon after they are drawn")
        with self._lock:
            promised = self._promised.get(name)
        if promised is None:
            return _page(404, "no such picture; addresses are forgotten when too many newer ones have been given out")
        picture, effect = promised
        if effect is not None and effect.answer is not None:
            answer = effect.answer(exchange)
        else:
            answer = Answer(200, [], b"", "picture", later=partial(self._file, picture, effect))
        answer.fault = None if effect is None else effect.fault
        return answer

    def _file(self, picture: Picture, effect: FileEffect | None) -> Answer:
        file = self.content(picture, effect)
        headers = [(b"content-type", b"image/" + picture.format.encode()), (b"content-length", b"%d" % len(file))]
        return Answer(200, headers, file, "picture")

    def _draw(self, picture: Picture) -> bytes:
        name = picture.name
        with self._lock:
            file = self._drawn.get(name)
        if file is not None:
            return file
        file = draw(picture)
        with self._lock:
            if name not in self._drawn:
                self._drawn[name] = file
                self._drawn_size += len(file)
            while self._drawn_size > _MOST_DRAWN:
                _, oldest = self._drawn.popitem(last=False)
                self._drawn_size -= len(oldest)
        return file

    def _sign(self, name: str, expires: str) -> str:
        signer = self._signer.copy()
        signer.update(f"{name}?{expires}".encode())
        return signer.hexdigest()


def _weight(picture: Picture) -> int:
    return 600 + 4 * (len(picture.prompt) + len(picture.model))


def _page(status: int, text: str, headers: Pairs | None = None) -> Answer:
    body = f"{text}\n".encode()
    pairs = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body)), *(headers or [])]
    return Answer(status, pairs, body, "picture")

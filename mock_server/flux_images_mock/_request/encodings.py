"""Undo the content encodings of a request's body, never past a limit."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import brotli  # type: ignore[import-untyped]  # comes without types

from flux_images_mock._description.schema import Violation

Decoder = Callable[[bytes, int], Iterator[bytes]]
"""Yields the parts of a plain body, each of so many bytes at most."""

_MOST_LAYERS = 2
_UNTYPED: Any = brotli


class TooLargeError(ValueError):
    """A body is past the limit."""


class EncodingError(ValueError):
    """The body isn't encoded as its header says, or in a way that isn't known."""

    def __init__(self, expected: str, got: str) -> None:
        self.violation = Violation("header", "Content-Encoding", expected, got)
        super().__init__(str(self.violation))


def decode(content: bytes, header: str, limit: int) -> bytes:
    """Return the plain body; raises `EncodingError`, or `TooLargeError` before more than `limit` bytes are made."""
    layers = [layer.strip().lower() for layer in header.split(",")]
    known = f"{', '.join(_DECODERS)} or identity"
    if len(layers) > _MOST_LAYERS:
        raise EncodingError(f"at most {_MOST_LAYERS} encodings", str(len(layers)))
    for layer in reversed(layers):
        if layer in ("identity", ""):
            continue
        decoder = _DECODERS.get(layer)
        if decoder is None:
            raise EncodingError(known, layer[:40])
        parts, size = list[bytes](), 0
        try:
            for part in decoder(content, limit + 1):
                parts.append(part)
                size += len(part)
                if size > limit:
                    raise TooLargeError
        except (zlib.error, _UNTYPED.error) as error:
            raise EncodingError(f"a body in {layer}", "something else") from error
        content = b"".join(parts)
    return content


def _inflate(window: int) -> Decoder:
    def decoder(content: bytes, most: int) -> Iterator[bytes]:
        while True:
            stream = zlib.decompressobj(window)
            yield stream.decompress(content, most)
            if not stream.eof:
                raise EncodingError("a whole body", "one that is cut short")
            content = stream.unused_data
            if not content:
                return

    return decoder


def _brotli(content: bytes, most: int) -> Iterator[bytes]:
    stream = _UNTYPED.Decompressor()
    yield stream.process(content, output_buffer_limit=most)
    while not stream.is_finished():
        part = stream.process(b"", output_buffer_limit=most)
        if not part:
            raise EncodingError("a whole body", "one that is cut short")
        yield part


_DECODERS = {"gzip": _inflate(31), "deflate": _inflate(15), "br": _brotli}

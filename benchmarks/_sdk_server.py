"""A gateway that answers at once, or late, with the same bytes: what peers are measured against.

    python _sdk_server.py [CERTIFICATE KEY]

It prints its port. Every request is answered by its prompt: ``small`` (a url), ``inline N`` (a PNG of N MiB as
base64), ``file PATH`` (that picture as base64), ``late`` (small, after ten seconds).
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
import ssl
import struct
import sys
import zlib
from functools import cache
from pathlib import Path

LATE = 10.0
PIECE = 2**18
SMALL = json.dumps({"created": 1589478378, "data": [{"url": "https://pictures.example/medal.png?sig=abc"}]}).encode()


@cache
def noise(mebibytes: int) -> bytes:
    """A PNG of that size, of pixels that cannot be compressed."""
    width, rows = 2048, mebibytes * 2**20 // (3 * 2048 + 1)
    pixels = b"".join(b"\0" + random.Random(row).randbytes(3 * width) for row in range(rows))
    chunks = (
        b"IHDR" + struct.pack(">IIBBBBB", width, rows, 8, 2, 0, 0, 0),
        b"IDAT" + zlib.compress(pixels, 0),
        b"IEND",
    )
    body = b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


@cache
def inline(mebibytes: int) -> bytes:
    """The answer with that picture inside."""
    return holding(noise(mebibytes))


@cache
def inline_file(path: str) -> bytes:
    """The answer with a file's picture inside."""
    return holding(Path(path).read_bytes())


def holding(picture: bytes) -> bytes:
    return http(b'{"created":1,"data":[{"b64_json":"' + base64.b64encode(picture) + b'"}]}')


@cache
def http(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Gateway(asyncio.Protocol):
    """One connection; requests come one after the other. Large answers go out as fast as they are taken."""

    def __init__(self) -> None:
        self.data = b""
        self.unsent = memoryview(b"")
        self.paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, end, body = self.data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self.data = b""
        if asked := re.search(rb"inline (\d+)", body):
            self.unsent = memoryview(inline(int(asked[1])))
            self.write()
        elif asked := re.search(rb"file ([^\"]+)", body):
            self.unsent = memoryview(inline_file(asked[1].decode()))
            self.write()
        elif b"late" in body:
            asyncio.get_running_loop().call_later(LATE, self.transport.write, http(SMALL))
        else:
            self.transport.write(http(SMALL))

    def write(self) -> None:
        while self.unsent and not self.paused:
            piece, self.unsent = self.unsent[:PIECE], self.unsent[PIECE:]
            self.transport.write(piece)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self.write()


async def main() -> None:
    context = None
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*sys.argv[1:3])
    server = await asyncio.get_running_loop().create_server(Gateway, "127.0.0.1", 0, ssl=context, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())

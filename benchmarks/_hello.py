"""The floor: uvicorn on the mock's loop and parser, answering a constant without looking at the request."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

BODY = b'{"created":1589478378,"data":[{"url":"https://pictures.example/medal-1.png"}]}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvicorn.run(
        hello,
        port=int(sys.argv[1]),
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,
    )

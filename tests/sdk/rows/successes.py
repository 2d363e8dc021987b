"""Bodies of successes: field facts, section 4."""

from __future__ import annotations

import gzip

import flux_images as flux
from tests.sdk.raw_server import answer
from tests.sdk.rows.row import B64, GOOD_B64, GOOD_URL, ID, JSON, URL, Row, success

SUCCESSES = [
    Row("url", GOOD_URL, request_id=ID),
    Row("two urls", success({"data": [URL, URL]}), pictures=2),
    Row("empty strings beside a url", success({"data": [{**URL, "b64_json": "", "revised_prompt": ""}]})),
    Row("b64_json", success({"data": [{"b64_json": B64}]})),
    Row("b64_json beside an empty url", success({"data": [{"b64_json": B64, "url": ""}]})),
    Row("data URI", success({"data": [{"b64_json": f"data:image/png;base64,{B64}"}]})),
    Row("metadata", success({"data": [URL], "metadata": {"channel": 12}})),
    Row("unknown fields", success({"data": [{**URL, "x": [1]}], "y": {"data": 7}})),
    Row("gzip", (answer(200, gzip.compress(GOOD_B64), JSON, "Content-Encoding: gzip"),)),
    Row("no content type", (answer(200, GOOD_B64),)),
    Row("wrong content type", (answer(200, GOOD_B64, "Content-Type: text/plain"),)),
    Row(
        "chunked",
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + GOOD_B64[:5] + b"\r\n",
            b"%x\r\n" % (len(GOOD_B64) - 5) + GOOD_B64[5:] + b"\r\n0\r\n\r\n",
        ),
    ),
    Row("no length", (b"HTTP/1.1 200 OK\r\n\r\n" + GOOD_B64,)),
    Row("fewer than asked", success({"data": [URL, URL]}), pictures=2, fields={"n": 4}),
    Row("one of two is empty", success({"data": [{"url": None}, URL]}), fields={"n": 2}),
    Row("empty object", success({}), flux.EmptyGenerationError, request_id=ID),
    Row("data null", success({"data": None}), flux.EmptyGenerationError),
    Row("data empty", success({"data": []}), flux.EmptyGenerationError),
    Row("url null", success({"data": [{"url": None}]}), flux.EmptyGenerationError),
    Row("empty b64_json", success({"data": [{"b64_json": ""}]}), flux.EmptyGenerationError),
]

"""What callers complain of, and what the wire can do: field facts, section 6."""

from __future__ import annotations

import gzip

import flux_images as flux
from tests.sdk.raw_server import answer, reset, stall
from tests.sdk.rows.row import B64, GOOD_B64, GOOD_URL, HAS_ID, HTML, ID, JSON, PAGE, PNG, URL, Row, success

WIRE = [
    Row("524 page", (answer(524, PAGE, HTML),), flux.GatewayTimeoutError, says="an error page in HTML"),
    Row("520 page", (answer(520, PAGE, HTML),), flux.InternalServerError),
    Row("502 page", (answer(502, PAGE, HTML),), flux.InternalServerError),
    Row("503 page", (answer(503, PAGE, HTML),), flux.InternalServerError),
    Row("504 page", (answer(504, PAGE, HTML),), flux.GatewayTimeoutError),
    Row("404 page", (answer(404, PAGE, HTML),), flux.NotFoundError, False, says="is it the wrong host?"),
    Row("status 999", (answer(999, b"{}", JSON),), flux.APIStatusError),
    Row("a string", success("hello"), flux.UnexpectedResponseError),
    Row("data is a number", success({"data": 5}), flux.UnexpectedResponseError, says="/data"),
    Row("url is a number", success({"data": [{"url": 5}]}), flux.UnexpectedResponseError, says="/data/0/url"),
    Row("a stray number in data", success({"data": [URL, 7]})),
    Row(
        "b64_json is not base64", success({"data": [{"b64_json": "!!!!"}]}), flux.UnexpectedResponseError, says="base64"
    ),
    Row("b64_json is cut", success({"data": [{"b64_json": B64[:-3]}]}), flux.UnexpectedResponseError, says="cut"),
    Row("b64_json is no picture", success({"data": [{"b64_json": "aGVsbG8h"}]}), flux.UnexpectedResponseError),
    Row("not JSON", (answer(200, b"ok", JSON),), flux.UnexpectedResponseError, says="JSON"),
    Row("empty 200", (answer(200, b"", HAS_ID),), flux.UnexpectedResponseError, request_id=ID),
    Row("invalid UTF-8", (answer(200, b'{"x":"\xff"}', JSON),), flux.UnexpectedResponseError),
    Row("deep nesting", (answer(200, b"[" * 100_000, JSON),), flux.UnexpectedResponseError),
    Row("NaN", (answer(200, b'{"created":NaN,"data":[]}', JSON),), flux.EmptyGenerationError),
    Row(
        "cut body",
        (answer(200, GOOD_B64[:40], JSON, HAS_ID, length=len(GOOD_B64)),),
        flux.UnexpectedResponseError,
        request_id=ID,
        says="cut short",
    ),
    Row(
        "cut chunked body",
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",),
        flux.UnexpectedResponseError,
        says="cut short",
    ),
    Row(
        "closed after the headers",
        (answer(200, b"", JSON, length=9),),
        flux.UnexpectedResponseError,
        says="cut short",
    ),
    Row(
        "reset in the body",
        (answer(200, GOOD_B64[:40], length=900), reset),
        flux.UnexpectedResponseError,
        says="cut short",
    ),
    Row("cut error", (answer(429, b"{", JSON, HAS_ID, length=900),), flux.RateLimitError, True, request_id=ID),
    Row("cut error, by code", (answer(400, b'{"code":', length=900),), flux.BadRequestError, True, says="cut short"),
    Row("error in a lying encoding", (answer(401, b"{}", "Content-Encoding: gzip"),), flux.AuthenticationError, True),
    Row("cut page", (answer(200, PAGE, HTML, length=900),), flux.UnexpectedResponseError, says="is it the wrong host?"),
    Row("closed before headers", (), flux.APIConnectionError),
    Row("reset before headers", (reset,), flux.APIConnectionError),
    Row("closed in the headers", (b"HTTP/1.1 200 OK\r\nConte",), flux.APIConnectionError),
    Row("stall before headers", (stall,), flux.APITimeoutError, fields={"timeout": 0.2}),
    Row("stall in the body", (answer(200, b"{", length=9), stall), flux.APITimeoutError, fields={"timeout": 0.2}),
    Row("garbage", (b"\x16\x03\x01\x00garbage\r\n\r\n",), flux.APIConnectionError),
    Row("huge header", (answer(200, GOOD_B64, "X: " + "x" * 1_000_000),), flux.APIConnectionError),
    Row("gzip that is none", (answer(200, GOOD_B64, "Content-Encoding: gzip"),), flux.UnexpectedResponseError),
    Row(
        "gzip that is cut",
        (answer(200, gzip.compress(GOOD_B64)[: len(GOOD_B64) // 4], "Content-Encoding: gzip"),),
        flux.UnexpectedResponseError,
    ),
    Row("brotli that is none", (answer(200, GOOD_B64, "Content-Encoding: br"),), flux.UnexpectedResponseError),
    Row("picture expired", GOOD_URL, flux.ImageDownloadError, picture=(answer(403, b"expired"),), says="expired"),
    Row("picture host fails", GOOD_URL, flux.ImageDownloadError, picture=(answer(500, b""),), says="paid for"),
    Row("picture is a page", GOOD_URL, flux.ImageDownloadError, picture=(answer(200, PAGE, HTML),), says="web page"),
    Row("picture is cut", GOOD_URL, flux.ImageDownloadError, picture=(answer(200, PNG[:-20]),), says="cut"),
    Row("picture breaks off", GOOD_URL, flux.ImageDownloadError, picture=(answer(200, PNG[:-20], length=len(PNG)),)),
    Row("picture is empty", GOOD_URL, flux.ImageDownloadError, picture=(answer(200, b""),), says="empty"),
    Row(
        "picture redirects",
        GOOD_URL,
        flux.ImageDownloadError,
        picture=(answer(302, b"", "Location: /picture.png", "Set-Cookie: a=b"),),
        says="redirects more than 5 times",
    ),
]

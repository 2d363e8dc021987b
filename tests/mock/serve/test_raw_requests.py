"""What a stranger may send over a socket, and what comes back: never a 5xx, a hang or a crash."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING

import pytest
from brotli import compress as brotli  # type: ignore[import-untyped]  # pyright: ignore[reportUnknownVariableType]  # untyped

from tests.mock.wire import GOOD, JSON, KEY, Reply, exchange, post

if TYPE_CHECKING:
    from flux_images_mock import MockServer

BROTLI_GOOD: bytes = brotli(GOOD)
BROTLI_BOMB: bytes = brotli(b" " * 50_000_000)
GZIP = KEY + JSON + b"Content-Encoding: gzip\r\n"
DEFLATE = KEY + JSON + b"Content-Encoding: deflate\r\n"
BROTLI = KEY + JSON + b"Content-Encoding: br\r\n"
CHUNKED = b"POST /v1/images/generations HTTP/1.1\r\nHost: mock\r\n" + KEY + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
UPGRADE = CHUNKED.replace(JSON, JSON + b"Connection: Upgrade\r\nUpgrade: websocket\r\n")
LINE = b"POST /v1/images/generations HTTP/1.1\r\nHost: mock\r\n"


def nested(depth: int) -> bytes:
    return b'{"model":"m","prompt":"p","x":' + b"[" * depth + b"]" * depth + b"}"


def number(digits: int) -> bytes:
    return b'{"model":"m","prompt":"p","seed":' + b"1" * digits + b"}"


BODIES = {
    "good": (post(GOOD), 200, ""),
    "empty": (post(b""), 400, "a body"),
    "white space": (post(b"   "), 400, "JSON"),
    "cut JSON": (post(b'{"model":'), 400, "JSON"),
    "trailing comma": (post(b'{"model":"m","prompt":"p",}'), 400, "JSON"),
    "two values": (post(GOOD + GOOD), 400, "JSON"),
    "a comment": (post(b'{"model":"m" /* x */,"prompt":"p"}'), 400, "JSON"),
    "NaN": (post(b'{"model":"m","prompt":"p","seed":NaN}'), 400, "JSON"),
    "Infinity": (post(b'{"model":"m","prompt":"p","seed":Infinity}'), 400, "JSON"),
    "BOM": (post(b"\xef\xbb\xbf" + GOOD), 400, "JSON"),
    "UTF-16": (post(GOOD.decode().encode("utf-16")), 400, "JSON"),
    "invalid UTF-8": (post(b'{"model":"m","prompt":"\xff"}'), 400, "JSON"),
    "overlong UTF-8": (post(b'{"model":"m","prompt":"\xc0\xaf"}'), 400, "JSON"),
    "a lone surrogate": (post(b'{"model":"m","prompt":"\\ud800"}'), 400, "JSON"),
    "NUL in a string": (post(b'{"model":"m","prompt":"\x00"}'), 400, "JSON"),
    "escaped NUL": (post(b'{"model":"m","prompt":"\\u0000"}'), 200, ""),
    "a key twice": (post(b'{"model":"m","prompt":"a","prompt":"b"}'), 400, "/prompt: expected each key once"),
    "a key twice, once escaped": (
        post(b'{"model":"m","prompt":"a","pr\\u006fmpt":"b"}'),
        400,
        "/prompt: expected each",
    ),
    "a key twice, spaced": (post(b'{"model":"m","prompt":"a","prompt" :"b"}'), 400, "/prompt: expected each key once"),
    "a key twice, deep down": (post(b'{"model":"m","prompt":"a","x":[{"y":1,"y":2}]}'), 400, "/x/0/y: expected each"),
    "a key in a string": (post(b'{"model":"m","prompt":"\\"prompt\\": 1","a":"b\\":"}'), 200, ""),
    "nesting 200 deep": (post(nested(200)), 200, ""),
    "nesting 900 deep": (post(nested(900)), 200, ""),
    "nesting 100,000 deep": (post(nested(100_000)), 400, "JSON"),
    "an integer of 400 kB": (post(number(400_000)), 400, "JSON"),
    "a fraction of 400 kB": (post(b'{"model":"m","prompt":"p","seed":1.' + b"0" * 400_000 + b"}"), 200, ""),
    "an integer past 64 bits": (post(number(25)), 200, ""),
    "an array": (post(b"[]"), 400, "an object"),
    "null": (post(b"null"), 400, "an object"),
    "a string": (post(b'"x"'), 400, "an object"),
    "a prompt of 900 kB": (post(b'{"model":"m","prompt":"' + b"x" * 900_000 + b'"}'), 200, ""),
    "past the limit": (post(b" " * (1024 * 1024 + 1)), 413, "1048576"),
    "far past the limit, unsent": (LINE + KEY + JSON + b"Content-Length: 99999999999\r\n\r\n", 413, "1048576"),
    "gzip": (post(gzip.compress(GOOD), GZIP), 200, ""),
    "gzip in two members": (post(gzip.compress(GOOD[:9]) + gzip.compress(GOOD[9:]), GZIP), 200, ""),
    "deflate": (post(zlib.compress(GOOD), DEFLATE), 200, ""),
    "br": (post(BROTLI_GOOD, BROTLI), 200, ""),
    "gzip that isn't": (post(GOOD, GZIP), 400, "Content-Encoding"),
    "br that isn't": (post(GOOD, BROTLI), 400, "Content-Encoding"),
    "gzip cut short": (post(gzip.compress(GOOD)[:-9], GZIP), 400, "Content-Encoding"),
    "a gzip bomb": (post(gzip.compress(b" " * 50_000_000), GZIP), 413, "1048576"),
    "a br bomb": (post(BROTLI_BOMB, BROTLI), 413, "1048576"),
    "an unknown encoding": (post(GOOD, KEY + JSON + b"Content-Encoding: zip\r\n"), 400, "gzip"),
    "many encodings": (post(GOOD, KEY + JSON + b"Content-Encoding: gzip, gzip, gzip\r\n"), 400, "at most"),
}

TYPES = {
    "charset": (KEY + b"Content-Type: application/json; charset=utf-8\r\n", 200),
    "quoted charset": (KEY + b'Content-Type: application/json; charset="UTF-8"\r\n', 200),
    "upper case": (KEY + b"Content-Type: APPLICATION/JSON\r\n", 200),
    "another charset": (KEY + b"Content-Type: application/json; charset=utf-16\r\n", 400),
    "another type": (KEY + b"Content-Type: text/plain\r\n", 400),
    "no type": (KEY, 400),
    "an empty type": (KEY + b"Content-Type:\r\n", 400),
    "nonsense": (KEY + b"Content-Type: ;;;=\r\n", 400),
}

LINES = {
    "chunked": (CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD), [200]),
    "chunked, with a trailer": (CHUNKED + b"%x;a=b\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(GOOD), GOOD), [200]),
    "a broken chunk": (CHUNKED + b"zz\r\n", [400]),
    "a negative chunk": (CHUNKED + b"-1\r\n", [400]),
    "chunks past the limit": (CHUNKED + b"200000\r\n" + b" " * 0x200000 + b"\r\n0\r\n\r\n", [413]),
    "a length and chunks": (
        CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD),
        [400],
    ),
    "two lengths": (LINE + KEY + JSON + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", [400]),
    "a length twice": (LINE + KEY + JSON + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", [400]),
    "a negative length": (LINE + KEY + JSON + b"Content-Length: -2\r\n\r\n{}", [400]),
    "a length that is no number": (LINE + KEY + JSON + b"Content-Length: two\r\n\r\n{}", [400]),
    "a length of 30 digits": (LINE + KEY + JSON + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", [400]),
    "100 kB in one header": (LINE + KEY + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n", [431]),
    "20,000 headers": (LINE + KEY + b"".join(b"X-%d: y\r\n" % index for index in range(20_000)) + b"\r\n", [431]),
    "100 kB of path": (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: mock\r\n\r\n", [431]),
    "two requests in one go": (post(GOOD) + post(b"{}"), [200, 400]),
    "a good one, then nonsense": (post(GOOD) + b"nonsense\r\n\r\n", [200, 400]),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", [400]),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", [400]),
    "HTTP/1.0 without Host": (b"GET / HTTP/1.0\r\n\r\n", [404]),
    "HTTP/3.0": (b"GET / HTTP/3.0\r\nHost: mock\r\n\r\n", [400]),
    "nonsense": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400]),
    "an unknown method": (b"FETCH /v1/images/generations HTTP/1.1\r\nHost: mock\r\n\r\n", [400]),
    "a bare line feed in a header": (b"GET / HTTP/1.1\r\nHost: mock\r\nX: a\nb\r\n\r\n", [400]),
    "NUL in a header": (b"GET / HTTP/1.1\r\nHost: mock\r\nX: \x00\r\n\r\n", [400]),
    "a space before a colon": (b"GET / HTTP/1.1\r\nHost : mock\r\n\r\n", [400]),
    "HEAD": (b"HEAD /v1/images/generations HTTP/1.1\r\nHost: mock\r\n\r\n", [404]),
    "OPTIONS": (b"OPTIONS /v1/images/generations HTTP/1.1\r\nHost: mock\r\n\r\n", [404]),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nHost: mock\r\n\r\n", [404]),
    "CONNECT": (b"CONNECT mock:443 HTTP/1.1\r\nHost: mock\r\n\r\n", [400]),
    "absolute form": (post(GOOD, path=b"http://mock/v1/images/generations"), [200]),
    "an encoded letter": (post(GOOD, path=b"/v1/%69mages/generations"), [200]),
    "an encoded slash": (post(GOOD, path=b"/v1%2Fimages/generations"), [404]),
    "a dotted path": (post(GOOD, path=b"/v1/../v1/images/generations"), [404]),
    "a doubled slash": (post(GOOD, path=b"//v1/images/generations"), [404]),
    "a slash at the end": (post(GOOD, path=b"/v1/images/generations/"), [404]),
    "bad percent signs": (post(GOOD, path=b"/v1/%zz/%"), [404]),
    "bytes in a path": (post(GOOD, path=b"/v1/\xff"), [400]),
    "an unknown query": (post(GOOD, path=b"/v1/images/generations?a=%ff&&=;b"), [200]),
    "two Authorization headers": (post(GOOD, KEY + KEY + JSON), [400]),
    "Expect, with a key": (post(GOOD, KEY + JSON + b"Expect: 100-continue\r\n"), [100, 200]),
    "Expect, without": (LINE + JSON + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", [401]),
    "an upgrade that isn't taken": (post(GOOD, KEY + JSON + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"), [200]),
    "an upgrade with chunks": (UPGRADE + b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD), [200]),
    "an upgrade without a body": (
        b"GET / HTTP/1.1\r\nHost: mock\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        [404],
    ),
    "a refusal before its body came": (LINE + JSON + b"Content-Length: 100\r\n\r\n", [401]),
}


def message_of(reply: Reply) -> str:
    message: str = json.loads(reply.body).get("error", {}).get("message", "")
    return message


@pytest.mark.parametrize(("request_bytes", "status", "part"), BODIES.values(), ids=BODIES)
def test_body(request_bytes: bytes, status: int, part: str, server: MockServer) -> None:
    """Each body gets its status, and a refusal says what was expected."""
    (reply,) = exchange(server.url, request_bytes)
    assert reply.status == status, reply.body[:300]
    assert part in message_of(reply)


@pytest.mark.parametrize(("head", "status"), TYPES.values(), ids=TYPES)
def test_media_type(head: bytes, status: int, server: MockServer) -> None:
    """A media type is read as RFC 9110 has it, and any but the declared one is refused."""
    (reply,) = exchange(server.url, post(GOOD, head))
    assert reply.status == status
    assert status == 200 or "Content-Type" in message_of(reply)


@pytest.mark.parametrize(("request_bytes", "statuses"), LINES.values(), ids=LINES)
def test_line_and_framing(request_bytes: bytes, statuses: list[int], server: MockServer) -> None:
    """Each request line, header block and framing gets its answers, in order."""
    assert [reply.status for reply in exchange(server.url, request_bytes)] == statuses

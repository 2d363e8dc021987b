"""What gateways put around an answer, which every transport reads alike: the picture was paid for."""

from __future__ import annotations

import json

import pytest

from flux_images._send.network import Answers
from tests.sdk.answering import INLINE, PNG
from tests.sdk.conftest import Buy
from tests.sdk.raw_server import raw_server, stall
from tests.sdk.send.conftest import buy_twice

BODY = json.dumps(INLINE, indent=1).replace('": ', '" : ').encode()
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + LENGTH + b"\r\n" + BODY

ANSWERS: dict[str, bytes] = {
    "as it should be": WHOLE,
    "an empty line before the status line": b"\r\n" + WHOLE,
    "a blank before a colon": OK + b"Server : x\r\nX-A  : b : c\r\n" + LENGTH + b"\r\n" + BODY,
    "a blank before the length's colon": OK + LENGTH.replace(b":", b" :") + b"\r\n" + BODY,
    "a header of 60,000 bytes": OK + b"X: " + b"x" * 60_000 + b"\r\n" + LENGTH + b"\r\n" + BODY,
    "500 headers": OK + b"".join(b"X-%d: x\r\n" % number for number in range(500)) + LENGTH + b"\r\n" + BODY,
    "a doubled length": OK + LENGTH + b"X: x\r\n" + LENGTH.lower() + b"\r\n" + BODY,
    "a length that chunks overrule": OK + b"Content-Length: 7\r\n" + CHUNKED,
    "bytes after the body": WHOLE + b"\r\nHTTP/1.1 418 x\r\n\r\n",
    "bytes after the body, then closed": OK + b"Connection: close\r\n" + LENGTH + b"\r\n" + BODY + b"\r\nx",
    "lines that end with LF": OK.replace(b"\r", b"") + LENGTH.replace(b"\r", b"") + b"\n" + BODY,
    "no length": OK + b"\r\n" + BODY,
    "an answer before the answer": b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + WHOLE,
}


@pytest.mark.parametrize("whole", ANSWERS.values(), ids=ANSWERS)
def test_every_transport_reads_what_gateways_write(whole: bytes, buy: Buy) -> None:
    """In one piece, which is how they come."""
    with raw_server([whole]) as server:
        assert buy(server.url)[1] == [PNG]
        assert len(server.posts) == 1


@pytest.mark.parametrize("size", [1, 2, 7, 60])
def test_the_pieces_may_be_small(size: int) -> None:
    """The empty line goes all the same, and the rest is as it was."""
    whole = b"\r\n\r\n" + ANSWERS["500 headers"]
    answers = Answers()
    pieces = [answers.took(whole[start : start + size]) for start in range(0, len(whole), size)]
    assert b"".join(pieces) == ANSWERS["500 headers"]


def test_what_follows_an_answer_is_not_taken_for_the_next(way: str) -> None:
    """A connection over which more came than was promised is used no more."""
    with raw_server([ANSWERS["bytes after the body"], stall]) as server:
        buy_twice(way, server.url, timeout=20)
        assert server.connections == 2

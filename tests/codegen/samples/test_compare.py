"""Whatever a sample sends that it should not is found: each row is one slip."""

from __future__ import annotations

import json

import pytest

from codegen.samples.request import SampleRequest
from codegen.samples.run import swift
from codegen.samples.run.compare import USED_KEY, differences
from codegen.samples.run.recorder import Received

REQUEST = SampleRequest("create_image", "POST", "https://gateway.example", "/v1/images", {"prompt": "$HOME 雪 \u2028"})
RIGHT = Received(
    "POST",
    "/v1/images",
    {"authorization": f"Bearer {USED_KEY}", "content-type": "application/json"},
    json.dumps(REQUEST.body).encode(),
    200,
)
SLIPS = {
    "method": RIGHT._replace(method="GET"),
    "path": RIGHT._replace(path="/v1/images/"),
    "key": RIGHT._replace(headers={**RIGHT.headers, "authorization": USED_KEY}),
    "no key": RIGHT._replace(headers={"content-type": "application/json"}),
    "content type": RIGHT._replace(headers={**RIGHT.headers, "content-type": "text/plain"}),
    "prompt expanded": RIGHT._replace(body=b'{"prompt": "/root \xe9\x9b\xaa \\u2028"}'),
    "prompt cut": RIGHT._replace(body=b'{"prompt": "$HOME"}'),
    "not UTF-8": RIGHT._replace(body="雪".encode("gb2312")),
    "not JSON": RIGHT._replace(body=b"{'prompt': 1}"),
    "refused": RIGHT._replace(status=400),
}


def test_what_a_right_sample_sends_has_no_differences() -> None:
    """Nor does the character set that two languages add, or another way to write the same JSON."""
    typed = {**RIGHT.headers, "content-type": "application/json; charset=utf-8"}
    unescaped = json.dumps(REQUEST.body, ensure_ascii=False).encode()
    assert differences([RIGHT], REQUEST) == differences([RIGHT._replace(headers=typed, body=unescaped)], REQUEST) == []


@pytest.mark.parametrize("sent", SLIPS.values(), ids=SLIPS)
def test_a_slip_is_found(sent: Received) -> None:
    """One difference for one slip."""
    assert len(differences([sent], REQUEST)) == 1


@pytest.mark.parametrize("received", [[], [RIGHT, RIGHT]])
def test_a_sample_sends_once(received: list[Received]) -> None:
    """Twice would be billed twice."""
    assert differences(received, REQUEST)


SWIFT = r"""
import Foundation
let parameters = "{\"prompt\": \"$HOME 雪 \u{2028}\"}"
var request = URLRequest(url: URL(string: "https://gateway.example/v1/images")!)
request.addValue("Bearer YOUR_API_KEY", forHTTPHeaderField: "Authorization")
request.addValue("application/json", forHTTPHeaderField: "Content-Type")
request.httpMethod = "POST"
"""


def test_a_swift_sample_is_read() -> None:
    """Its literals are what it sends."""
    assert swift.differences(SWIFT, REQUEST) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("$HOME", r"\(home)"),
        ("$HOME", "HOME"),
        ("/v1/images", "/v1"),
        ("Bearer ", ""),
        ('"POST"', '"'),
        ("let", "let let ="),
    ],
)
def test_a_wrong_swift_sample_is_found(before: str, after: str) -> None:
    """A prompt that is evaluated, other literals, and what is not Swift."""
    assert swift.differences(SWIFT.replace(before, after, 1), REQUEST)

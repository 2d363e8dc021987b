"""Answers as relays were seen to give them, all with a paid picture in them or on its way, and what a caller gets.

Each row says what the body is and where the picture stands in it. Sources: field reports of 2025 and 2026 on relays
that imitate the operation, and the services that they pass on.
"""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from typing import Any

import flux_images as flux
from tests.sdk.pictures import picture

PNG = picture("PNG", (40, 30))
"""Small enough to be taken from the document's text."""
LARGE = picture("PNG", (80, 61), compress_level=0)
"""Large enough to be taken out while it streams in."""
B64, LARGE_B64 = (base64.b64encode(data).decode() for data in (PNG, LARGE))
URL = "{server}/a.png"
"""Where the test's server has the same picture."""


@dataclass(frozen=True)
class Odd:
    """One answer. Without ``error``, ``pictures`` whole pictures are had, and a deviation says ``differs``."""

    name: str
    body: bytes
    status: int = 200
    content_type: str = "application/json"
    pictures: int = 1
    differs: str = ""
    error: type[flux.FluxImagesError] | None = None
    says: str = ""
    cut: int | None = None
    """How many bytes of the body come before the connection breaks; all of them and a proper end if None."""
    headers: tuple[str, ...] = ()
    asked: int = 1


def _json(name: str, document: Any, differs: str = "", **others: Any) -> Odd:
    return Odd(name, json.dumps(document, ensure_ascii=False).encode(), differs=differs, **others)


def _lines(text: str, width: int = 76) -> str:
    return "\n".join(text[start : start + width] for start in range(0, len(text), width))


def _events(*events: tuple[str, Any], end: bytes = b"data: [DONE]\n\n") -> bytes:
    lines = b""
    for name, document in events:
        text = document if isinstance(document, str) else json.dumps(document)
        lines += f"event: {name}\ndata: {text}\n\n".encode()
    return lines + end


def _cut(name: str, document: Any, keep: str, **others: Any) -> Odd:
    """The answer breaks off behind ``keep``."""
    body = json.dumps(document).encode()
    return Odd(name, body, cut=body.index(keep.encode()) + len(keep), **others)


_SAFE = LARGE_B64.translate(str.maketrans("+/", "-_"))
_COMPLETED = "image_generation.completed"
_PARTIAL = "image_generation.partial_image"
_TWO = {"data": [{"b64_json": LARGE_B64}, {"b64_json": B64, "url": URL}]}

SHAPES = (
    _json("images of fal", {"images": [{"url": URL}], "seed": 3, "timings": {}}, "pictures at /images"),
    _json("output of Replicate", {"output": [URL], "status": "succeeded"}, "pictures at /output"),
    _json("output as one text", {"output": URL, "status": "succeeded"}, "pictures at /output"),
    _json("data as an object", {"data": {"url": URL}}, "/data: expected"),
    _json("data as addresses", {"data": [URL]}, "/data/0: expected"),
    _json("data as one address", {"data": URL}, "/data: expected"),
    _json("data as JSON inside a string", {"data": json.dumps([{"url": URL}])}, "/data: expected"),
    _json("url as a list", {"data": [{"url": [URL]}]}, "/data/0/url: expected"),
    _json("a wrapper", {"code": 0, "msg": "ok", "data": [{"url": URL}]}),
    _json("a wrapper with 200", {"code": 200, "msg": "ok", "data": {"images": [{"url": URL}]}}, "/data/images"),
    _json("a wrapper around data", {"code": 0, "data": {"data": [{"url": URL}]}}, "/data/data"),
    _json("a null among the entries", {"data": [None, {"url": URL}]}, "/data/0: expected", asked=2),
    _json("a number among the entries", {"data": [{"url": URL}, 7]}, "/data/1: expected"),
    _json("b64", {"data": [{"b64": LARGE_B64}]}, "/data/0/b64: expected"),
    _json("image", {"data": [{"image": LARGE_B64}]}, "/data/0/image: expected"),
    _json("image as an object", {"data": [{"image": {"url": URL}}]}),
    _json("a task that is done", {"status": "completed", "result": {"images": [{"url": [URL]}]}}, "/result/images"),
    _json("the makers' own", {"status": "Ready", "result": {"sample": URL}}, "pictures at /result"),
    _json("an entry alone", {"url": URL, "b64_json": "", "revised_prompt": ""}, "pictures at /"),
    _json("a list alone", [{"url": URL}], "pictures at /"),
    *(
        _json(f"status {code}", {"data": [{"url": URL}]}, f"status {code}", status=code)
        for code in (201, 202, 203, 206)
    ),
    _json("several, in all ways", {"data": [{"url": URL}, {"b64_json": B64}, URL]}, "/data/2", pictures=3, asked=3),
    _json("metadata with an address", {"data": [{"url": URL}], "metadata": {"url": "https://elsewhere.example/b.png"}}),
    _json("an error beside a picture", {"error": {"message": "slow"}, "data": [{"url": URL}]}, "/error: expected"),
)
VALUES = (
    _json("created as a string", {"created": "1589478378", "data": [{"url": URL}]}, "/created: expected"),
    _json("created as a float", {"created": 1589478378.25, "data": [{"url": URL}]}, "/created: expected"),
    _json("created as a date", {"created": "2026-01-01T00:00:00Z", "data": [{"url": URL}]}, "/created: expected"),
    _json("metadata as a string", {"data": [{"url": URL}], "metadata": "x"}, "/metadata: expected"),
    _json("metadata as a list", {"data": [{"url": URL}], "metadata": [1]}, "/metadata: expected"),
    _json("revised_prompt as an object", {"data": [{"url": URL, "revised_prompt": {}}]}, "revised_prompt: expected"),
    _json("base64 in lines", {"data": [{"b64_json": _lines(LARGE_B64)}]}),
    _json("base64 in lines, small", {"data": [{"b64_json": _lines(B64)}]}),
    _json("base64, URL-safe", {"data": [{"b64_json": _SAFE}]}),
    _json("base64 without padding", {"data": [{"b64_json": LARGE_B64.rstrip("=")}]}),
    _json("base64 behind a prefix", {"data": [{"b64_json": "data:image/png;base64," + LARGE_B64}]}),
    _json("base64 behind a prefix, in lines", {"data": [{"b64_json": "data:image/png;base64," + _lines(LARGE_B64)}]}),
    _json(
        "url as a large data: URI", {"data": [{"url": "data:image/png;base64," + LARGE_B64}]}, "/data/0/url: expected"
    ),
    _json("url as a small data: URI", {"data": [{"url": "data:image/png;base64," + B64}]}, "/data/0/url: expected"),
    _json("url as base64", {"data": [{"url": LARGE_B64}]}),
    _json("an address in b64_json", {"data": [{"b64_json": URL}]}),
    _json("url relative to the gateway", {"data": [{"url": "/a.png"}]}, "/data/0/url: expected"),
    _json("url relative, without a slash", {"data": [{"url": "a.png"}]}, "/data/0/url: expected"),
    _json("url with spaces around it", {"data": [{"url": f" {URL}\n"}]}, "/data/0/url: expected"),
    _json("broken base64 beside an address", {"data": [{"b64_json": B64 + "!", "url": URL}]}, "base64"),
    _json(
        "large broken base64 beside an address", {"data": [{"b64_json": LARGE_B64[:-9] + "=AAA", "url": URL}]}, "base64"
    ),
    _json("text in b64_json beside an address", {"data": [{"b64_json": "aGVsbG8h", "url": URL}]}, "something else"),
    _json("one broken of two", {"data": [{"b64_json": "!!"}, {"url": URL}]}, "/data/0/b64_json", asked=2),
    Odd("white space before it", b" \r\n" * 5000 + json.dumps({"data": [{"b64_json": LARGE_B64}]}).encode()),
    Odd("a byte order mark", b"\xef\xbb\xbf" + json.dumps({"data": [{"url": URL}]}).encode()),
    Odd("NaN", b'{"created":NaN,"data":[{"url":"%s"}],"x":Infinity}' % URL.encode()),
    Odd("no media type", json.dumps({"data": [{"url": URL}]}).encode(), content_type="text/plain"),
    Odd("a web page's label", json.dumps({"data": [{"url": URL}]}).encode(), content_type="text/html"),
)
ENDS = (
    _cut("cut behind the base64", {"data": [{"b64_json": LARGE_B64}], "created": 1}, LARGE_B64, differs="whole answer"),
    _cut("cut behind its quote", {"data": [{"b64_json": LARGE_B64}], "created": 1}, LARGE_B64 + '"', differs="whole"),
    _cut("cut in the second of two", _TWO, LARGE_B64 + '"}, {"b64_json": "' + B64[:40], differs="whole", asked=2),
    _cut("cut behind a whole address", {"data": [{"url": URL}], "created": 1}, '"}', differs="a whole answer"),
    Odd("no end, in a whole message", json.dumps(_TWO).encode()[:-40], differs="whole", asked=2),
    _cut("cut in an address", {"data": [{"url": URL}]}, '{"url": "{se', error=flux.UnexpectedResponseError),
    _cut("cut in base64", {"data": [{"b64_json": LARGE_B64}]}, LARGE_B64[:9000], error=flux.UnexpectedResponseError),
    Odd(
        "gzip without its end", gzip.compress(json.dumps({"data": [{"b64_json": LARGE_B64}]}).encode())[:-8],
        headers=("Content-Encoding: gzip",),
    ),
)  # fmt: skip
_DONE = (_COMPLETED, {"type": _COMPLETED, "b64_json": LARGE_B64})
_SKETCH = (_PARTIAL, {"type": _PARTIAL, "b64_json": B64})
_LATE = _events((_COMPLETED, {"b64_json": LARGE_B64, "created": 1}))
_STREAMS: tuple[tuple[str, bytes, dict[str, Any]], ...] = (
    ("events", _events(_DONE), {}),
    ("events, sketches before", _events(_SKETCH, _SKETCH, _DONE), {}),
    ("events, an answer in one", _events(("message", {"data": [{"url": URL}]})), {}),
    ("events, no end", _events(_DONE, end=b"")[:-2], {}),
    ("events, two pictures", _events(_DONE, (_COMPLETED, {"b64_json": B64})), {"pictures": 2, "asked": 2}),
    ("events, CRLF", _events(_DONE).replace(b"\n", b"\r\n"), {}),
    ("events, cut behind the picture", _LATE, {"cut": _LATE.index(LARGE_B64[-9:].encode()) + 9}),
)
EVENTS = (
    *(
        Odd(f"{name}, {label}", body, content_type=kind, differs="server-sent events", **others)
        for label, kind in (("labelled", "text/event-stream; charset=utf-8"), ("as JSON", "application/json"))
        for name, body, others in _STREAMS
    ),
    Odd("a sketch alone", _events(_SKETCH), content_type="text/event-stream", error=flux.EmptyGenerationError),
)
TASKS = (
    _json("a task in a list", {"code": 200, "data": [{"status": "submitted", "task_id": "t-1"}]}),
    _json("a task in data", {"data": {"task_id": "t-1", "status": "submitted"}}),
    _json("a task as the answer", {"id": "t-1", "status": "pending"}, status=202),
    _json("a task of a queue", {"request_id": "r", "task_id": "t-1", "status": "IN_PROGRESS"}),
    _cut("a task, cut", {"data": {"task_id": "t-1", "status": "submitted"}, "x": 1}, '"submitted"}'),
)
NOTHING = (
    _json("nothing", {}, error=flux.EmptyGenerationError),
    _json("data null", {"data": None}, error=flux.EmptyGenerationError),
    _json("data empty", {"data": []}, error=flux.EmptyGenerationError),
    _json("url null", {"data": [{"url": None}]}, error=flux.EmptyGenerationError),
    _json("created wrong and nothing", {"created": "x", "data": []}, error=flux.EmptyGenerationError),
    _json("data a number", {"data": 5}, error=flux.UnexpectedResponseError, says="/data"),
    _json("a word", "hello", error=flux.UnexpectedResponseError),
    _json("base64 alone, broken", {"data": [{"b64_json": "!!!!"}]}, error=flux.UnexpectedResponseError, says="base64"),
    Odd("an address that is not UTF-8", b'{"data":[{"url":"{server}/\xff.png"}]}', error=flux.UnexpectedResponseError),
    Odd("no body", b"", error=flux.UnexpectedResponseError, says="JSON"),
    Odd("a page", b"<!doctype html>", content_type="text/html", error=flux.UnexpectedResponseError, says="web page"),
)  # fmt: skip
ERRORS = (
    _json("detail", {"detail": "no such model"}, status=400, error=flux.BadRequestError, says="400: no such model"),
    _json(
        "a list of details",
        {"detail": [{"loc": ["body", "n"], "msg": "too many"}, {"msg": "no"}]},
        status=422,
        error=flux.BadRequestError,
        says="body.n: too many; no",
    ),
    _json("errors", {"errors": ["one", "two"]}, status=400, error=flux.BadRequestError, says="one; two"),
    _json(
        "code and msg", {"code": 40001, "msg": "no credit"}, status=400, error=flux.BadRequestError, says="no credit"
    ),
    _json("code and msg in a success", {"code": 40001, "msg": "busy"}, error=flux.APIStatusError, says="40001: busy"),
    _json("success false", {"success": False, "message": "later"}, error=flux.APIStatusError, says="later"),
    _json(
        "a rate that is called a quota",
        {"error": {"message": "quota exceeded for requests per minute", "retry_after": 120}},
        status=429,
        error=flux.RateLimitError,
        says="per minute",
    ),
    _json(
        "a full queue",
        {"error": {"message": "image queue is full", "retry_after": 120}},
        status=503,
        error=flux.ModelUnavailableError,
        says="queue is full",
    ),
)
FREE = {"detail", "a list of details", "errors", "code and msg", "a rate that is called a quota", "a full queue"}
"""What surely cost nothing."""

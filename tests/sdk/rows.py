"""Every row of what gateways of this family were seen to do, and what a caller must get.

A row says what the server does to the POST (or to the GET of the picture), which error the caller gets, whether
the call may have been billed, and how many times the POST may be sent.
"""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

import flux_images as flux
from tests.sdk.pictures import picture
from tests.sdk.raw_server import Reply, answer, reset, stall

ID = "2026112209301512345678abcdefgh"
PNG = picture()
B64 = base64.b64encode(PNG).decode()
JSON = "Content-Type: application/json"
HTML = "Content-Type: text/html; charset=utf-8"
HAS_ID = f"X-Oneapi-Request-Id: {ID}"
PAGE = b"<!DOCTYPE html><html><head><title>x</title></head><body>524: A timeout occurred</body></html>"


@dataclass(frozen=True)
class Row:
    """One behaviour and its outcome. Without an ``error`` the call succeeds with ``pictures`` pictures."""

    name: str
    reply: Reply
    error: type[flux.FluxImagesError] | None = None
    billed: bool = True
    posts: int = 1
    pictures: int = 1
    code: str | None = None
    request_id: str | None = None
    says: str = ""
    picture: Reply = (answer(200, PNG, "Content-Type: image/png"),)
    fields: dict[str, Any] = field(default_factory=dict[str, Any])


def _json(status: int, document: object, *headers: str) -> Reply:
    return (answer(status, json.dumps(document, ensure_ascii=False).encode(), JSON, *headers),)


def middleware(status: int, message: str, kind: str = "one_api_error") -> Reply:
    """An error of the gateway's middleware: no param, no code, the id in the message."""
    return _json(status, {"error": {"message": f"{message} (request id: {ID})", "type": kind}})


def relay(status: int, message: str, code: Any, *, kind: str = "new_api_error", param: str = "") -> Reply:
    """An error of the gateway's relay."""
    return _json(status, {"error": {"message": message, "type": kind, "param": param, "code": code}}, HAS_ID)


def success(document: object) -> Reply:
    """A 200."""
    return _json(200, document, HAS_ID)


def _upstream(status: int) -> Reply:
    return relay(
        status,
        f"bad response status code {status}",
        "bad_response_status_code",
        kind="upstream_error",
        param=str(status),
    )


URL = {"url": "{server}/picture.png?sig=1"}
GOOD_URL = success({"created": 1589478378, "data": [URL]})
_GOOD_B64 = json.dumps({"created": 1, "data": [{"b64_json": B64}]}).encode()

ERRORS = [  # field facts, section 3
    Row("no token", middleware(401, "未提供令牌"), flux.AuthenticationError, False, request_id=ID),
    Row("bad token", middleware(401, "无效的令牌"), flux.AuthenticationError, False, request_id=ID),
    Row("expired token", middleware(401, "该令牌已过期"), flux.AuthenticationError, False, request_id=ID),
    Row("disabled token", middleware(401, "该令牌状态不可用"), flux.AuthenticationError, False, request_id=ID),
    Row("token quota", middleware(401, "该令牌额度已用尽"), flux.QuotaExceededError, False, request_id=ID),
    Row("token quota, masked key", middleware(401, "[sk-abc***xyz] 该令牌额度已用尽"), flux.QuotaExceededError, False),
    Row(
        "user quota",
        relay(403, "用户额度不足", "insufficient_user_quota"),
        flux.QuotaExceededError,
        False,
        code="insufficient_user_quota",
        request_id=ID,
    ),
    Row("user quota by words", middleware(403, "user quota is not enough"), flux.QuotaExceededError, False),
    Row("user quota as 400", relay(400, "x", "insufficient_user_quota"), flux.QuotaExceededError, False),
    Row("quota as 429", relay(429, "x", "insufficient_quota"), flux.QuotaExceededError, False),
    Row("payment required", relay(402, "pay", None), flux.QuotaExceededError, False),
    Row("banned user", middleware(403, "用户已被封禁"), flux.PermissionDeniedError, False),
    Row("model not allowed", middleware(403, "该令牌无权访问模型 flux-2-max"), flux.PermissionDeniedError, False),
    Row(
        "no channel",
        middleware(503, "当前分组 default 下对于模型 flux-9 无可用渠道"),
        flux.ModelUnavailableError,
        False,
        posts=3,
    ),
    Row("no channel, in English", middleware(503, "no available channel"), flux.ModelUnavailableError, False, posts=3),
    Row(
        "no channel by code",
        relay(503, "x", "model_not_found"),
        flux.ModelUnavailableError,
        False,
        posts=3,
        code="model_not_found",
    ),
    Row("malformed JSON", relay(400, "invalid character", "invalid_request"), flux.BadRequestError, False),
    Row("prompt missing", relay(400, "prompt is required", "prompt_missing"), flux.BadRequestError, False),
    Row(
        "prompt missing, newer", relay(400, "prompt is required", "invalid_image_request"), flux.BadRequestError, False
    ),
    Row(
        "sensitive prompt", relay(400, "sensitive words detected", "invalid_image_request"), flux.ModerationError, False
    ),
    Row(
        "sensitive prompt, in Chinese", relay(400, "检测到敏感词", "invalid_image_request"), flux.ModerationError, False
    ),
    Row("input moderated", relay(400, "Request Moderated", None), flux.ModerationError, False),
    Row("output moderated", relay(400, "Content Moderated", None), flux.ModerationError, True),
    Row("upstream 429", relay(429, "当前分组上游负载已饱和，请稍后再试", None), flux.RateLimitError, False, posts=3),
    Row("limiter, empty body", (answer(429, b"", HAS_ID),), flux.RateLimitError, False, posts=3, request_id=ID),
    Row("429 with a short wait", (answer(429, b"", "Retry-After: 0"),), flux.RateLimitError, False, posts=3),
    Row("429 with a long wait", (answer(429, b"", "Retry-After: 300"),), flux.RateLimitError, False),
    Row("cannot reach upstream", relay(500, "do request failed", "do_request_failed"), flux.InternalServerError),
    Row("upstream 502", _upstream(502), flux.InternalServerError, code="bad_response_status_code"),
    Row("upstream 504", _upstream(504), flux.GatewayTimeoutError),
    Row("upstream 418", _upstream(418), flux.APIStatusError),
    Row("panic", middleware(500, "Panic detected", "one_api_panic"), flux.InternalServerError),
    Row("panic, newer", middleware(500, "Panic detected", "new_api_panic"), flux.InternalServerError),
    Row("body too large", relay(413, "too large", "read_request_body_failed"), flux.PayloadTooLargeError, False),
    Row("wrong path", relay(404, "Invalid URL (POST /v1/x)", ""), flux.NotFoundError, False, says="check the base URL"),
    Row("web page", (answer(200, PAGE, HTML),), flux.UnexpectedResponseError, says="is it the wrong host?"),
    Row("code is a number", relay(500, "x", 17), flux.InternalServerError, code="17"),
    Row("code is an object", relay(500, "x", {"a": 1}), flux.InternalServerError, code='{"a": 1}'),
    Row("error is a string", _json(500, {"error": "boom"}), flux.InternalServerError, says="boom"),
    Row("error is null", _json(500, {"error": None}), flux.InternalServerError),
    Row("error is a list", _json(500, [1]), flux.InternalServerError),
    Row("200 with an error", success({"error": {"message": "boom", "code": "x"}}), flux.APIStatusError, code="x"),
    Row("200 with a quota error", success({"error": {"message": "余额不足"}}), flux.QuotaExceededError),
    Row(
        "OpenAI's request id",
        (answer(500, b"{}", "x-request-id: req_7"),),
        flux.InternalServerError,
        request_id="req_7",
    ),
    Row(
        "redirect",
        (answer(308, b"", "Location: https://elsewhere.example/v1"),),
        flux.APIStatusError,
        False,
        says="https://elsewhere.example/v1",
    ),
    Row("redirect after a POST", (answer(303, b"", "Location: /done"),), flux.APIStatusError, True),
]

SUCCESSES = [  # section 4
    Row("url", GOOD_URL, request_id=ID),
    Row("two urls", success({"data": [URL, URL]}), pictures=2),
    Row("empty strings beside a url", success({"data": [{**URL, "b64_json": "", "revised_prompt": ""}]})),
    Row("b64_json", success({"data": [{"b64_json": B64}]})),
    Row("b64_json beside an empty url", success({"data": [{"b64_json": B64, "url": ""}]})),
    Row("data URI", success({"data": [{"b64_json": f"data:image/png;base64,{B64}"}]})),
    Row("metadata", success({"data": [URL], "metadata": {"channel": 12}})),
    Row("unknown fields", success({"data": [{**URL, "x": [1]}], "y": {"data": 7}})),
    Row("gzip", (answer(200, gzip.compress(_GOOD_B64), JSON, "Content-Encoding: gzip"),)),
    Row("no content type", (answer(200, _GOOD_B64),)),
    Row("wrong content type", (answer(200, _GOOD_B64, "Content-Type: text/plain"),)),
    Row(
        "chunked",
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + _GOOD_B64[:5] + b"\r\n",
            b"%x\r\n" % (len(_GOOD_B64) - 5) + _GOOD_B64[5:] + b"\r\n0\r\n\r\n",
        ),
    ),
    Row("no length", (b"HTTP/1.1 200 OK\r\n\r\n" + _GOOD_B64,)),
    Row("fewer than asked", success({"data": [URL, URL]}), pictures=2, fields={"n": 4}),
    Row("one of two is empty", success({"data": [{"url": None}, URL]}), fields={"n": 2}),
    Row("empty object", success({}), flux.EmptyGenerationError, request_id=ID),
    Row("data null", success({"data": None}), flux.EmptyGenerationError),
    Row("data empty", success({"data": []}), flux.EmptyGenerationError),
    Row("url null", success({"data": [{"url": None}]}), flux.EmptyGenerationError),
    Row("empty b64_json", success({"data": [{"b64_json": ""}]}), flux.EmptyGenerationError),
]

FIELD = [  # section 6, and what the wire can do
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
        (answer(200, _GOOD_B64[:40], JSON, HAS_ID, length=len(_GOOD_B64)),),
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
        (answer(200, _GOOD_B64[:40], length=900), reset),
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
    Row("huge header", (answer(200, _GOOD_B64, "X: " + "x" * 1_000_000),), flux.APIConnectionError),
    Row("gzip that is none", (answer(200, _GOOD_B64, "Content-Encoding: gzip"),), flux.UnexpectedResponseError),
    Row(
        "gzip that is cut",
        (answer(200, gzip.compress(_GOOD_B64)[: len(_GOOD_B64) // 4], "Content-Encoding: gzip"),),
        flux.UnexpectedResponseError,
    ),
    Row("brotli that is none", (answer(200, _GOOD_B64, "Content-Encoding: br"),), flux.UnexpectedResponseError),
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

_LITELLM = "x-litellm-call-id: c-1"
_TITLED = b"<html><head><title>%s</title></head></html>"

WORDS = [  # field facts, section 7
    Row("detail", _json(400, {"detail": "no such size"}), flux.BadRequestError, False, says="no such size"),
    Row(
        "detail, a list",
        _json(422, {"detail": [{"loc": ["body", "n"], "msg": "too many"}]}),
        flux.BadRequestError,
        False,
        says="body.n: too many",
    ),
    Row(
        "errors",
        _json(400, {"errors": [{"message": "bad n"}, "worse"]}),
        flux.BadRequestError,
        False,
        says="bad n; worse",
    ),
    Row(
        "msg",
        _json(400, {"code": 40001, "msg": "bad size"}),
        flux.BadRequestError,
        False,
        code="40001",
        says="bad size",
    ),
    Row(
        "200 with a code",
        success({"code": 40001, "msg": "bad size"}),
        flux.APIStatusError,
        code="40001",
        says="bad size",
    ),
    Row("200 without success", success({"success": False, "message": "no"}), flux.APIStatusError, says="no"),
    Row("code 0 is none", success({"code": 0, "msg": "ok", "data": [URL]})),
    Row(
        "quota per minute",
        relay(429, "quota exceeded for requests per minute", None),
        flux.RateLimitError,
        False,
        posts=3,
    ),
    Row("queue is full", _json(503, {"error": "image queue is full"}), flux.ModelUnavailableError, False, posts=3),
    Row(
        "a long wait in the body",
        _json(429, {"error": {"message": "x", "retry_after": 120}}),
        flux.RateLimitError,
        False,
    ),
    Row("408", _json(408, {"error": {"message": "x"}}), flux.GatewayTimeoutError),
    Row("code is the status", relay(500, "x", "500"), flux.InternalServerError, says="500: x"),
    Row("LiteLLM's 429", (answer(429, b"{}", _LITELLM),), flux.RateLimitError, True, request_id="c-1"),
    Row("LiteLLM's words", relay(429, "litellm.RateLimitError: x", "429"), flux.RateLimitError, True),
    Row("Portkey retried", (answer(429, b"{}", "x-portkey-retry-attempt-count: -1"),), flux.RateLimitError, True),
    Row(
        "Portkey did not",
        (answer(429, b"{}", "x-portkey-retry-attempt-count: 0"),),
        flux.RateLimitError,
        False,
        posts=3,
    ),
    Row(
        "Portkey fell back",
        (answer(503, b"{}", "x-portkey-last-used-option-index: config.targets[1]"),),
        flux.InternalServerError,
        True,
    ),
    Row("a meaning", middleware(401, "无效的令牌"), flux.AuthenticationError, False, says="(the key is not valid)"),
    Row(
        "413 page",
        (answer(413, _TITLED % b"413 Too Large", HTML),),
        flux.PayloadTooLargeError,
        False,
        says="413 Too Large",
    ),
    Row("429 page", (answer(429, PAGE, HTML),), flux.RateLimitError, False, posts=3, says="too many requests"),
    Row("403 page", (answer(403, PAGE, HTML),), flux.PermissionDeniedError, False, says="a proxy in front"),
    Row(
        "plain http to https",
        (answer(400, _TITLED % b"400 The plain HTTP request was sent to HTTPS port", HTML),),
        flux.BadRequestError,
        False,
        says="this port speaks https",
    ),
    Row("cf-ray", (answer(500, b"{}", "cf-ray: 8a-FRA"),), flux.InternalServerError, request_id="8a-FRA"),
    Row("407", (answer(407, b""),), flux.APIStatusError, False),
]

ROWS = [*ERRORS, *SUCCESSES, *FIELD, *WORDS]

"""How relays and intermediaries word their errors: field facts, section 7."""

from __future__ import annotations

import flux_images as flux
from tests.sdk.raw_server import answer
from tests.sdk.rows.row import HTML, PAGE, URL, Row, json_answer, middleware, relay, success

_LITELLM = "x-litellm-call-id: c-1"
_TITLED = b"<html><head><title>%s</title></head></html>"

WORDS = [
    Row("detail", json_answer(400, {"detail": "no such size"}), flux.BadRequestError, False, says="no such size"),
    Row(
        "detail, a list",
        json_answer(422, {"detail": [{"loc": ["body", "n"], "msg": "too many"}]}),
        flux.BadRequestError,
        False,
        says="body.n: too many",
    ),
    Row(
        "errors",
        json_answer(400, {"errors": [{"message": "bad n"}, "worse"]}),
        flux.BadRequestError,
        False,
        says="bad n; worse",
    ),
    Row(
        "msg",
        json_answer(400, {"code": 40001, "msg": "bad size"}),
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
    Row(
        "queue is full", json_answer(503, {"error": "image queue is full"}), flux.ModelUnavailableError, False, posts=3
    ),
    Row(
        "a long wait in the body",
        json_answer(429, {"error": {"message": "x", "retry_after": 120}}),
        flux.RateLimitError,
        False,
    ),
    Row("408", json_answer(408, {"error": {"message": "x"}}), flux.GatewayTimeoutError),
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

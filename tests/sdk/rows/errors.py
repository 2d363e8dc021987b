"""Errors of the gateway family: field facts, section 3."""

from __future__ import annotations

import flux_images as flux
from tests.sdk.raw_server import Reply, answer
from tests.sdk.rows.row import HAS_ID, HTML, ID, PAGE, Row, json_answer, middleware, relay, success


def _upstream(status: int) -> Reply:
    return relay(
        status,
        f"bad response status code {status}",
        "bad_response_status_code",
        kind="upstream_error",
        param=str(status),
    )


ERRORS = [
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
    Row("error is a string", json_answer(500, {"error": "boom"}), flux.InternalServerError, says="boom"),
    Row("error is null", json_answer(500, {"error": None}), flux.InternalServerError),
    Row("error is a list", json_answer(500, [1]), flux.InternalServerError),
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

"""From a gateway's error answer to the class that a caller branches on.

The words and codes are those of One API, New API and One Hub, in both languages, and of the makers of the
models where gateways pass them on.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from flux_images._errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    GatewayTimeoutError,
    InternalServerError,
    ModelUnavailableError,
    ModerationError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    UnexpectedResponseError,
)
from flux_images._send.billing import Reason, Stage, may_have_been_billed
from flux_images._send.retry import retry_after_seconds
from flux_images._text import REQUEST_ID_IN_TEXT, is_list, is_object, one_line, request_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_images._request.key import Key

_REASONS: tuple[tuple[Reason, frozenset[str], str], ...] = (
    (
        Reason.QUOTA,
        frozenset({"insufficient_user_quota", "insufficient_quota", "pre_consume_token_quota_failed"}),
        r"额度已用尽|额度不足|余额不足|欠费"
        r"|quota[^.]{0,40}(exhausted|exceeded|used up|not enough)|insufficient.{0,20}(quota|balance|credit)",
    ),
    (
        Reason.PROMPT_REFUSED,
        frozenset({"sensitive_words_detected"}),
        r"request moderated|sensitive words?|敏感词|提示词.{0,10}(违规|敏感)",
    ),
    (
        Reason.MODERATED,
        frozenset({"content_policy_violation", "moderation_blocked", "content_filter"}),
        r"content moderated|moderat(ed|ion)|safety system|内容(审核|违规)|nsfw",
    ),
    (
        Reason.NO_CHANNEL,
        frozenset({"model_not_found"}),
        r"无可用渠道|no available channels?|queue is full|队列已满",
    ),
)
"""Codes, and words of messages as patterns. They are compiled when an error first comes."""

_RATE = r"per.?(second|minute|hour|day)|每(秒|分钟|小时|天)|rate.?limit"
"""Words of a 429 that speaks of a quota and means how often may be asked: it heals by itself."""

_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    413: PayloadTooLargeError,
    422: BadRequestError,
    429: RateLimitError,
    504: GatewayTimeoutError,
    524: GatewayTimeoutError,
}

_ADVICE: dict[type[APIStatusError], str] = {
    AuthenticationError: "check the API key",
    QuotaExceededError: "top up the account, or raise the key's limit",
    ModerationError: "change the prompt",
    NotFoundError: "check the base URL",
    RateLimitError: "wait, then try again",
    ModelUnavailableError: "check the model's name, or try again later",
    GatewayTimeoutError: "the picture may still be drawn; ask the gateway before buying it again",
}

_MESSAGES = ("message", "msg", "detail", "errors", "error_msg")
"""Fields in which errors were seen to say what is wrong."""
_FINE = (None, "", 0, 200, "0", "200", "ok", "success")
"""What ``code`` says in an answer that is none."""
_HTML = "the base URL answers with a web page: is it the wrong host?"
_EDGE_HTML = "an error page in HTML from a proxy in front of the gateway"
_HTML_START = rb"\s*(<!doctype html|<html|<head|<body|<!--)"


class _Detail(NamedTuple):
    message: str | None = None
    type: str | None = None
    code: str | None = None
    retry_after: str | None = None


def is_html(content_type: str, body: bytes) -> bool:
    """Whether an answer is a web page, by its label or its first bytes."""
    return "html" in content_type.lower() or re.match(_HTML_START, body, re.IGNORECASE) is not None


def status_error(
    status: int, headers: Mapping[str, str], body: bytes, key: Key, *, billed: bool, problem: str | None = None
) -> APIStatusError:
    """The error for an answer whose status, or whose body under a 2xx, says that the call failed.

    ``billed`` says whether the operation costs money at all. ``problem`` says why the body is not whole; what is
    missing might have told that the picture was drawn.
    """
    html = is_html(headers.get("content-type", ""), body)
    detail = _Detail() if html else _detail(body)
    reason = _reason(status, detail)
    kind = _kind(status, reason)
    stage = Stage.UNREADABLE if problem else Stage.ANSWERED
    text = problem or detail.message or _default_message(status, headers, key, html=html, empty=not body.strip())
    advice = _ADVICE.get(kind)
    message = one_line(re.sub(REQUEST_ID_IN_TEXT, "", key.redact(text)))
    return kind(
        f"{message}; {advice}" if advice and not (html and kind is NotFoundError) else message,
        status_code=status,
        code=_clean(detail.code, key),
        type=_clean(detail.type, key),
        request_id=_clean(request_id(headers, detail.message), key),
        retry_after=retry_after_seconds(headers.get("retry-after") or detail.retry_after),
        body=_shown(body, key),
        may_have_been_billed=billed and may_have_been_billed(stage, status, reason),
    )


def unreadable(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    key: Key,
    problem: str,
    *,
    billed: bool,
    truncated: bool = False,
) -> UnexpectedResponseError:
    """The error for a 2xx whose body is not what the contract says, or did not come to its end."""
    if is_html(headers.get("content-type", ""), body):
        problem = _HTML
    return UnexpectedResponseError(
        key.redact(one_line(problem)),
        status_code=status,
        request_id=_clean(request_id(headers), key),
        body=_shown(body, key),
        truncated=truncated,
        may_have_been_billed=billed and may_have_been_billed(Stage.UNREADABLE),
    )


def carries_error(document: object) -> bool:
    """Whether a decoded 2xx body is an error in disguise."""
    if not is_object(document):
        return False
    if document.get("error") or document.get("errors") or document.get("success") is False:
        return True
    return document.get("code") not in _FINE and any(document.get(name) for name in _MESSAGES)


def _detail(body: bytes) -> _Detail:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return _Detail(message=body[:2000].decode(errors="replace").strip() or None)
    error: Any = document.get("error", document) if is_object(document) else document
    if not is_object(error):
        return _Detail(message=_word(error))
    message = next((found for name in _MESSAGES if (found := _word(error.get(name)))), None)
    waits = [fields.get("retry_after") for fields in (error, document) if is_object(fields)]
    wait = next((str(each) for each in waits if isinstance(each, int | float | str)), None)
    return _Detail(message, _word(error.get("type")), _word(error.get("code")), wait)


def _word(value: object) -> str | None:
    """A field that ought to be text; gateways pass on whatever type the model's host used."""
    if value is None or value == "":
        return None
    if is_list(value):  # as FastAPI and others list what is wrong
        return "; ".join(filter(None, map(_word, value))) or None
    if is_object(value) and (said := next((value[name] for name in _MESSAGES if value.get(name)), None)):
        where = ".".join(map(str, value["loc"])) if is_list(value.get("loc")) else None
        return f"{where}: {_word(said)}" if where else _word(said)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _reason(status: int, detail: _Detail) -> Reason:
    for reason, codes, words in _REASONS:
        if reason is Reason.NO_CHANNEL and 400 <= status < 500:
            continue  # a 404 that names a model is a 404
        if reason is Reason.QUOTA and status == 429 and re.search(_RATE, detail.message or "", re.IGNORECASE):
            continue
        if detail.code in codes or (detail.message and re.search(words, detail.message[:2000], re.IGNORECASE)):
            return reason
    return Reason.OTHER


def _kind(status: int, reason: Reason) -> type[APIStatusError]:
    if reason is Reason.QUOTA:
        return QuotaExceededError
    if reason in (Reason.PROMPT_REFUSED, Reason.MODERATED):
        return ModerationError
    if reason is Reason.NO_CHANNEL:
        return ModelUnavailableError
    if kind := _BY_STATUS.get(status):
        return kind
    return InternalServerError if 500 <= status < 600 else APIStatusError


def _default_message(status: int, headers: Mapping[str, str], key: Key, *, html: bool, empty: bool) -> str:
    if 300 <= status < 400:
        target = one_line(key.redact(headers.get("location", "")), 200) or "nowhere"
        return f"the gateway redirects to {target}; redirects are not followed, so set base_url to the right address"
    if html:
        return _EDGE_HTML if status >= 500 else _HTML
    return "an empty answer" if empty else "an answer without a message"


def _clean(text: str | None, key: Key) -> str | None:
    return one_line(key.redact(text), 128) if text is not None else None


def _shown(body: bytes, key: Key) -> str:
    return one_line(key.redact(body[:4000].decode(errors="replace")), 1000)

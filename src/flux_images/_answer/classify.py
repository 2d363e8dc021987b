"""From a gateway's error answer to the class that a caller branches on.

The words and codes are those of One API, New API and One Hub, in both languages, and of the makers of the
models where gateways pass them on.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import httpx

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
from flux_images._send.environment import proxy_for
from flux_images._send.retry import retry_after_seconds
from flux_images._text import REQUEST_ID_IN_TEXT, is_list, is_object, one_line, request_id
from flux_images_api.contract import SERVER

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
        r"无可用渠道|no available channels?",
    ),
)
"""Codes, and words of messages as patterns. They are compiled when an error first comes."""

_HEALS = r"per (second|minute|hour|day)|rate.?limit|每(秒|分钟|小时)"
"""Words of a quota that comes back by itself: of requests, not of the account's credit."""

_QUEUE = r"queue is full|队列已满"
"""Words of a 503 that took nothing in."""

_PUT_IN_PLACE: tuple[tuple[str, str], ...] = (
    ("x-portkey-retry-attempt-count", r"(?!0$).+"),
    ("x-portkey-last-used-option-index", r".*\[[1-9]\d*\].*"),
    ("x-litellm-call-id", r".+"),
)
"""Headers, and values, of intermediaries that may have tried before: their refusal proves nothing about the bill."""

_MEANINGS: tuple[tuple[str, str], ...] = (
    ("未提供令牌", "no key came with the request"),
    ("无效的令牌", "the key is not valid"),
    ("令牌已过期", "the key has expired"),
    ("令牌状态不可用", "the key is disabled"),
    ("额度已用尽|额度不足|余额不足", "the credit is used up"),
    ("用户已被封禁", "the account is banned"),
    ("无权访问模型", "the key may not use this model"),
    ("无可用渠道", "no channel offers this model now"),
    ("负载已饱和", "the gateway's upstream is busy"),
)
"""What the gateway family's messages mean."""

_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: GatewayTimeoutError,
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

_HTML = "the base URL answers with a web page: is it the wrong host?"
_EDGE_HTML = "an error page in HTML from a proxy in front of the gateway"
_PAGES: tuple[tuple[str, str], ...] = (
    ("plain HTTP request was sent to HTTPS", "a web page: this port speaks https, and base_url says http"),
    ("^400 ", "a web page from a proxy in front of the gateway: it cannot read the request"),
    ("^401 ", "a web page from a proxy in front of the gateway asks for credentials"),
    ("^403 ", "a web page from a proxy in front of the gateway refuses the request"),
    ("^407 ", "a web page from a proxy on the way asks for credentials"),
    ("^405 ", "a web page from a proxy in front of the gateway: it takes no such request here"),
    ("^408 ", "a web page from a proxy that waited too long"),
    ("^413 ", "a web page: the request is larger than a proxy in front of the gateway takes"),
    ("^(414|431) ", "a web page: the request's head is larger than a proxy in front of the gateway takes"),
    ("^429 ", "a web page from a proxy in front of the gateway: too many requests"),
    ("^499 ", "a web page from a proxy that says this side hung up"),
)
"""What a page below 500 means, by its status and title."""
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
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    key: Key,
    *,
    billed: bool,
    url: httpx.URL | None = None,
    problem: str | None = None,
) -> APIStatusError:
    """The error for an answer whose status, or whose body under a 2xx, says that the call failed.

    ``billed`` says whether the operation costs money at all, ``url`` what was asked. ``problem`` says why the body is
    not whole; what is missing might have told that the picture was drawn.
    """
    html = is_html(headers.get("content-type", ""), body)
    detail = _Detail() if html else _detail(body)
    reason = _reason(status, detail)
    relayed = _is_relayed(headers, detail)
    kind = _kind(status, reason)
    stage = Stage.UNREADABLE if problem else Stage.ANSWERED
    text = (
        problem or _of_proxy(status, url) or detail.message or _default_message(status, headers, body, key, html=html)
    )
    if meaning := next((meaning for words, meaning in _MEANINGS if re.search(words, text)), None):
        text = f"{text.rstrip('。')} ({meaning})"
    advice = _advice(kind, url)
    message = one_line(re.sub(REQUEST_ID_IN_TEXT, "", key.redact(text)))
    return kind(
        f"{message}; {advice}" if advice and not (html and kind is NotFoundError) else message,
        status_code=status,
        code=_clean(None if detail.code in ("0", str(status)) else detail.code, key),
        type=_clean(detail.type, key),
        request_id=_clean(request_id(headers, detail.message), key),
        retry_after=retry_after_seconds(headers.get("retry-after") or detail.retry_after),
        body=_shown(body, key),
        may_have_been_billed=billed and (relayed or may_have_been_billed(stage, status, reason)),
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
    if not isinstance(document, dict):
        return False
    fields = cast("dict[str, Any]", document)
    code = fields.get("code")
    coded = type(code) is int and code not in (0, *range(200, 300)) and not fields.get("data")
    return bool(fields.get("error")) or fields.get("success") is False or coded


def _detail(body: bytes) -> _Detail:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return _Detail(message=body[:2000].decode(errors="replace").strip() or None)
    whole = document if is_object(document) else {}
    fields = whole.get("error") or whole or document
    if not is_object(fields):
        return _Detail(_word(fields), retry_after=_word(whole.get("retry_after")))
    words = (_said(fields.get(name)) for name in ("message", "msg", "detail", "errors", "html-message"))
    waits = (_word(part.get("retry_after")) for part in (fields, whole))
    return _Detail(
        next((said for said in words if said), None),
        _word(fields.get("type")),
        _word(fields.get("code")),
        next((wait for wait in waits if wait), None),
    )


def _said(value: object) -> str | None:
    """A message; of a list, those of its entries with where they belong."""
    if not is_list(value):
        return _word(value)
    parts: list[str] = []
    for entry in value:
        fields = entry if is_object(entry) else {}
        said = _word(fields.get("msg") or fields.get("message") or entry)
        place = fields.get("loc")
        where = ".".join(str(step) for step in place) if is_list(place) else ""
        parts.append(f"{where}: {said}" if where else str(said))
    return "; ".join(parts) or None


def _word(value: object) -> str | None:
    """A field that ought to be text; gateways pass on whatever type the model's host used."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _reason(status: int, detail: _Detail) -> Reason:
    message = (detail.message or "")[:2000]
    if status == 503 and re.search(_QUEUE, message, re.IGNORECASE):
        return Reason.QUEUE_FULL
    heals = status == 429 and re.search(_HEALS, message, re.IGNORECASE) and detail.code != "insufficient_user_quota"
    for reason, codes, words in _REASONS:
        if reason is Reason.QUOTA and heals:
            continue
        if reason is Reason.NO_CHANNEL and 400 <= status < 500:
            continue  # a 404 that names a model is a 404
        if detail.code in codes or re.search(words, message, re.IGNORECASE):
            return reason
    return Reason.OTHER


def _is_relayed(headers: Mapping[str, str], detail: _Detail) -> bool:
    """Whether an intermediary may have put this answer in place of another attempt's."""
    return (detail.message or "").startswith("litellm.") or any(
        re.fullmatch(value, headers.get(name, "")) for name, value in _PUT_IN_PLACE
    )


def _kind(status: int, reason: Reason) -> type[APIStatusError]:
    if reason is Reason.QUOTA:
        return QuotaExceededError
    if reason in (Reason.PROMPT_REFUSED, Reason.MODERATED):
        return ModerationError
    if reason in (Reason.NO_CHANNEL, Reason.QUEUE_FULL):
        return ModelUnavailableError
    if kind := _BY_STATUS.get(status):
        return kind
    return InternalServerError if 500 <= status < 600 else APIStatusError


def _advice(kind: type[APIStatusError], url: httpx.URL | None) -> str | None:
    advice = _ADVICE.get(kind)
    if kind is AuthenticationError and url and url.host == httpx.URL(SERVER).host:
        return f"{advice}, and the gateway: {url.host} is asked where no base_url and no FLUX_BASE_URL name another"
    return advice


def _of_proxy(status: int, url: httpx.URL | None) -> str | None:
    """Who wants credentials where it is not the gateway."""
    if status != 407 or url is None or not (proxy := proxy_for(url)):
        return None
    return f"the proxy {proxy.url.host} asks for credentials: put them into its address, as in http://user:pass@host"


def _default_message(status: int, headers: Mapping[str, str], body: bytes, key: Key, *, html: bool) -> str:
    if 300 <= status < 400:
        target = one_line(key.redact(headers.get("location", "")), 200) or "nowhere"
        return f"the gateway redirects to {target}; redirects are not followed, so set base_url to the right address"
    if html and status >= 500:
        return _EDGE_HTML
    if html:
        found = re.search(rb"<title[^>]{0,100}>([^<]{1,200})", body[:20_000], re.IGNORECASE)
        title = one_line(found[1].decode(errors="replace"), 100) if found else ""
        meaning = next((meaning for words, meaning in _PAGES if re.search(words, f"{status} {title}")), _HTML)
        return f"{meaning} (its title: {title})" if title else meaning
    return "an answer without a message" if body.strip() else "an empty answer"


def _clean(text: str | None, key: Key) -> str | None:
    return one_line(key.redact(text), 128) if text is not None else None


def _shown(body: bytes, key: Key) -> str:
    return one_line(key.redact(body[:4000].decode(errors="replace")), 1000)

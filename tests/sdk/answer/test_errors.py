"""The error tree, what an error tells, and the billing table."""

from __future__ import annotations

import inspect
import json
import pickle
import re
from typing import Any

import httpx
import pytest

import flux_images as flux
from flux_images import _errors
from flux_images._answer.classify import carries_error, status_error, unreadable
from flux_images._request.key import Key
from flux_images._send.billing import TABLE, Reason, Stage, may_have_been_billed
from flux_images._text import request_id
from flux_images_api.contract import SERVER

KEY = Key("sk-test-Zm9vYmFy-0123456789")
PUBLIC = [value for value in vars(flux).values() if inspect.isclass(value) and issubclass(value, flux.FluxImagesError)]


def test_the_tree_is_the_one_in_the_docstring() -> None:
    """Each line of the module's docstring names a class under its parent, and there are no others."""
    parents: list[type] = []
    drawn: dict[type, type | None] = {}
    for line in inspect.getdoc(_errors).splitlines()[2:]:  # type: ignore[union-attr]  # the module has a docstring
        match = re.match(r"([│ ├└─]*)(\w+)", line)
        assert match
        depth = len(match[1]) // 4
        parents[depth:] = [getattr(flux, match[2])]
        drawn[parents[depth]] = parents[depth - 1] if depth else None
    assert set(drawn) == set(PUBLIC)
    assert all(parent is None or kind.__bases__[0] is parent for kind, parent in drawn.items())


@pytest.mark.parametrize("stage", list(Stage))
def test_the_billing_table_covers_every_stage(stage: Stage) -> None:
    """No stage is left to the default, and only what surely cost nothing is False."""
    assert any(row.stage is stage for row in TABLE)


@pytest.mark.parametrize(
    ("stage", "status", "reason", "billed"),
    [
        (Stage.NOT_SENT, None, Reason.OTHER, False),
        (Stage.POOL, None, Reason.OTHER, False),
        (Stage.CONNECT, None, Reason.OTHER, False),
        (Stage.WRITE, None, Reason.OTHER, True),
        (Stage.READ, None, Reason.OTHER, True),
        (Stage.TOTAL, None, Reason.OTHER, True),
        (Stage.CANCELLED, None, Reason.OTHER, True),
        (Stage.UNREADABLE, 200, Reason.OTHER, True),
        (Stage.DOWNLOAD, 403, Reason.OTHER, True),
        *[
            (Stage.ANSWERED, status, Reason.OTHER, True)
            for status in (100, 200, 299, 302, 303, 304, 408, 409, 418, 499)
        ],
        *[(Stage.ANSWERED, status, Reason.OTHER, True) for status in (500, 502, 503, 504, 520, 524, 599, 600, 999)],
        *[(Stage.ANSWERED, status, Reason.OTHER, False) for status in (301, 307, 308, 400, 401, 402, 403, 404)],
        *[(Stage.ANSWERED, status, Reason.OTHER, False) for status in (405, 406, 411, 413, 414, 415, 422, 429, 431)],
        (Stage.ANSWERED, 400, Reason.PROMPT_REFUSED, False),
        (Stage.ANSWERED, 400, Reason.MODERATED, True),
        (Stage.ANSWERED, 403, Reason.QUOTA, False),
        (Stage.ANSWERED, 500, Reason.QUOTA, True),
        (Stage.ANSWERED, 503, Reason.NO_CHANNEL, False),
        (Stage.ANSWERED, 500, Reason.NO_CHANNEL, True),
    ],
)
def test_what_may_have_been_billed(stage: Stage, status: int | None, reason: Reason, billed: bool) -> None:
    """The table, row by row; what it does not know may have been billed."""
    assert may_have_been_billed(stage, status, reason) is billed


@pytest.mark.parametrize(
    ("status", "body", "problem", "billed"),
    [
        (400, b"{}", None, False),
        (400, b"{", "the answer was cut short", True),
        (503, b"{}", None, True),
        (503, '{"error":{"message":"当前分组下对于模型 m 无可用渠道"}}'.encode(), None, False),
        (400, b'{"error":{"code":"content_policy_violation","message":"output moderated"}}', None, True),
    ],
)
def test_an_answer_as_a_whole_tells_what_it_cost(status: int, body: bytes, problem: str | None, billed: bool) -> None:
    """Its status, its words, and whether it is whole."""
    assert status_error(status, {}, body, KEY, billed=True, problem=problem).may_have_been_billed is billed


def test_a_redirect_says_where_to() -> None:
    """From its header; a page is told by its label alone."""
    moved = status_error(300, {"location": "https://other.example"}, b"", KEY, billed=True)
    assert moved.message.startswith("the gateway redirects to https://other.example;")
    page = status_error(500, {"content-type": "text/html"}, b"", KEY, billed=True)
    assert page.message.startswith("an error page in HTML")


def test_an_error_says_what_a_person_can_act_on() -> None:
    """One line: status, code, message, advice, request id and the bill."""
    body = json.dumps({"error": {"message": "no\x1b[31m\r\ncredit", "code": "insufficient_user_quota"}}).encode()
    error = status_error(500, {"x-request-id": "r1"}, body, KEY, billed=True)
    assert str(error) == (
        "500 insufficient_user_quota: no [31m credit; top up the account, or raise the key's limit "
        "(request id r1; may have been billed)"
    )
    assert not status_error(500, {}, body, KEY, billed=False).may_have_been_billed
    assert str(status_error(418, {}, b"", KEY, billed=False)) == "418: an empty answer"
    assert str(status_error(418, {}, b"{}", KEY, billed=False)) == "418: an answer without a message"
    assert str(status_error(418, {}, b"teapot", KEY, billed=False)) == "418: teapot"
    assert status_error(302, {}, b"", KEY, billed=False).message.startswith("the gateway redirects to nowhere")


def test_a_body_is_shortened_and_the_key_masked() -> None:
    """Neither a large body nor an echoed key gets through."""
    error = status_error(
        500, {}, b'{"error":{"message":"sk-test-Zm9vYmFy-0123456789"}}' + b" " * 9999, KEY, billed=True
    )
    assert error.message == "***"
    assert len(error.body) <= 1000
    assert "Zm9v" not in error.body
    assert "Zm9v" not in str(unreadable(200, {}, b"sk-test-Zm9vYmFy-0123456789", KEY, "x", billed=True).__dict__)


def test_a_page_is_told_by_its_label_or_its_start() -> None:
    """Whichever is missing."""
    for headers, body in (({"content-type": "TEXT/HTML"}, b"x"), ({}, b"\n <!doctype HTML>"), ({}, b"<html lang='x'>")):
        assert "web page" in unreadable(200, headers, body, KEY, "x", billed=True).message
    assert unreadable(200, {}, b"<svg>", KEY, "the problem", billed=False).message == "the problem"


@pytest.mark.parametrize(
    ("headers", "message", "identity"),
    [
        ({"x-oneapi-request-id": "a", "x-request-id": "b"}, "(request id: c)", "a"),
        ({"x-request-id": "b"}, "(request id: c)", "b"),
        ({}, "boom (request id: c-1.2_3)", "c-1.2_3"),
        ({}, "boom", None),
        ({}, None, None),
        ({"x-request-id": ""}, None, None),
        ({"x-request-id": "a\x1b[0m" + "b" * 200}, None, "a [0m" + "b" * 122 + "…"),
    ],
)
def test_the_request_id_is_found(headers: dict[str, str], message: str | None, identity: str | None) -> None:
    """In the gateway's header, OpenAI's, or the message; cleaned and shortened."""
    assert request_id(headers, message) == identity


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("您的账户余额不足", flux.QuotaExceededError),
        ("账户已欠费", flux.QuotaExceededError),
        ("quota has been exhausted", flux.QuotaExceededError),
        ("insufficient balance", flux.QuotaExceededError),
        ("request moderated", flux.ModerationError),
        ("提示词存在违规", flux.ModerationError),
        ("rejected by our safety system", flux.ModerationError),
        ("图片内容审核未通过", flux.ModerationError),
        ("NSFW content", flux.ModerationError),
        ("no available channels for model x", flux.BadRequestError),
        ("quota. is not the matter; something else is exhausted", flux.BadRequestError),
        ("other", flux.BadRequestError),
    ],
)
def test_the_gateway_s_words_decide(message: str, kind: type[flux.FluxImagesError]) -> None:
    """In both languages, where there is no code."""
    body = json.dumps({"error": {"message": message}}).encode()
    assert type(status_error(400, {}, body, KEY, billed=True)) is kind


@pytest.mark.parametrize("kind", PUBLIC)
def test_every_error_pickles(kind: type[flux.FluxImagesError]) -> None:
    """With all that it carries."""
    fields: dict[str, Any] = {
        "status_code": 418,
        "code": "c",
        "type": "t",
        "retry_after": 2.0,
        "body": "b",
        "generation": None,
        "may_have_been_billed": True,
        "request_id": "r",
        "task_id": "t",
    }
    taken = {name: fields[name] for name in inspect.signature(kind).parameters if name in fields}
    error = kind("boom", **taken)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_every_part_of_an_error_answer_is_kept() -> None:
    """Status, code, type, message, request id, wait, body and bill, each in its attribute."""
    body = '{"error":{"message":"busy (request id: r-1)","type":"t\\n","code":{"a":"é"},"param":""}}'
    error = status_error(429, {"retry-after": "7"}, body.encode(), KEY, billed=True)
    assert vars(error) == {
        "message": "busy; wait, then try again",
        "may_have_been_billed": False,
        "request_id": "r-1",
        "status_code": 429,
        "code": '{"a": "é"}',
        "type": "t",
        "retry_after": 7.0,
        "body": body.replace("\\n", "\\n"),
    }
    assert error.args == (error.message,)
    plain = status_error(500, {"x-request-id": "r2"}, b'["\xc3\xa9"]', KEY, billed=True)
    assert (plain.message, plain.code, plain.type, plain.retry_after) == ('["é"]', None, None, None)
    bare = status_error(500, {}, b'{"message":"m","type":"t","code":""}', KEY, billed=True)
    assert (bare.message, bare.code, bare.type) == ("m", None, "t")
    garbage = status_error(500, {}, b"\xff" + b"y" * 3000, KEY, billed=True)
    assert garbage.message.startswith("\ufffdyyy")
    echoed = status_error(400, {}, b'{"type":"sk-test-Zm9vYmFy-0123456789"}', KEY, billed=True)
    assert echoed.type == "***"


def test_every_part_of_an_unreadable_success_is_kept() -> None:
    """The same, for a 2xx."""
    error = unreadable(201, {"x-request-id": "r1"}, b"a\nb", KEY, "the\nproblem", billed=True, truncated=True)
    assert vars(error) == {
        "message": "the problem",
        "may_have_been_billed": True,
        "request_id": "r1",
        "status_code": 201,
        "body": "a b",
        "truncated": True,
    }
    assert not unreadable(201, {}, b"", KEY, "x", billed=False).may_have_been_billed
    assert not unreadable(201, {}, b"", KEY, "x", billed=True).truncated
    assert (
        unreadable(200, {"x-request-id": "sk-test-Zm9vYmFy-0123456789"}, b"", KEY, "x", billed=True).request_id == "***"
    )


@pytest.mark.parametrize(
    ("document", "carries"),
    [({"error": {"message": "x"}}, True), ({"error": "x"}, True), ({"error": None}, False), ({}, False), ([1], False)],
)
def test_a_success_may_carry_an_error(document: object, carries: bool) -> None:
    """Where ``error`` says something."""
    assert carries_error(document) is carries


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, b"<html>", "the base URL answers with a web page: is it the wrong host?"),
        (404, b"{}", "an answer without a message; check the base URL"),
        (418, b"<html>", "the base URL answers with a web page: is it the wrong host?"),
        (499, b"<html>", "a web page from a proxy that says this side hung up"),
        (400, b"<html>", "a web page from a proxy in front of the gateway: it cannot read the request"),
        (431, b"<html>", "a web page: the request's head is larger than a proxy in front of the gateway takes"),
        (500, b"<html>", "an error page in HTML from a proxy in front of the gateway"),
        (
            399,
            b"",
            "the gateway redirects to nowhere; redirects are not followed, so set base_url to the right address",
        ),
        (400, b" ", "an empty answer"),
        (401, b"<html>", "a web page from a proxy in front of the gateway asks for credentials; check the API key"),
        (504, b"<html>", "an error page in HTML from a proxy in front of the gateway; the picture may still be drawn; "
        "ask the gateway before buying it again"),
    ],
)  # fmt: skip
def test_an_answer_without_words_gets_some(status: int, body: bytes, message: str) -> None:
    """What happened, then what to do."""
    assert status_error(status, {}, body, KEY, billed=True).message == message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (399, flux.APIStatusError),
        (499, flux.APIStatusError),
        (500, flux.InternalServerError),
        (599, flux.InternalServerError),
        (600, flux.APIStatusError),
        (402, flux.QuotaExceededError),
        (422, flux.BadRequestError),
        (524, flux.GatewayTimeoutError),
    ],
)
def test_the_status_decides_where_words_do_not(status: int, kind: type[flux.FluxImagesError]) -> None:
    """At the borders of each class."""
    assert type(status_error(status, {}, b"{}", KEY, billed=True)) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, flux.NotFoundError),
        (499, flux.APIStatusError),
        (500, flux.ModelUnavailableError),
        (503, flux.ModelUnavailableError),
    ],
)
def test_a_model_is_unavailable_only_where_the_gateway_failed(status: int, kind: type[flux.FluxImagesError]) -> None:
    """A 4xx that says the same is a wrong request."""
    body = b'{"error":{"code":"model_not_found"}}'
    assert type(status_error(status, {}, body, KEY, billed=True)) is kind


def test_what_is_not_known_of_an_error() -> None:
    """Nothing is made up; a bill is feared wherever the call may have reached the model."""
    assert vars(flux.FluxImagesError("m")) == {"message": "m", "may_have_been_billed": False, "request_id": None}
    status = flux.APIStatusError("m", status_code=418)
    assert (status.body, status.may_have_been_billed, status.code, status.type) == ("", True, None, None)
    unexpected = flux.UnexpectedResponseError("m")
    assert (unexpected.body, unexpected.may_have_been_billed, unexpected.status_code) == ("", True, None)
    assert not unexpected.truncated
    made: Any = object()
    for error in (
        flux.EmptyGenerationError("m", generation=made, request_id="r"),
        flux.ImageDownloadError("m", generation=made, status_code=403, request_id="r"),
    ):
        assert error.args == ("m",)
        assert error.may_have_been_billed is True
        assert error.generation is made
        assert str(error) == "m (request id r; may have been billed)"
    assert flux.ImageDownloadError("m", status_code=403).status_code == 403


def test_a_refused_key_at_the_default_host_says_so() -> None:
    """Whoever forgot to name a gateway has sent the key elsewhere."""
    asked = httpx.URL(f"{SERVER}/v1/images/generations")
    error = status_error(401, {}, b"{}", KEY, billed=True, url=asked)
    assert f"{asked.host} is asked where no base_url and no FLUX_BASE_URL name another" in error.message
    named = status_error(401, {}, b"{}", KEY, billed=True, url=httpx.URL("https://other.example/v1/images/generations"))
    assert named.message == "an answer without a message; check the API key"


def test_a_proxy_that_wants_credentials_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers in place of the gateway where the way to it is plain http. It cost nothing."""
    monkeypatch.setenv("HTTP_PROXY", "http://user:pass@proxy.example:3128")
    error = status_error(407, {}, b"<html>", KEY, billed=True, url=httpx.URL("http://gateway.example/v1/images"))
    assert error.message.startswith("the proxy proxy.example asks for credentials")
    assert not error.may_have_been_billed

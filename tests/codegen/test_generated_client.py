"""What the generated package promises by itself, without the SDK."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx

from flux_images_api import AuthenticatedClient, Client, errors, models
from flux_images_api._runtime import Outcomes
from flux_images_api.api.images import create_image
from flux_images_api.types import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = "https://gateway.example"
TOKEN = "sk-very-secret"
BODY = models.CreateImageRequest(model="flux-pro-1.1-ultra", prompt="a medal")
PICTURE = {"data": [{"url": "https://pictures.example/a.png"}]}
FAULT = {"error": {"message": "no", "type": "one_api_error"}}

Call = "Callable[[AuthenticatedClient, httpx.Response], Any]"


def client(**settings: Any) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=BASE, token=TOKEN, **settings)


def sync(flux: AuthenticatedClient, answer: httpx.Response) -> models.ImagesResponse:
    with respx.mock:
        respx.post(f"{BASE}/v1/images/generations").mock(return_value=answer)
        return create_image.sync(client=flux, body=BODY)


def asynchronous(flux: AuthenticatedClient, answer: httpx.Response) -> models.ImagesResponse:
    with respx.mock:
        respx.post(f"{BASE}/v1/images/generations").mock(return_value=answer)
        return asyncio.run(create_image.asyncio(client=flux, body=BODY))


both = pytest.mark.parametrize("call", [sync, asynchronous])


@both
def test_success_is_typed_without_testing_a_union(call: Callable[..., models.ImagesResponse]) -> None:
    """The pictures come back as models, not as a union with the error type."""
    answer = call(client(), httpx.Response(200, json=PICTURE))
    assert answer.data
    assert answer.data[0].url == "https://pictures.example/a.png"
    assert answer.to_dict() == PICTURE


@both
def test_token_is_never_shown(call: Callable[..., models.ImagesResponse]) -> None:
    """The token stands in no repr, before or after the first use, nor in that of a derived client."""
    flux = client(headers={"x-gateway-key": TOKEN}, cookies={"key": TOKEN}, httpx_args={"params": {"key": TOKEN}})
    assert TOKEN not in repr(flux)
    call(flux, httpx.Response(200, json=PICTURE))
    assert TOKEN not in repr(flux)
    assert TOKEN not in repr(flux.with_headers({"x-more": "1"}))


@both
def test_first_use_leaves_the_settings_alone(call: Callable[..., models.ImagesResponse]) -> None:
    """Sending a request does not write the token into the headers that the user gave."""
    headers = {"x-mine": "1"}
    flux = client(headers=headers)
    call(flux, httpx.Response(200, json=PICTURE))
    assert headers == {"x-mine": "1"}
    assert "Authorization" not in vars_of(flux)["_headers"]


def vars_of(flux: AuthenticatedClient) -> dict[str, Any]:
    return {name: getattr(flux, name) for name in ("_headers", "_cookies", "_timeout")}


def test_request_carries_the_bearer_and_the_body() -> None:
    """The token goes out as a bearer, beside the JSON body."""
    with respx.mock:
        route = respx.post(f"{BASE}/v1/images/generations").mock(return_value=httpx.Response(200, json=PICTURE))
        create_image.sync(client=client(), body=BODY)
    request = route.calls.last.request
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(request.content) == {"model": "flux-pro-1.1-ultra", "prompt": "a medal"}


@pytest.mark.parametrize("make", [client, lambda: Client(base_url=BASE)])
def test_default_timeout_is_finite(make: Callable[[], AuthenticatedClient | Client]) -> None:
    """A lost answer ends by itself: every phase of a request has a limit."""
    timeout = make().get_httpx_client().timeout
    assert None not in (timeout.connect, timeout.read, timeout.write, timeout.pool)
    assert make().get_async_httpx_client().timeout == timeout


@pytest.mark.parametrize(
    ("derive", "seen"),
    [
        (lambda flux: flux.with_headers({"x-more": "1"}), lambda http: http.headers.get("x-more")),
        (lambda flux: flux.with_cookies({"more": "1"}), lambda http: http.cookies.get("more")),
        (lambda flux: flux.with_timeout(httpx.Timeout(1)), lambda http: http.timeout == httpx.Timeout(1)),
    ],
    ids=["headers", "cookies", "timeout"],
)
def test_with_makes_a_new_client(derive: Any, seen: Any) -> None:
    """with_*() gives a changed copy and leaves the original as it was, though it was used before."""
    flux = client()
    original = (flux.get_httpx_client(), flux.get_async_httpx_client())
    derived = derive(flux)
    assert seen(derived.get_httpx_client())
    assert not any(seen(http) for http in original)


@pytest.mark.parametrize(
    ("settings", "header", "sent"),
    [
        ({}, "authorization", f"Bearer {TOKEN}"),
        ({"prefix": ""}, "authorization", TOKEN),
        ({"auth_header_name": "x-key", "prefix": "Key"}, "x-key", f"Key {TOKEN}"),
    ],
    ids=["bearer", "bare", "another header"],
)
def test_the_token_s_header_is_the_caller_s_choice(settings: dict[str, Any], header: str, sent: str) -> None:
    """Both httpx clients send the token under the header and the prefix that were asked for."""
    flux = client(**settings)
    assert flux.get_httpx_client().headers[header] == sent
    assert flux.get_async_httpx_client().headers[header] == sent


def test_settings_reach_both_httpx_clients() -> None:
    """What was given for httpx is what the clients are made with."""
    flux = client(
        follow_redirects=True, headers={"x-mine": "1"}, cookies={"mine": "1"}, httpx_args={"max_redirects": 3}
    )
    for http in (flux.get_httpx_client(), flux.get_async_httpx_client()):
        assert (http.follow_redirects, http.max_redirects, str(http.base_url)) == (True, 3, BASE)
        assert (http.headers["x-mine"], http.cookies["mine"]) == ("1", "1")


def test_an_own_httpx_client_is_sent_with() -> None:
    """A client that was set stands in for the one that would be made."""
    flux, http, async_http = client(), httpx.Client(), httpx.AsyncClient()
    assert flux.set_httpx_client(http).set_async_httpx_client(async_http) is flux
    assert (flux.get_httpx_client(), flux.get_async_httpx_client()) == (http, async_http)


def test_leaving_closes_the_httpx_client() -> None:
    """`with` and `async with` close what the functions sent with."""

    async def leave() -> httpx.AsyncClient:
        async with client() as flux:
            return flux.get_async_httpx_client()

    with client() as flux:
        http = flux.get_httpx_client()
    assert http.is_closed
    assert asyncio.run(leave()).is_closed


@pytest.mark.parametrize("status", [100, 199, 299, 304, 400, 418, 499, 520, 524, 599, 600, 999])
def test_any_status_is_read(status: int) -> None:
    """Statuses that Python has no name for are numbers like any other."""
    answer = create_image.parse_response(httpx.Response(status, json=FAULT))
    assert answer.status_code == status
    assert type(answer.status_code) is int
    assert isinstance(answer.parsed, models.ErrorResponse)


@both
@pytest.mark.parametrize("status", [400, 401, 429, 503, 524, 599])
def test_error_status_raises(call: Callable[..., models.ImagesResponse], status: int) -> None:
    """An error that the contract declares is raised with its typed body, not returned."""
    with pytest.raises(errors.ErrorStatus) as caught:
        call(client(), httpx.Response(status, json=FAULT))
    assert caught.value.status_code == status
    assert isinstance(caught.value.parsed, models.ErrorResponse)
    assert caught.value.parsed.error.message == "no"


@both
@pytest.mark.parametrize("status", [200, 400, 502, 524])
@pytest.mark.parametrize(
    ("content", "media_type", "got"),
    [
        (b"<html>Bad gateway</html>", "text/html; charset=UTF-8", "web page"),
        (b'{"data": [{"url": "https://pict', "application/json", "not valid JSON"),
        (b"", "application/json", "an empty body"),
        (b"\xff\xfe\xfd", "application/json", "not valid JSON"),
        (b'{"created": NaN}', "application/json", "not valid JSON"),
        (b"[" * 100_000, "application/json", "not valid JSON"),
    ],
    ids=["html", "cut", "empty", "binary", "nan", "deep"],
)
def test_body_that_is_not_json(
    call: Callable[..., models.ImagesResponse], status: int, content: bytes, media_type: str, got: str
) -> None:
    """A body that is not JSON is a typed error that names what came, whatever the status."""
    answer = httpx.Response(status, content=content, headers={"content-type": media_type})
    with pytest.raises(errors.InvalidBody, match=got) as caught:
        call(client(), answer)
    assert caught.value.status_code == status
    assert caught.value.content == content


@both
@pytest.mark.parametrize("document", [{}, {"data": None}, {"data": []}, {"data": [{"url": None}]}, {"data": [{}]}])
def test_empty_answers_are_valid(call: Callable[..., models.ImagesResponse], document: dict[str, Any]) -> None:
    """Null and absent are kept apart, and neither is a crash."""
    answer = call(client(), httpx.Response(200, json=document))
    assert answer.to_dict() == document
    assert answer.created is UNSET


@both
@pytest.mark.parametrize(
    ("status", "document", "where"),
    [
        (200, {"data": 5}, "/data"),
        (200, {"data": {"url": "a"}}, "/data"),
        (200, {"data": [{"url": 5}]}, "/data/0/url"),
        (200, {"data": [{"url": "a"}, 7]}, "/data/1"),
        (200, {"data": [{"url": "a"}, None]}, "/data/1"),
        (200, {"data": [[]]}, "/data/0"),
        (200, {"created": "today"}, "/created"),
        (200, {"created": True}, "/created"),
        (200, {"created": 1.5}, "/created"),
        (200, {"metadata": []}, "/metadata"),
        (200, [], ""),
        (200, "a string", ""),
        (200, None, ""),
        (400, {"error": "boom"}, "/error"),
        (400, {"error": None}, "/error"),
        (400, {}, "/error"),
        (500, {"error": {"message": ["a"]}}, "/error/message"),
        (599, {"error": {"type": 5}}, "/error/type"),
    ],
)
def test_types_do_not_lie(call: Callable[..., models.ImagesResponse], status: int, document: Any, where: str) -> None:
    """A value of another type than the contract's is a typed error that points at it, at any depth."""
    answer = httpx.Response(status, content=json.dumps(document), headers={"content-type": "application/json"})
    with pytest.raises(errors.InvalidBody) as caught:
        call(client(), answer)
    assert caught.value.problem.where == where
    assert caught.value.status_code == status


def test_from_dict_is_as_strict() -> None:
    """A model read by hand refuses the same documents."""
    with pytest.raises(errors.DecodeError, match=r"/data/0/url: expected null or a string, got 5"):
        models.ImagesResponse.from_dict({"data": [{"url": 5}]})


def test_unknown_fields_are_kept() -> None:
    """What a gateway adds survives a round trip."""
    document = {"data": [{"url": "a", "width": 512}], "usage": {"images": 1}, "created": 5}
    assert models.ImagesResponse.from_dict(document).to_dict() == document


@pytest.mark.parametrize("code", [None, "", "invalid", 5, 1.5, True, [], {"a": 1}])
def test_error_code_is_of_any_type(code: Any) -> None:
    """The upstream's code is passed on as it came."""
    detail = models.ErrorResponse.from_dict({"error": {"code": code}}).error
    assert detail.code == code


def test_undeclared_status_raises() -> None:
    """An operation that declares no default says so when another status comes, unless told to pass None on."""
    outcomes: Outcomes[Any, Any] = Outcomes("GET /v1/things", {"200": ("json", Any), "5XX": ("json", Any)})
    undeclared = httpx.Response(404, json=FAULT)
    with pytest.raises(errors.UnexpectedStatus, match="GET /v1/things: status 404"):
        outcomes.parse(undeclared, client())
    assert outcomes.parse(undeclared, client(raise_on_unexpected_status=False)).parsed is None
    assert outcomes.parse(httpx.Response(599, json=FAULT), client()).parsed == FAULT


@pytest.mark.parametrize("function", [create_image.sync, create_image.asyncio])
def test_docstrings_name_the_errors(function: Callable[..., Any]) -> None:
    """What a function raises stands in its docstring."""
    assert function.__doc__
    assert all(name in function.__doc__ for name in ("ErrorStatus", "UnexpectedStatus", "InvalidBody"))


class _OwnError(Exception):
    pass


class _OwnClient(AuthenticatedClient):
    def error(self, error: errors.ResponseError) -> Exception:
        return _OwnError(error.status_code)


@both
@pytest.mark.parametrize(("status", "document"), [(200, {"data": 5}), (400, FAULT), (500, "x")])
def test_client_chooses_the_errors(call: Callable[..., models.ImagesResponse], status: int, document: Any) -> None:
    """A client that overrides error() decides what the endpoint functions raise."""
    flux = _OwnClient(base_url=BASE, token=TOKEN)
    with pytest.raises(_OwnError):
        call(flux, httpx.Response(status, json=document))


def test_request_builder_and_json_parser_are_public() -> None:
    """Whoever sends and reads by other means gets the same request and the same types."""
    request = httpx.Client(base_url=BASE).build_request(**create_image.build_request(body=BODY))
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/v1/images/generations")
    assert isinstance(create_image.parse_json(200, PICTURE), models.ImagesResponse)
    assert isinstance(create_image.parse_json(418, FAULT), models.ErrorResponse)
    with pytest.raises(errors.InvalidBody):
        create_image.parse_json(200, {"data": 5})

"""Wrong clients: the right one, with what it sends or what it makes of answers changed in one way."""

from __future__ import annotations

import json
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx

from contract_tests.checks.client import BASE, Client
from flux_images_api.errors import ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable


class Sends(Client):
    """A client whose requests are changed on their way out."""

    def __init__(self, change: Callable[[httpx.Request], httpx.Request | None]) -> None:
        super().__init__()
        self._change = change

    def open(self, base_url: str | None = BASE, **options: Any) -> Any:
        """A `FluxImages` over a connection that spoils requests."""
        return super().open(base_url, **options, http_client=_Spoiling(self._change))


class _Spoiling(httpx.Client):
    def __init__(self, change: Callable[[httpx.Request], httpx.Request | None]) -> None:
        super().__init__(trust_env=False)
        self._spoil = change

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        return super().send(self._spoil(request) or request, **options)


def _line(name: str, value: str | None) -> Client:
    def change(request: httpx.Request) -> None:
        request.headers.pop(name, None)
        if value is not None:
            request.headers[name] = value

    return Sends(change)


def _url(change: Callable[[httpx.URL], httpx.URL]) -> Client:
    def spoil(request: httpx.Request) -> None:
        request.url = change(request.url)

    return Sends(spoil)


def _body(change: Callable[[dict[str, Any]], Any]) -> Client:
    def spoil(request: httpx.Request) -> httpx.Request:
        request.read()
        headers = [line for line in request.headers.raw if line[0].lower() != b"content-length"]
        content = json.dumps(change(json.loads(request.content))).encode()
        return httpx.Request(
            request.method, request.url, headers=headers, content=content, extensions=request.extensions
        )

    return Sends(spoil)


def _method(request: httpx.Request) -> None:
    request.method = "PUT"


class Keeps(Client):
    """A client that changes what it was asked for before it checks it."""

    def __init__(self, change: Callable[[dict[str, Any]], dict[str, Any]], **options: Any) -> None:
        super().__init__()
        self._change = change
        self._options = options

    def generate(self, body: dict[str, Any], base_url: str | None = BASE, **options: Any) -> Any:
        """`generate` of something else."""
        return super().generate(self._change(body), base_url, **options)

    def open(self, base_url: str | None = BASE, **options: Any) -> Any:
        """A `FluxImages` with other habits."""
        return super().open(base_url, **{**options, **self._options})


class Reads(Client):
    """A client with another reader of answers."""

    def __init__(self, read: Callable[[Any, httpx.Response], Any]) -> None:
        super().__init__()
        self._read = read

    def endpoint(self, operation_id: str) -> Any:
        """The generated module, with `parse_response` replaced."""
        real = super().endpoint(operation_id)
        parts = {**vars(real), "parse_response": lambda answer: SimpleNamespace(parsed=self._read(real, answer))}
        return SimpleNamespace(**parts)


class Returns(Client):
    """A client that returns errors instead of raising them."""

    def call(self, *arguments: Any, **options: Any) -> Any:
        """A generated function whose errors are values."""
        with suppress(self.sdk.APIStatusError):
            return super().call(*arguments, **options)
        return None


class _Forgetful(dict[str, Any]):
    def to_dict(self) -> dict[str, Any]:
        return self


def _without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in names}


def _camel(body: dict[str, Any]) -> dict[str, Any]:
    return {("aspectRatio" if key == "aspect_ratio" else key): value for key, value in body.items()}


def _within(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "n": min(body["n"], 10)} if isinstance(body.get("n"), int) else body


def _texts(change: Callable[[str], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: {key: change(value) if key == "prompt" else value for key, value in body.items()}


_FIELDS = {"aspect_ratio", "n", "response_format", "seed", "output_format", "raw", "safety_tolerance"}

WRONG_CLIENTS: dict[str, Callable[[], Client]] = {
    "the key as Token": lambda: _line("Authorization", "Token sk-contract"),
    "the bare key": lambda: _line("Authorization", "sk-contract"),
    "no key": lambda: _line("Authorization", None),
    "lower-case bearer": lambda: _line("Authorization", "bearer sk-contract"),
    "the key in another header too": lambda: _line("x-api-key", "sk-contract"),
    "the key in the query": lambda: _url(lambda url: url.copy_merge_params({"key": "sk-contract"})),
    "a slash at the end of the path": lambda: _url(lambda url: url.copy_with(path=f"{url.path}/")),
    "a path without /v1": lambda: _url(lambda url: url.copy_with(path=url.path.removeprefix("/v1"))),
    "another host": lambda: _url(lambda url: url.copy_with(host="other.example")),
    "PUT for POST": lambda: Sends(_method),
    "text/plain": lambda: _line("Content-Type", "text/plain"),
    "an undeclared header": lambda: _line("X-Trace", "1"),
    "a cookie": lambda: _line("Cookie", "session=1"),
    "aspectRatio": lambda: _body(_camel),
    "the prompt trimmed": lambda: _body(_texts(str.strip)),
    "the prompt without line breaks": lambda: _body(_texts(lambda text: text.replace("\n", " "))),
    "the prompt in ASCII": lambda: _body(_texts(lambda text: text.encode("ascii", "replace").decode())),
    "numbers as texts": lambda: _body(
        lambda body: {key: str(value) if key == "n" else value for key, value in body.items()}
    ),
    "its own model always": lambda: _body(lambda body: {**body, "model": "flux-pro-1.1-ultra"}),
    "null for what was not given": lambda: _body(lambda body: {**dict.fromkeys(_FIELDS), **body}),
    "n: 1 of its own": lambda: _body(lambda body: {"n": 1, **body}),
    "a user of its own": lambda: _body(lambda body: {**body, "user": "me"}),
    "false is left out": lambda: _body(lambda body: {key: value for key, value in body.items() if value}),
    "undeclared fields are dropped": lambda: _body(lambda body: _without(body, "undeclared")),
    "the body in a list": lambda: _body(lambda body: [body]),
    "too many is taken as the most": lambda: Keeps(_within),
    "an empty prompt is filled": lambda: Keeps(_texts(lambda text: text or "a picture")),
    "a ratio is left out when it is odd": lambda: Keeps(lambda body: _without(body, "aspect_ratio")),
    "paid twice after a 500": lambda: Keeps(dict, retry_possibly_billed=True),
    "any answer is taken": lambda: Reads(lambda real, answer: _Forgetful(answer.json())),
    "unknown fields of answers are dropped": lambda: Reads(_forget),
    "an empty answer for a bad one": lambda: Reads(_shrug),
    "errors are returned": Returns,
}


def _forget(real: Any, answer: httpx.Response) -> Any:
    parsed = real.parse_response(answer).parsed
    parsed.additional_properties.clear()
    return parsed


def _shrug(real: Any, answer: httpx.Response) -> Any:
    with suppress(ResponseError):
        return real.parse_response(answer).parsed
    return None

"""Wrong mocks: a proxy before the right one, which changes what goes in or what comes out."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_LARGEST = 2**20


class Message(NamedTuple):
    """A request (`status` 0) or an answer."""

    status: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of a name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def with_header(self, name: str, value: str | None) -> Message:
        """The same with one header put, or left out."""
        rest = tuple(line for line in self.headers if line[0].lower() != name.lower())
        return self._replace(headers=rest if value is None else (*rest, (name, value)))

    def with_json(self, change: Callable[[Any], Any]) -> Message:
        """The same with its JSON body changed, if it has one."""
        try:
            return self._replace(body=json.dumps(change(json.loads(self.body))).encode())
        except ValueError:
            return self


Forward = "Callable[[Message], Message]"
Wrong = "Callable[[Message, Forward], Message]"


def _answers(change: Callable[[Message], Message]) -> Any:
    """Only what comes out of the API is changed."""

    def wrong(request: Message, forward: Any) -> Message:
        answer: Message = forward(request)
        return change(answer) if request.path.startswith("/v1") else answer

    return wrong


def _requests(change: Callable[[Message], Message]) -> Any:
    """Only what goes in is changed: a mock that doesn't see it."""
    return lambda request, forward: forward(change(request))


def _status(old: int, new: int) -> Any:
    return _answers(lambda answer: answer._replace(status=new) if answer.status == old else answer)


def _success(change: Callable[[Any], Any]) -> Any:
    return _answers(lambda answer: answer.with_json(change) if answer.status == 200 else answer)


def _failure(change: Callable[[Any], Any]) -> Any:
    return _answers(lambda answer: answer.with_json(change) if answer.status >= 400 else answer)


def _blind_to(field: str) -> Any:
    return _requests(lambda request: request.with_json(lambda body: _without(body, field)))


def _without(body: Any, *fields: str) -> Any:
    return {key: value for key, value in body.items() if key not in fields} if isinstance(body, dict) else body


def _refuses(wrong: Callable[[Any], bool]) -> Any:
    """Turns good requests away: the body that asks for too much does so."""

    def judge(request: Message, forward: Any) -> Message:
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if isinstance(body, dict) and wrong(body):
            request = request.with_json(lambda old: {**old, "prompt": ""})
        answer: Message = forward(request)
        return answer

    return judge


def _if_refused(then: Callable[[Message], Message]) -> Any:
    def wrong(request: Message, forward: Any) -> Message:
        answer: Message = forward(request)
        return forward(then(request)) if answer.status == 400 else answer

    return wrong


def _numbers(body: Any) -> Any:
    """Texts of digits taken for numbers."""
    if not isinstance(body, dict):
        return body
    return {key: int(value) if isinstance(value, str) and value.isdigit() else value for key, value in body.items()}


def _items(change: Callable[[Any], Any]) -> Any:
    return _success(lambda body: {**body, "data": [change(item) for item in body.get("data") or []]})


def _body_first(request: Message, forward: Any) -> Message:
    let_in: Message = forward(request.with_header("Authorization", "Bearer sk-any"))
    return let_in if let_in.status == 400 else forward(request)


_GOOD = b'{"model": "flux-dev", "prompt": "a medal"}'

WRONG_MOCKS: dict[str, Any] = {
    "401 as 403": _status(401, 403),
    "400 as 422": _status(400, 422),
    "404 as 405": _status(404, 405),
    "413 as 400": _status(413, 400),
    "200 as 201": _status(200, 201),
    "every error as 500": _answers(lambda answer: answer._replace(status=500) if answer.status >= 400 else answer),
    "no X-Oneapi-Request-Id": _answers(lambda answer: answer.with_header("X-Oneapi-Request-Id", None)),
    "no x-request-id": _answers(lambda answer: answer.with_header("x-request-id", None)),
    "an empty request id": _answers(lambda answer: answer.with_header("x-request-id", "")),
    "an undeclared header": _answers(lambda answer: answer.with_header("X-Trace", "1")),
    "labelled as HTML": _answers(lambda answer: answer.with_header("Content-Type", "text/html")),
    "no media type": _answers(lambda answer: answer.with_header("Content-Type", None)),
    "half of the JSON": _answers(lambda answer: answer._replace(body=answer.body[:-2])),
    "an error that is a text": _failure(lambda body: {"error": "boom"}),
    "an error without its envelope": _failure(lambda body: body["error"]),
    "an error as a list": _failure(lambda body: [body]),
    "a message in another field": _failure(lambda body: {"error": {"msg": "no", "type": "x"}}),
    "an error of a number": _failure(lambda body: {"error": {**body["error"], "message": 5}}),
    "data under another name": _success(lambda body: {"images": body.get("data")}),
    "data as an object": _success(lambda body: {**body, "data": {"0": body.get("data")}}),
    "created as a date": _success(lambda body: {**body, "created": "2026-11-22"}),
    "url as a number": _items(lambda item: {**item, "url": 5}),
    "an image as a text": _items(lambda item: item.get("url", "")),
    "url for b64_json": _blind_to("response_format"),
    "always one picture": _blind_to("n"),
    "another ratio": _blind_to("aspect_ratio"),
    "another format": _blind_to("output_format"),
    "sees no seed": _blind_to("seed"),
    "everyone is let in": _requests(lambda request: request.with_header("Authorization", "Bearer sk-any")),
    "a bare key is let in": _requests(
        lambda request: request.with_header(
            "Authorization", f"Bearer {(request.header('Authorization') or '').split(' ')[-1]}"
        )
    ),
    "the body is judged before the key": _body_first,
    "any body is taken": _if_refused(lambda request: request._replace(body=_GOOD)),
    "null is taken as absent": _requests(
        lambda request: request.with_json(lambda body: {key: value for key, value in body.items() if value is not None})
    ),
    "texts are taken as numbers": _requests(lambda request: request.with_json(_numbers)),
    "any media type is taken": _requests(lambda request: request.with_header("Content-Type", "application/json")),
    "any path is taken": _requests(lambda request: request._replace(path=request.path.rstrip("/x"))),
    "refuses models it does not know": _refuses(lambda body: body.get("model") == "text"),
    "refuses undeclared fields": _refuses(lambda body: "undeclared" in body),
    "refuses what is not ASCII": _refuses(lambda body: not str(body.get("prompt", "")).isascii()),
    "refuses ten pictures": _refuses(lambda body: body.get("n") == 10),
    "refuses 21:9": _refuses(lambda body: body.get("aspect_ratio") == "21:9"),
    "says only that it is wrong": _failure(lambda body: {"error": {**body["error"], "message": "bad request"}}),
    "lists no differences": _answers(lambda answer: answer.with_header("x-mock-violations", None)),
}


@contextmanager
def proxy(target: str, wrong: Any) -> Generator[str]:
    """A server on loopback before another one; gives its address."""
    place = urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if self.raw_requestline and self.parse_request():
                self._exchange()
            self.close_connection = True

        def _exchange(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length < _LARGEST else b""
            request = Message(0, self.command, self.path, tuple(self.headers.items()), body)
            answer: Message = wrong(request, self._forward)
            self.send_response_only(answer.status)
            for name, value in answer.with_header("Content-Length", str(len(answer.body))).headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def _forward(self, request: Message) -> Message:
            connection = HTTPConnection(place.hostname or "", place.port, timeout=10)
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            large = int(request.header("Content-Length") or 0) >= _LARGEST
            sized = (
                request if large or not request.body else request.with_header("Content-Length", str(len(request.body)))
            )
            for name, value in sized.headers:
                connection.putheader(name, value)
            connection.endheaders(request.body)
            found = connection.getresponse()
            answer = Message(found.status, "", "", tuple(found.getheaders()), found.read())
            connection.close()
            return answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

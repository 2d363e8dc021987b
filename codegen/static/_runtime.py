"""Reads answers for the endpoints: which type a status declares, and whether the body is of that type."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, Generic, Literal, NoReturn, TypeVar, cast
from urllib.parse import quote

import httpx

from ._decode import decoder
from .client import AuthenticatedClient, Client
from .errors import DecodeError, ErrorStatus, InvalidBody, Received, UnexpectedStatus
from .types import File, Response

Source = Literal["json", "text", "bytes", "none"]
Success = TypeVar("Success")
Declared = TypeVar("Declared")

_DEFAULTS = Client(base_url="")


class Outcomes(Generic[Success, Declared]):
    """The answers that the contract declares for one operation.

    `Success` is the type of its 2xx answers, `Declared` that of all of them.

    Attributes:
        operation: The method and path template, as `POST /v1/things/{thing_id}`.
        statuses: The declared statuses, ranges and `default`, as the contract writes them.
    """

    def __init__(self, operation: str, declared: Mapping[str, tuple[Source, Any]]) -> None:
        self.operation = operation
        self.statuses = frozenset(declared)
        self._declared = declared
        self._has_success = any(pattern.startswith("2") for pattern in declared)

    def parse(self, response: httpx.Response, client: AuthenticatedClient | Client = _DEFAULTS) -> Response[Declared]:
        """The answer with its typed body, whatever the status.

        Raises:
            UnexpectedStatus: The contract does not declare the status, and the client raises on such.
            InvalidBody: The body is not what the contract declares for the status.
            Exception: What `client.error` made of one of the two.
        """
        try:
            parsed = self._parse(response)
        except DecodeError as problem:
            raise client.error(InvalidBody(problem, **self._received(response))) from problem
        except UnexpectedStatus as error:
            if client.raise_on_unexpected_status:
                raise client.error(error) from None
            parsed = cast("Declared", None)
        return Response(
            status_code=response.status_code, content=response.content, headers=response.headers, parsed=parsed
        )

    def success(self, response: httpx.Response, client: AuthenticatedClient | Client = _DEFAULTS) -> Success:
        """The typed body of a success.

        Raises:
            ErrorStatus: The answer is an error that the contract declares.
            UnexpectedStatus, InvalidBody: As for `parse`.
        """
        parsed = self.parse(response, client).parsed
        if self._has_success and not (self._pattern(response.status_code) or "").startswith("2"):
            raise client.error(ErrorStatus(parsed, **self._received(response)))
        return cast("Success", parsed)

    def parse_json(self, status_code: int, document: object) -> Declared:
        """The typed body, from a JSON document that the caller decoded.

        Raises:
            UnexpectedStatus: The contract does not declare the status.
            InvalidBody: The document is not what the contract declares for the status.
        """
        pattern = self._pattern(status_code)
        if pattern is None:
            raise UnexpectedStatus(**self._received(httpx.Response(status_code)))
        try:
            return cast("Declared", decoder(self._declared[pattern][1])(document, ""))
        except DecodeError as problem:
            raise InvalidBody(problem, **self._received(httpx.Response(status_code))) from problem

    def _parse(self, response: httpx.Response) -> Declared:
        pattern = self._pattern(response.status_code)
        if pattern is None:
            raise UnexpectedStatus(**self._received(response))
        return cast("Declared", _read(response, *self._declared[pattern]))

    def _pattern(self, status_code: int) -> str | None:
        candidates = (str(status_code), f"{status_code // 100}XX", "default")
        return next((pattern for pattern in candidates if pattern in self._declared), None)

    def _received(self, response: httpx.Response) -> Received:
        return {
            "operation": self.operation,
            "status_code": response.status_code,
            "headers": response.headers,
            "content": response.content,
        }


def path(template: str, parameters: Mapping[str, object]) -> str:
    """A path with its parameters in place, each kept to where it stands.

    Raises:
        ValueError: A segment would be `.` or `..`, which clients, proxies and servers take as a way to another path.
    """
    filled = template.format(**{name: quote(_path_text(value), safe="") for name, value in parameters.items()})
    if not {".", ".."}.isdisjoint(filled.split("/")):
        raise ValueError(f"{template} cannot be called with {parameters}: dots alone lead to another path")
    return filled


def multipart_boundary() -> str:
    """A boundary for one body, which no file can know and so end the form."""
    return secrets.token_hex(16)


def _path_text(value: object) -> str:
    """A parameter as it stands in a path, before it is quoted: as JSON has it, not as Python shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _read(response: httpx.Response, source: Source, annotation: Any) -> Any:
    if source == "none":
        return None
    if source == "bytes":
        return File(payload=BytesIO(response.content))
    return decoder(annotation)(response.text if source == "text" else _json(response), "")


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        if not response.content:
            got = "an empty body"
        elif response.headers.get("content-type", "").startswith("text/html"):
            got = "a web page (is the base URL right?)"
        else:
            got = f"{len(response.content)} bytes that are not valid JSON"
        raise DecodeError("", "JSON", got) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")

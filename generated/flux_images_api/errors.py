# Generated from openapi.yaml. Do not edit: make sdk
"""What the functions of this package raise.

- ResponseError: the answer is not the declared success; it carries `status_code`, `headers` and `content`
  - ErrorStatus: an error that the contract declares, typed, in `parsed`
  - UnexpectedStatus: a status that the contract does not declare
  - InvalidBody: a body that is not what the contract declares for its status (not JSON, cut short, wrong types)
- DecodeError: a document that is not of the declared type; `InvalidBody` is made from it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

__all__ = ["DecodeError", "ErrorStatus", "InvalidBody", "ResponseError", "UnexpectedStatus"]


class DecodeError(ValueError):
    """A JSON document is not of the declared type.

    Attributes:
        where: JSON pointer to the value at fault; empty for the whole document.
        expected: What the contract declares there, in words.
        got: What was found, shortened.
    """

    def __init__(self, where: str, expected: str, got: str) -> None:
        self.where = where
        self.expected = expected
        self.got = got
        super().__init__(where, expected, got)

    def __str__(self) -> str:
        return f"{self.where or 'the body'}: expected {self.expected}, got {self.got}"


class Received(TypedDict):
    """The answer that an error is about."""

    operation: str
    status_code: int
    headers: Mapping[str, str]
    content: bytes


class ResponseError(Exception):
    """The answer is not the declared success.

    Attributes:
        operation: The operation's method and path template, as `POST /v1/things/{thing_id}`.
        status_code: The HTTP status, 100 to 999.
        headers: The answer's headers.
        content: The answer's body, in bytes as received.
    """

    def __init__(self, message: str, **received: Unpack[Received]) -> None:
        self.message = message
        self.operation = received["operation"]
        self.status_code = received["status_code"]
        self.headers = received["headers"]
        self.content = received["content"]
        super().__init__(message)

    def __str__(self) -> str:
        return f"{self.operation}: status {self.status_code}: {self.message}"


class ErrorStatus(ResponseError):
    """An error that the contract declares.

    Attributes:
        parsed: The body, as the type that the contract declares for this status.
    """

    def __init__(self, parsed: object, **received: Unpack[Received]) -> None:
        self.parsed = parsed
        super().__init__("the server answers with an error", **received)


class UnexpectedStatus(ResponseError):
    """A status that the contract does not declare."""

    def __init__(self, **received: Unpack[Received]) -> None:
        super().__init__("the contract does not declare this status", **received)


class InvalidBody(ResponseError):
    """A body that is not what the contract declares for its status.

    Attributes:
        problem: Where the body differs, what was expected, and what was found.
    """

    def __init__(self, problem: DecodeError, **received: Unpack[Received]) -> None:
        self.problem = problem
        super().__init__(str(problem), **received)

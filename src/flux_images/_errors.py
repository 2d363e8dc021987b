"""What can go wrong, as one tree.

FluxImagesError                     everything that this package raises on purpose
├── ConfigurationError              the key, the address or an option cannot be used (also a ValueError)
├── InvalidRequestError             the contract refuses the request; nothing was sent (also a ValueError)
├── ClientClosedError               the client was closed before the call
├── APIConnectionError              no answer arrived
│   └── APITimeoutError             ... in the time allowed
├── APIStatusError                  the gateway answered with an error
│   ├── BadRequestError             400, 422
│   │   └── ModerationError         the prompt or the picture was refused by moderation
│   ├── AuthenticationError         401
│   ├── PermissionDeniedError       403
│   │   └── QuotaExceededError      no credit left, whatever the status
│   ├── NotFoundError               404
│   ├── PayloadTooLargeError        413
│   ├── RateLimitError              429
│   └── InternalServerError         500 to 599
│       ├── ModelUnavailableError   no channel offers the model now
│       └── GatewayTimeoutError     408, 504, 524
├── UnexpectedResponseError         a success that is not what the contract says: not JSON, wrong types, cut
├── EmptyGenerationError            a success without a picture
├── PendingGenerationError          a success that names a task: the picture comes later
└── ImageDownloadError              the picture exists and is paid for, but could not be fetched
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Deviation(NamedTuple):
    """Where an answer differs from the contract (a JSON pointer, empty for the whole), what was expected, what came."""

    where: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.where or 'the answer'}: expected {self.expected}, got {self.got}"


class Bought(Protocol):
    """What an error can hold of the call that was paid for: a ``Generation`` or an ``AsyncGeneration``."""

    request_id: str | None

    @property
    def images(self) -> Sequence[Any]:
        """The pictures: each an ``Image`` or an ``AsyncImage``."""
        ...

    @property
    def image(self) -> Any:
        """The first of them."""
        ...


class FluxImagesError(Exception):
    """The base of all errors of this package.

    ``may_have_been_billed`` says whether the call can have cost money. It is False only where that is
    certain, so a program may buy again when it is False and must ask a person when it is True.
    ``request_id`` is the gateway's own id of the call, for its support, or None. ``document`` is the decoded answer,
    if one came that could be decoded, and ``deviations`` says where it differs from the contract.
    """

    document: Any = None
    deviations: tuple[Deviation, ...] = ()

    def __init__(self, message: str, *, may_have_been_billed: bool = False, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.may_have_been_billed = may_have_been_billed
        self.request_id = request_id

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        notes: list[str] = []
        if self.request_id:
            notes.append(f"request id {self.request_id}")
        if self.may_have_been_billed:
            notes.append("may have been billed")
        return f"{self.message} ({'; '.join(notes)})" if notes else self.message


def _restore(kind: type[FluxImagesError], args: tuple[Any, ...], state: dict[str, Any]) -> FluxImagesError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class ConfigurationError(FluxImagesError, ValueError):
    """The key, the base URL or an option of the client cannot be used. Nothing was sent."""


class InvalidRequestError(FluxImagesError, ValueError):
    """The contract refuses this request. Nothing was sent; the message names the field."""


class ClientClosedError(FluxImagesError):
    """The client was closed before the call. Nothing was sent."""


class APIConnectionError(FluxImagesError):
    """No answer arrived: the connection failed, broke, or was never made.

    ``can_heal`` says whether another attempt may do better.
    """

    can_heal = True


class APITimeoutError(APIConnectionError):
    """No whole answer arrived in the time allowed."""


class APIStatusError(FluxImagesError):
    """The gateway answered with an error.

    ``status_code`` is the HTTP status (100 to 999; 200 if a success carried an error). ``code`` and ``type``
    are the gateway's own words for programs, or None. ``retry_after`` is the wait that the gateway asked for,
    in seconds, or None. ``body`` is the answer's text, shortened and without control characters.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        code: str | None = None,
        type: str | None = None,  # noqa: A002 -- the gateway's own name for it
        request_id: str | None = None,
        retry_after: float | None = None,
        body: str = "",
        may_have_been_billed: bool = True,
    ) -> None:
        super().__init__(message, may_have_been_billed=may_have_been_billed, request_id=request_id)
        self.status_code = status_code
        self.code = code
        self.type = type
        self.retry_after = retry_after
        self.body = body

    def __str__(self) -> str:
        label = f"{self.status_code} {self.code}" if self.code else str(self.status_code)
        return f"{label}: {super().__str__()}"


class BadRequestError(APIStatusError):
    """400 or 422: the gateway or the model does not accept the request."""


class ModerationError(BadRequestError):
    """Moderation refused the prompt, or withheld the picture (then it may have been billed)."""


class AuthenticationError(APIStatusError):
    """401: the key is missing, unknown, expired or disabled."""


class PermissionDeniedError(APIStatusError):
    """403: the account may not do this."""


class QuotaExceededError(PermissionDeniedError):
    """The account or the key has no credit left, whatever the status (400, 401, 402, 403 and 429 occur)."""


class NotFoundError(APIStatusError):
    """404: no such path or method. Most often the base URL is wrong."""


class PayloadTooLargeError(APIStatusError):
    """413: the request is larger than the gateway takes."""


class RateLimitError(APIStatusError):
    """429: too many requests, here or at the model's hosts. Not billed."""


class InternalServerError(APIStatusError):
    """500 to 599: the gateway, the network in front of it, or the model's host failed."""


class ModelUnavailableError(InternalServerError):
    """No channel of the gateway offers this model now; the name may also be wrong. Not billed."""


class GatewayTimeoutError(InternalServerError):
    """408, 504 or 524: the model took longer than a proxy on the way waits. Whether it was billed is unknown."""


class UnexpectedResponseError(FluxImagesError):
    """A success that is not what the contract says: not JSON, a wrong shape or type, or cut short.

    ``status_code`` is the HTTP status, ``body`` the answer's text, shortened and without control characters.
    ``truncated`` says that the connection broke before the answer's end.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        request_id: str | None = None,
        body: str = "",
        truncated: bool = False,
        may_have_been_billed: bool = True,
    ) -> None:
        super().__init__(message, may_have_been_billed=may_have_been_billed, request_id=request_id)
        self.status_code = status_code
        self.body = body
        self.truncated = truncated


class EmptyGenerationError(FluxImagesError):
    """A success without a picture in it. ``generation`` is what came."""

    def __init__(self, message: str, *, generation: Bought, request_id: str | None = None) -> None:
        super().__init__(message, may_have_been_billed=True, request_id=request_id)
        self.generation = generation


class PendingGenerationError(FluxImagesError):
    """The gateway took the order and named a task; its picture is drawn later, and may be billed by now.

    ``task_id`` is the task's name: ``fetch_task`` asks for it. Buying again would pay twice.
    """

    def __init__(self, message: str, *, task_id: str, request_id: str | None = None) -> None:
        super().__init__(message, may_have_been_billed=True, request_id=request_id)
        self.task_id = task_id

    def __str__(self) -> str:
        return f"task {self.task_id}: {super().__str__()}"


class ImageDownloadError(FluxImagesError):
    """The picture exists and is paid for, but could not be fetched from its address.

    ``generation`` is the call that it belongs to: fetch again with ``generation.image.read()`` instead of
    buying again. ``status_code`` is the status of the picture's host, or None if it did not answer.
    """

    def __init__(
        self,
        message: str,
        *,
        generation: Bought | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, may_have_been_billed=True, request_id=request_id)
        self.generation = generation
        self.status_code = status_code

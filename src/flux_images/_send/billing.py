"""Whether a call can have cost money, as one table.

The first row that matches decides, and what matches no row may have been billed. Sources: the gateways of
this family refuse (400 to 429) before they ask the model and charge on success; a proxy that gives up
(5xx, a broken connection, a timeout) says nothing about the model, which goes on drawing.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import httpx


class Stage(Enum):
    """How far a call came."""

    NOT_SENT = "refused here, nothing sent"
    POOL = "waiting for a free connection"
    CONNECT = "connecting"
    WRITE = "sending the request"
    READ = "waiting for, or reading, the answer"
    TOTAL = "out of the call's total time"
    CANCELLED = "cancelled by the caller"
    ANSWERED = "a whole answer came, with this status"
    UNREADABLE = "a success came that cannot be read"
    DOWNLOAD = "fetching a picture that was drawn"


class Reason(Enum):
    """What an error answer means, read from its code or words."""

    OTHER = "other"
    QUOTA = "no credit left"
    PROMPT_REFUSED = "moderation refused the prompt"
    MODERATED = "moderation withheld the picture, or does not say what it refused"
    NO_CHANNEL = "no channel for the model"
    QUEUE_FULL = "the queue is full, nothing was taken in"


class _Row(NamedTuple):
    stage: Stage
    statuses: range | tuple[int, ...] | None
    reason: Reason | None
    billed: bool


TABLE: tuple[_Row, ...] = (
    _Row(Stage.NOT_SENT, None, None, False),
    _Row(Stage.POOL, None, None, False),
    _Row(Stage.CONNECT, None, None, False),
    _Row(Stage.WRITE, None, None, True),
    _Row(Stage.READ, None, None, True),
    _Row(Stage.TOTAL, None, None, True),
    _Row(Stage.CANCELLED, None, None, True),
    _Row(Stage.UNREADABLE, None, None, True),
    _Row(Stage.DOWNLOAD, None, None, True),
    _Row(Stage.ANSWERED, range(200, 300), None, True),
    _Row(Stage.ANSWERED, (301, 307, 308), None, False),
    _Row(Stage.ANSWERED, range(400, 600), Reason.MODERATED, True),
    _Row(Stage.ANSWERED, (400, 401, 402, 403, 404, 405, 406, 407, 411, 413, 414, 415, 422, 429, 431), None, False),
    _Row(Stage.ANSWERED, (503,), Reason.NO_CHANNEL, False),
    _Row(Stage.ANSWERED, (503,), Reason.QUEUE_FULL, False),
    _Row(Stage.ANSWERED, range(500, 600), None, True),
)


def may_have_been_billed(stage: Stage, status: int | None = None, reason: Reason = Reason.OTHER) -> bool:
    """Look the call up in the table."""
    for row in TABLE:
        if (
            row.stage is stage
            and (row.statuses is None or status in row.statuses)
            and (row.reason is None or row.reason is reason)
        ):
            return row.billed
    return True


def is_billed(request: httpx.Request) -> bool:
    """Whether the operation that a request calls costs money; a request that the contract does not know does."""
    matching = [
        billed for method, path, billed in _operations() if method == request.method and path.search(request.url.path)
    ]
    return any(matching) if matching else True


def is_billed_operation(name: str) -> bool:
    """The same for an operation's method and path, as in ``POST /v1/things/{thing_id}``."""
    from flux_images_api.contract import OPERATIONS  # `import flux_images` stays light without it

    return next((found.billed for found in OPERATIONS.values() if f"{found.method} {found.path}" == name), True)


@cache
def _operations() -> tuple[tuple[str, re.Pattern[str], bool], ...]:
    from flux_images_api.contract import OPERATIONS  # as above

    return tuple(
        (
            operation.method,
            re.compile(re.sub(r"\\{[^/]+?\\}", "[^/]+", re.escape(operation.path)) + "$"),
            operation.billed,
        )
        for operation in OPERATIONS.values()
    )

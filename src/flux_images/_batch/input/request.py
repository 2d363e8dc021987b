"""What a row of a batch asks for: checked by the contract, and known by its name or its content."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from flux_images._batch.input.prompts import BadLine
from flux_images._errors import InvalidRequestError
from flux_images._request.build import check_body
from flux_images._text import one_line
from flux_images_api.contract import OPERATIONS, SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_images._batch.input.prompts import Row

_LONGEST_ID = 200
"""Characters."""


class Request(NamedTuple):
    """A request that the contract takes. ``digest`` stands for its content, whatever the order of its fields."""

    line: int
    id: str | None
    digest: str
    text: str
    """Its fields as JSON."""
    asked: int
    """How many pictures it asks for."""


def checked(row: Row, defaults: Mapping[str, Any]) -> Request | BadLine:
    """The request of a row; what the row does not say, ``defaults`` does."""
    body = {**defaults, **{name: value for name, value in row.fields.items() if value is not None}}
    try:
        extra = body.get("extra_body", {})
        check_body({name: value for name, value in body.items() if name != "extra_body"}, _BODY, SCHEMAS)
        if not isinstance(extra, dict):
            raise InvalidRequestError("extra_body: expected an object")
        if row.id is not None and (len(row.id) > _LONGEST_ID or not row.id.isprintable()):
            raise InvalidRequestError(f"id: expected at most {_LONGEST_ID} characters that can be printed")
        if not str(body["prompt"]).strip():
            raise InvalidRequestError("prompt: is empty")
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    except (InvalidRequestError, ValueError, RecursionError, TypeError) as error:
        return BadLine(row.line, one_line(str(error), 300))
    return Request(row.line, row.id, digest, text, int(body.get("n", 1)))


_BODY = OPERATIONS["create_image"].body

"""From arguments to the HTTP request of ``create_image``, checked against the contract; it holds no key."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

from flux_images._errors import InvalidRequestError
from flux_images._request.options import check_headers
from flux_images._request.rules import check_body
from flux_images._text import one_line
from flux_images_api.api.images import create_image
from flux_images_api.contract import OPERATIONS, SCHEMAS
from flux_images_api.models import CreateImageRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_images._request.options import Options


def build_request(
    options: Options,
    fields: Mapping[str, Any],
    extra_body: Mapping[str, Any] | None,
    extra_headers: Mapping[str, str] | None,
) -> httpx.Request:
    """The request; a field that is None is left out.

    Raises:
        InvalidRequestError: the contract refuses it, or ``extra_body`` holds a field that has an argument.
        ConfigurationError: a header cannot be sent.
    """
    body = {name: value for name, value in fields.items() if value is not None}
    for name in extra_body or ():
        if name in CreateImageRequest.JSON_NAMES.values():
            raise InvalidRequestError(f"extra_body: {name!r} has an argument of its own; pass {name}=... instead")
    check_body(body, OPERATIONS["create_image"].body, SCHEMAS)
    model = CreateImageRequest(**body)
    model.additional_properties = dict(extra_body or {})
    arguments = create_image.build_request(body=model)
    own_headers = arguments.pop("headers", {})
    try:
        # Client.build_request() would merge what is merged here, at twice the cost of all else.
        request = httpx.Request(
            arguments.pop("method"),
            _url(str(options.base_url), arguments.pop("url")),
            headers=options.headers,
            **arguments,
        )
    except (TypeError, ValueError, RecursionError):
        raise _unwritable(arguments["json"]) from None
    for name, value in {**own_headers, **check_headers(extra_headers)}.items():
        request.headers[name] = value
    return request


@cache
def _url(base: str, path: str) -> httpx.URL:
    return httpx.URL(base.rstrip("/") + path)


def _unwritable(body: Mapping[str, Any]) -> InvalidRequestError:
    """The error for a body that cannot be written as JSON; names the field."""
    for name, value in body.items():
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            return InvalidRequestError(f"{name}: cannot be written as JSON: {one_line(str(error), 100)}")
    return InvalidRequestError("the body cannot be written as JSON")

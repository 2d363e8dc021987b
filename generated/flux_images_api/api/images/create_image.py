# Generated from openapi.yaml. Do not edit: make sdk
from typing import Any

import httpx

from ..._runtime import Outcomes
from ...client import AuthenticatedClient
from ...models.create_image_request import CreateImageRequest
from ...models.error_response import ErrorResponse
from ...models.images_response import ImagesResponse
from ...types import Response

OUTCOMES: Outcomes[ImagesResponse, ImagesResponse | ErrorResponse] = Outcomes(
    "POST /v1/images/generations",
    {
        "200": ("json", ImagesResponse),
        "400": ("json", ErrorResponse),
        "401": ("json", ErrorResponse),
        "403": ("json", ErrorResponse),
        "404": ("json", ErrorResponse),
        "413": ("json", ErrorResponse),
        "429": ("json", ErrorResponse),
        "500": ("json", ErrorResponse),
        "502": ("json", ErrorResponse),
        "503": ("json", ErrorResponse),
        "504": ("json", ErrorResponse),
        "524": ("json", ErrorResponse),
        "default": ("json", ErrorResponse),
    },
)
"""What each declared status answers with."""


def build_request(
    *,
    body: CreateImageRequest,
) -> dict[str, Any]:
    """The request, as keyword arguments of `httpx.Client.build_request` or `httpx.Client.request`."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/images/generations",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def parse_response(response: httpx.Response) -> Response[ImagesResponse | ErrorResponse]:
    """The typed answer, for a request that was sent by other means than the functions below.

    Raises:
        errors.UnexpectedStatus: The contract does not declare the status.
        errors.InvalidBody: The body is not what the contract declares for the status.
    """
    return OUTCOMES.parse(response)


def parse_json(status_code: int, document: object) -> ImagesResponse | ErrorResponse:
    """The typed answer, from a body that was already decoded as JSON.

    Raises:
        errors.UnexpectedStatus: The contract does not declare the status.
        errors.InvalidBody: The document is not what the contract declares for the status.
    """
    return OUTCOMES.parse_json(status_code, document)


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: CreateImageRequest,
) -> Response[ImagesResponse | ErrorResponse]:
    """Make pictures from a prompt

     Answers when the pictures are drawn, about 10 seconds each; there is no task to ask for later.
    Whoever hangs up early, or asks again after a timeout, pays for both.

    Args:
        body (CreateImageRequest): What to draw, with which model. Fields that are not listed here
            are passed on to the model.

    Raises:
        errors.UnexpectedStatus: The contract does not declare the status, and Client.raise_on_unexpected_status is True.
        errors.InvalidBody: The body is not what the contract declares for the status.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ImagesResponse | ErrorResponse]
    """

    request = build_request(
        body=body,
    )
    response = client.get_httpx_client().request(**request)
    return OUTCOMES.parse(response, client)


def sync(
    *,
    client: AuthenticatedClient,
    body: CreateImageRequest,
) -> ImagesResponse:
    """Make pictures from a prompt

     Answers when the pictures are drawn, about 10 seconds each; there is no task to ask for later.
    Whoever hangs up early, or asks again after a timeout, pays for both.

    Args:
        body (CreateImageRequest): What to draw, with which model. Fields that are not listed here
            are passed on to the model.

    Raises:
        errors.ErrorStatus: The server answers with an error that the contract declares.
        errors.UnexpectedStatus: The contract does not declare the status, and Client.raise_on_unexpected_status is True.
        errors.InvalidBody: The body is not what the contract declares for the status.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ImagesResponse
    """

    request = build_request(
        body=body,
    )
    response = client.get_httpx_client().request(**request)
    return OUTCOMES.success(response, client)


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: CreateImageRequest,
) -> Response[ImagesResponse | ErrorResponse]:
    """Make pictures from a prompt

     Answers when the pictures are drawn, about 10 seconds each; there is no task to ask for later.
    Whoever hangs up early, or asks again after a timeout, pays for both.

    Args:
        body (CreateImageRequest): What to draw, with which model. Fields that are not listed here
            are passed on to the model.

    Raises:
        errors.UnexpectedStatus: The contract does not declare the status, and Client.raise_on_unexpected_status is True.
        errors.InvalidBody: The body is not what the contract declares for the status.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ImagesResponse | ErrorResponse]
    """

    request = build_request(
        body=body,
    )
    response = await client.get_async_httpx_client().request(**request)
    return OUTCOMES.parse(response, client)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: CreateImageRequest,
) -> ImagesResponse:
    """Make pictures from a prompt

     Answers when the pictures are drawn, about 10 seconds each; there is no task to ask for later.
    Whoever hangs up early, or asks again after a timeout, pays for both.

    Args:
        body (CreateImageRequest): What to draw, with which model. Fields that are not listed here
            are passed on to the model.

    Raises:
        errors.ErrorStatus: The server answers with an error that the contract declares.
        errors.UnexpectedStatus: The contract does not declare the status, and Client.raise_on_unexpected_status is True.
        errors.InvalidBody: The body is not what the contract declares for the status.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ImagesResponse
    """

    request = build_request(
        body=body,
    )
    response = await client.get_async_httpx_client().request(**request)
    return OUTCOMES.success(response, client)

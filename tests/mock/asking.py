"""A client of the mock that knows nothing of the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from flux_images_mock import Mock

KEY = "sk-gateway-tests"
PATH = "/v1/images/generations"
BODY = {"model": "flux-pro-1.1-ultra", "prompt": "a medal", "aspect_ratio": "1:1"}


def ask(
    mock: Mock, *, key: str = KEY, headers: dict[str, str] | None = None, timeout: float = 10, **fields: Any
) -> httpx.Response:
    """Ask for pictures; returns the response."""
    sent = {"Authorization": f"Bearer {key}", **(headers or {})}
    with httpx.Client(base_url=mock.url, trust_env=False, verify=False, timeout=timeout) as client:
        return client.post(PATH, json={**BODY, **fields}, headers=sent)


def fetch(url: str, **headers: str) -> httpx.Response:
    """Fetch a picture's address."""
    with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
        return client.get(url, headers=headers)


def url_of(response: httpx.Response, index: int = 0) -> str:
    """The address of a picture in an answer."""
    url: str = response.json()["data"][index]["url"]
    return url

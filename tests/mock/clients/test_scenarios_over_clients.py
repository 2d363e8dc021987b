"""What the clients that people have make of the scenarios."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import openai
import pytest

from tests.mock.asking import PATH
from tests.mock.clients.test_clients import openai_for_node  # noqa: F401 -- a fixture  # pyright: ignore[reportUnusedImport]

if TYPE_CHECKING:
    from flux_images_mock import MockServer

# Scenario: the class of openai-python, of openai for Node, and curl's status and exit code.
OUTCOMES: dict[str, tuple[str, str, str]] = {
    "url": ("pictures", "pictures", "200 0"),
    "data-null": ("pictures", "pictures", "200 0"),
    "no-token": ("AuthenticationError", "AuthenticationError", "401 0"),
    "user-quota-exhausted": ("PermissionDeniedError", "PermissionDeniedError", "403 0"),
    "sensitive-words": ("BadRequestError", "BadRequestError", "400 0"),
    "upstream-saturated": ("RateLimitError", "RateLimitError", "429 0"),
    "rate-limited-empty": ("RateLimitError", "RateLimitError", "429 0"),
    "no-channel": ("InternalServerError", "InternalServerError", "503 0"),
    "cloudflare-502": ("InternalServerError", "InternalServerError", "502 0"),
    "cloudflare-520": ("InternalServerError", "InternalServerError", "520 0"),
    "cloudflare-524": ("InternalServerError", "InternalServerError", "524 0"),
    "reset-before-headers": ("APIConnectionError", "APIConnectionError", "000 56"),
    "cut-body": ("APIConnectionError", "TypeError", "200 18"),
    "stall-before-headers": ("APITimeoutError", "APIConnectionTimeoutError", "000 28"),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_openai_for_python(name: str, mock: MockServer) -> None:
    """openai-python raises what its documentation says; it doesn't notice a success with nothing in it."""
    with openai.OpenAI(api_key=f"sk-mock-{name}", base_url=mock.openai_base_url, max_retries=0, timeout=1) as client:
        try:
            client.images.generate(model="flux", prompt="a medal")
            found = "pictures"
        except openai.OpenAIError as error:
            found = type(error).__name__
    assert found == OUTCOMES[name][0]


@pytest.mark.slow
def test_openai_for_node(openai_for_node: Path, mock: MockServer) -> None:  # noqa: F811 -- the fixture
    """openai for Node raises what its documentation says, but for a body that is cut."""
    script = Path(__file__).parent / "scenarios.mjs"
    command = ["node", str(script), str(openai_for_node), mock.openai_base_url, *OUTCOMES]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert found == {name: outcome[1] for name, outcome in OUTCOMES.items()}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("name", OUTCOMES)
def test_curl(name: str, mock: MockServer) -> None:
    """curl gets the status, or ends with the exit code for what happened on the wire."""
    command = ["curl", "-s", "--max-time", "1", "-o", "/dev/null", "-w", "%{http_code}"]
    command += ["-H", f"Authorization: Bearer sk-mock-{name}", "-H", "Content-Type: application/json"]
    command += ["-d", '{"model": "flux", "prompt": "a medal"}', f"{mock.url}{PATH}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert f"{done.stdout} {done.returncode}" == OUTCOMES[name][2]

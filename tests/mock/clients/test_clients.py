"""The clients that people have: openai for Python, openai for Node, and curl."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest
import yaml

if TYPE_CHECKING:
    from flux_images_mock import MockServer

ROOT = Path(__file__).parents[3]
CONTRACT: Any = yaml.safe_load((ROOT / "openapi.yaml").read_text())
RESPONSES: dict[str, Any] = CONTRACT["paths"]["/v1/images/generations"]["post"]["responses"]
STATUSES = [418 if key == "default" else int(key) for key in RESPONSES if not key.startswith("2")]
CLASSES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    429: "RateLimitError",
}
MODEL, PROMPT = "flux-pro-1.1-ultra", "a lighthouse"
OPENAI_FOR_NODE = "7.57.0"


def class_of(status: int, other: str) -> str:
    return "InternalServerError" if status >= 500 else CLASSES.get(status, other)


@pytest.fixture(scope="module")
def client(server: MockServer) -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-python", base_url=server.openai_base_url, max_retries=0)


@pytest.mark.parametrize("form", ["url", "b64_json"])
def test_openai_gets_a_picture(form: Any, client: openai.OpenAI) -> None:
    """openai-python gets pictures, as addresses that resolve and as base64."""
    data = client.images.generate(model=MODEL, prompt=PROMPT, n=2, response_format=form).data or []
    assert len(data) == 2
    if form == "b64_json":
        assert all(picture.b64_json for picture in data)
    else:
        assert all(httpx.get(picture.url or "").headers["content-type"] == "image/jpeg" for picture in data)


@pytest.mark.parametrize("status", STATUSES)
def test_openai_raises_the_class_of_each_status(status: int, client: openai.OpenAI) -> None:
    """openai-python raises for each declared status what its own documentation says."""
    with pytest.raises(openai.APIStatusError) as raised:
        client.images.generate(model=MODEL, prompt=PROMPT, extra_headers={"Prefer": f"code={status}"})
    assert raised.value.status_code == status
    assert type(raised.value).__name__ == class_of(status, "APIStatusError")
    assert raised.value.response.headers["x-request-id"]


@pytest.fixture(scope="module")
def openai_for_node() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "flux-images" / f"openai-node-{OPENAI_FOR_NODE}"
    module = folder / "node_modules" / "openai" / "index.mjs"
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not installed")
    if not module.exists() and not os.environ.get("CI"):
        pytest.skip(f"openai for Node is not installed: npm install --prefix {folder} openai@{OPENAI_FOR_NODE}")
    if not module.exists():
        install = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder)]
        subprocess.run([*install, f"openai@{OPENAI_FOR_NODE}"], check=True, timeout=120)
    return module


@pytest.mark.slow
def test_openai_for_node(openai_for_node: Path, server: MockServer) -> None:
    """openai for Node gets a picture, and raises for each declared status what its own documentation says."""
    script = Path(__file__).parent / "openai.mjs"
    command = ["node", str(script), str(openai_for_node), server.openai_base_url, *map(str, STATUSES)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert found.pop("picture") == [200, "image/jpeg"]
    assert found == {str(status): [class_of(status, "APIError"), status] for status in STATUSES}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("status", [200, *STATUSES])
def test_curl(status: int, server: MockServer, tmp_path: Path) -> None:
    """curl gets each declared status, and with 200 an address from which it gets a picture."""
    answer = tmp_path / "answer"
    headers = ["Authorization: Bearer sk-curl", "Content-Type: application/json"]
    headers += [] if status == 200 else [f"Prefer: code={status}"]
    options = [part for header in headers for part in ("-H", header)]
    command = [
        "curl",
        "-s",
        "-o",
        str(answer),
        "-w",
        "%{http_code}",
        *options,
        "-d",
        json.dumps({"model": MODEL, "prompt": PROMPT}),
    ]
    address = f"{server.openai_base_url}/images/generations"
    assert (
        subprocess.run([*command, address], capture_output=True, check=True, timeout=30).stdout == str(status).encode()
    )
    body = json.loads(answer.read_bytes())
    if status == 200:
        picture = subprocess.run(["curl", "-s", body["data"][0]["url"]], capture_output=True, check=True, timeout=30)
        assert picture.stdout.startswith(b"\xff\xd8\xff")
    else:
        assert "error" in body

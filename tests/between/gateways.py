"""`make gateways`: LiteLLM's proxy and Portkey's gateway between the SDK and the mock, with retries on.

They are installed into the user's cache, by pip and npm, where they are not there yet. The table says, for each failure
of the mock: the class of the error, whether it may have been billed, the POSTs that the mock got, and its bill.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

import flux_images as flux
from flux_images_mock import MockServer

LITELLM = "litellm[proxy]==1.108.7"
PORTKEY = "@portkey-ai/gateway@1.15.2"
KEY = "sk-test-Zm9vYmFy-0123456789"
FAILURES = (
    *(None, "reset-before-headers", "cut-body", "cloudflare-524", "panic", "bad-response-status-code"),
    *("upstream-saturated", "rate-limited-seconds", "user-quota-exhausted", "sensitive-words", "empty-object"),
)
_START = 90.0


def _cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "flux-images-gateways"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _installed() -> tuple[Path, Path]:
    cache = _cache()
    litellm, portkey = cache / "litellm/bin/litellm", cache / "node_modules/@portkey-ai/gateway/build/start-server.js"
    if not litellm.exists():
        subprocess.run([sys.executable, "-m", "venv", cache / "litellm"], check=True)
        subprocess.run([cache / "litellm/bin/pip", "install", "--quiet", LITELLM], check=True)
    if not portkey.exists():
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", PORTKEY], cwd=cache, check=True)
    return litellm, portkey


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def _served(command: Sequence[str | Path], port: int, folder: Path) -> Generator[str]:
    url = f"http://127.0.0.1:{port}"
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process,
    ):
        try:
            end = time.monotonic() + _START
            while time.monotonic() < end:
                try:
                    httpx.get(url, timeout=1, trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.3)  # neither tells when it listens
            yield url
        finally:
            process.terminate()


@contextmanager
def litellm(program: Path, mock: MockServer, folder: Path) -> Generator[tuple[str, dict[str, str]]]:
    """As its documentation has it, with the number of retries that it recommends."""
    port = _free_port()
    config = {
        "model_list": [
            {
                "model_name": "flux-pro-1.1-ultra",
                "litellm_params": {
                    "model": "openai/flux-pro-1.1-ultra",
                    "api_base": f"{mock.url}/v1",
                    "api_key": KEY,
                },
                "model_info": {"mode": "image_generation"},
            }
        ],
        "litellm_settings": {"num_retries": 3, "telemetry": False},
        "general_settings": {"dangerously_permit_weak_or_unset_master_key": True},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    command: list[str | Path] = [
        program,
        "--config",
        folder / "config.yaml",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with _served(command, port, folder) as url:
        yield url, {}


@contextmanager
def portkey(program: Path, mock: MockServer, folder: Path) -> Generator[tuple[str, dict[str, str]]]:
    """With its retries on, for the statuses for which they are by default."""
    port = _free_port()
    headers = {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"{mock.url}/v1",
        "x-portkey-config": json.dumps(
            {"provider": "openai", "api_key": KEY, "custom_host": f"{mock.url}/v1", "retry": {"attempts": 3}}
        ),
    }
    with _served(["node", program, f"--port={port}", "--headless"], port, folder) as url:
        yield url, headers


def _call(url: str, headers: dict[str, str]) -> tuple[str, bool | None]:
    with flux.FluxImages(KEY, base_url=url, timeout=60, allow_local_images=True) as client:
        try:
            client.generate("a medal", extra_headers=headers)
        except flux.FluxImagesError as error:
            return type(error).__name__, error.may_have_been_billed
    return "-", None


def main() -> int:
    """Print the table; 1 if a billed call was called free, or the SDK itself sent a lost call again."""
    logging.getLogger("flux_images").setLevel(logging.ERROR)
    programs = _installed()
    wrong = 0
    folder = _cache() / "run"
    folder.mkdir(exist_ok=True)
    print(f"{'gateway':8} {'failure':26} {'class':26} {'billed?':8} {'POSTs':>5} {'bill':>4}")
    for name, serve, program in (("litellm", litellm, programs[0]), ("portkey", portkey, programs[1])):
        with MockServer() as mock, serve(program, mock, folder) as (url, headers):
            for failure in FAILURES:
                mock.reset()
                if failure:
                    mock.scenario(failure)
                kind, billed = _call(url, headers)
                posts = sum(request.method == "POST" for request in mock.requests)
                bill = mock.bill.pictures
                said = "" if billed is None else str(billed)
                lied = billed is False and bill > 0
                wrong += lied
                note = "  <- called free" if lied else ""
                print(f"{name:8} {failure or 'none':26} {kind:26} {said:8} {posts:5} {bill:4}{note}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

"""The curl command that people copy: derived from the contract, and the seed's own where it is at hand."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.contract import document as contract

if TYPE_CHECKING:
    from flux_images_mock import MockServer

SEED = contract.ROOT.parent / "shared" / "seed"

if shutil.which("curl") is None:
    pytest.skip("curl is not installed: the documented command can't be run", allow_module_level=True)


def _documented(authorization: str) -> list[str]:
    """The command for the contract's first request example."""
    path, method, declared = contract.operation("create_image")
    content = contract.resolve(declared["requestBody"])["content"]
    media_type, media = next(iter(content.items()))
    body = next(iter(media["examples"].values()))["value"]
    server = contract.document()["servers"][0]["url"]
    headers = ["--header", f"Authorization: {authorization}", "--header", f"Content-Type: {media_type}"]
    url = f"{server}{path}"
    return ["curl", "--location", "--request", method.upper(), url, *headers, "--data-raw", json.dumps(body)]


def _run(command: list[str], server: MockServer) -> tuple[int, Any]:
    """Run a command with the contract's host replaced by the mock's; its status and JSON body."""
    host = contract.document()["servers"][0]["url"]
    local = [part.replace(host, server.url) for part in command]
    assert local != command
    done = subprocess.run(
        [*local, "--silent", "--noproxy", "*", "--write-out", "\n%{http_code}"],
        capture_output=True,
        check=True,
        timeout=30,
    )
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), json.loads(body)


def _picture(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        content: bytes = answer.read()
    return content


def test_documented_command_gets_a_picture(mock: MockServer) -> None:
    """With `Bearer` before the key the command answers with an address that holds a picture."""
    status, answer = _run(_documented("Bearer sk-key"), mock)
    assert status == 200
    assert _picture(answer["data"][0]["url"]).startswith((b"\x89PNG", b"\xff\xd8"))


def test_documented_command_without_bearer_gets_advice(mock: MockServer) -> None:
    """With the bare key, as the page's sample has it, the refusal says to put `Bearer` before it."""
    status, answer = _run(_documented("sk-key"), mock)
    assert status == 401
    assert "Bearer" in answer["error"]["message"]


def _seed_command() -> list[str]:
    """The page's own sample, as its shell would split it."""
    page = "\n".join(path.read_text("utf-8") for path in sorted(SEED.glob("*.txt")))
    found = re.search(r"^curl .*?^}'$", page, re.MULTILINE | re.DOTALL)
    assert found
    split = subprocess.run(
        ["bash", "-c", f"curl() {{ printf '%s\\0' curl \"$@\"; }}; {found.group()}"], capture_output=True, check=True
    )
    return split.stdout.decode().rstrip("\0").split("\0")


@pytest.mark.skipif(not SEED.exists(), reason="the seed page is not beside this checkout")
@pytest.mark.parametrize(("kind", "expected"), [("default", 401), ("gateway", 200)])
def test_the_page_s_own_sample(kind: str, expected: int, mock: MockServer, old_gateway: MockServer) -> None:
    """The sample lacks `Bearer`: one reading refuses it with advice, older gateways take it. Both are pinned."""
    status, answer = _run(_seed_command(), mock if kind == "default" else old_gateway)
    assert status == expected
    if expected == 401:
        assert "Bearer" in answer["error"]["message"]
    else:
        assert answer["data"][0]["url"]


def test_the_contract_covers_the_page() -> None:
    """The contract's example has the page's three fields, and no less."""
    declared = contract.document()["components"]["schemas"]["CreateImageRequest"]["properties"]
    from_the_page = {name for name, rules in declared.items() if rules["x-provenance"] == "seed"}
    assert from_the_page == {"model", "prompt", "aspect_ratio"}
    assert Path(contract.PATH).exists()

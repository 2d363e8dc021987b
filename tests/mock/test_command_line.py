"""`python -m flux_images_mock`, as a program among programs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from flux_images_mock.__main__ import main
from flux_images_mock._answer.answer import Answer
from flux_images_mock._gateway.exchange import Exchange
from flux_images_mock._request.message import Headers, Request
from flux_images_mock._serve.log import for_people, for_programs
from tests.mock.wire import GOOD, post

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from typing import TextIO

    from flux_images_mock._gateway.delivery import AccessLog

PATH = "/v1/images/generations"
KEY = "sk-never-to-be-seen"
BODY = {"model": "flux", "prompt": "a lighthouse"}


@contextmanager
def running(*options: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "flux_images_mock", "--port", "0", *options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_0(number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end the mock within five seconds, a stalled client or not, in silence and with status 0."""
    with running("--quiet") as (process, url):
        httpx.post(f"{url}{PATH}", json=BODY, headers={"Authorization": f"Bearer {KEY}"}).raise_for_status()
        address = httpx.URL(url)
        with socket.create_connection((address.host, address.port or 0)) as stalled:
            stalled.sendall(b"POST / HTTP/1.1\r\nHost: mock\r\nContent-Length: 9\r\n\r\n")
            begun = time.monotonic()
            process.send_signal(number)
            _, errors = process.communicate(timeout=10)
        assert process.returncode == 0
        assert time.monotonic() - begun < 5
        assert errors == ""


@pytest.mark.slow
def test_an_answer_that_a_signal_ends_is_told_as_that() -> None:
    """Its client has not left."""
    with running("--latency", "1h") as (process, url):
        address = httpx.URL(url)
        with socket.create_connection((address.host, address.port or 0)) as waiting:
            waiting.sendall(post(GOOD))
            httpx.get(f"{url}/after")
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=10)
    (line,) = [line for line in errors.splitlines() if line.startswith(f"POST {PATH}")]
    assert line.endswith("the mock was stopped")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["--json-log", None])
def test_the_log_names_each_request_and_never_a_key(form: str | None) -> None:
    """A line a request: method, path, status, time and differences; no key, in a header or in a query."""
    with running(*([form] if form else [])) as (process, url):
        httpx.post(
            f"{url}{PATH}?key={KEY}", json={"model": KEY[:0], "n": 1}, headers={"Authorization": f"Bearer {KEY}"}
        )
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert KEY not in errors
    (line,) = errors.splitlines()
    if form:
        entry = json.loads(line)
        assert (entry["method"], entry["path"], entry["status"]) == ("POST", PATH, 400)
        assert [violation["where"] for violation in entry["violations"]] == ["/prompt", "/model"]
    else:
        assert line.startswith(f"POST {PATH} 400 ")
        assert "/prompt: expected a value" in line


def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that another program holds is said in one line, with status 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot listen on 127.0.0.1" in line


BAD_FILES = {
    "missing.yaml": (None, "cannot read"),
    "broken.yaml": ("a: [", "cannot parse"),
    "twice.yaml": ("openapi: 3.1.0\nopenapi: 3.1.0\n", "stands twice"),
    "broken.json": ("{", "cannot parse"),
    "other.yaml": ("swagger: '2.0'\n", "expected an OpenAPI 3.0 or 3.1"),
    "list.yaml": ("[]\n", "expected an OpenAPI 3.0 or 3.1"),
}


@pytest.mark.parametrize(
    ("name", "content", "part"), [(name, *case) for name, case in BAD_FILES.items()], ids=BAD_FILES
)
def test_an_unreadable_description_is_one_line(
    name: str, content: str | None, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A description that can't be read is said in one line that names the file, with status 2."""
    file = tmp_path / name
    if content is not None:
        file.write_text(content)
    assert main(["--spec", str(file), "--port", "0"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert part in line
    assert name in line


def test_an_unknown_scenario_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A scenario that doesn't exist is said in one line that offers near ones, with status 2."""
    assert main(["--scenario", "cloudflare-254", "--port", "0"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cloudflare-524" in line


@pytest.mark.parametrize("log", [for_people, for_programs])
def test_a_log_that_nobody_reads_any_more_ends_in_silence(log: Callable[[TextIO], AccessLog]) -> None:
    """The mock goes on without it."""
    reading, writing = os.pipe()
    os.close(reading)
    request = Request("GET", "/", b"", Headers([]), "http://localhost")
    stream = os.fdopen(writing, "w")
    write = log(stream)
    for _ in range(2):
        write(Exchange(request, 0.0), Answer(200, [], b"", "test"), 1.0)
    with pytest.raises(BrokenPipeError):
        stream.close()  # which tries once more

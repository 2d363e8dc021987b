"""The control API against a real web page of another origin, in headless Chromium."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.mock.asking import ask

if TYPE_CHECKING:
    from flux_images_mock import MockServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGE = """<!doctype html><title>evil</title><pre id="out">waiting</pre><script>
const mock = "%s/__mock__";
const drip = '{"name": "drip"}';
const tries = {
  plain: () => fetch(mock + "/reset", {method: "POST"}),
  blind: () => fetch(mock + "/reset", {method: "POST", mode: "no-cors"}),
  json: () => fetch(mock + "/queue", {method: "POST", headers: {"Content-Type": "application/json"}, body: drip}),
  text: () => fetch(mock + "/queue", {method: "POST", mode: "no-cors", body: drip}),
  header: () => fetch(mock + "/reset", {method: "POST", headers: {"X-Flux-Mock": "control"}}),
  forget: () => fetch(mock + "/queue", {method: "DELETE", headers: {"X-Flux-Mock": "control"}}),
  read: () => fetch(mock + "/bill").then(answer => answer.text()),
};
(async () => {
  const found = [];
  for (const [name, go] of Object.entries(tries)) {
    try { const answer = await go(); found.push(name + "=" + (answer.type || "read")); }
    catch (error) { found.push(name + "=blocked"); }
  }
  document.getElementById("out").textContent = "done " + found.join(" ");
})();
</script>"""


@pytest.fixture
def page(mock: MockServer, tmp_path: Path) -> Iterator[str]:
    """A page on another origin that tries to steer the mock."""
    (tmp_path / "index.html").write_text(PAGE % mock.url)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # passed on as they come

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as the base class has it
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_web_page_can_neither_read_nor_change(page: str, mock: MockServer, tmp_path: Path) -> None:
    """What needs the header is blocked by the browser, what doesn't changes nothing, and answers can't be read."""
    ask(mock)
    command = [
        str(CHROMIUM),
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    command += ["--no-sandbox"] if os.geteuid() == 0 else []
    command += ["--virtual-time-budget=5000", "--dump-dom", page]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    found = dict(part.split("=") for part in shown.partition("done ")[2].partition("<")[0].split())
    assert set(found) == {"plain", "blind", "json", "text", "header", "forget", "read"}, shown[-500:]
    assert {name for name, result in found.items() if result != "blocked"} <= {"blind", "text"}
    assert mock.bill.pictures == 1
    assert mock.app.state.run.queue.entries() == []

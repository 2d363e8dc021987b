"""A page in headless Chromium, steered through its pipe: what it shows, what it logs, and what it asks for."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_WAIT = """new Promise((done, failed) => {
  const began = Date.now();
  const look = () => { let is; try { is = %s; } catch { is = false; }
    if (is) done(true); else if (Date.now() - began > 20000) failed(new Error("in vain")); else setTimeout(look, 20); };
  look();
})"""


class Chromium:
    """One browser with one page, until the block ends."""

    def __init__(self, profile: Path, language: str = "en-US") -> None:
        command = [str(CHROMIUM), "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        command += [f"--user-data-dir={profile}", "--remote-debugging-pipe", f"--lang={language}"]
        command += [f"--accept-lang={language}", *(["--no-sandbox"] if os.geteuid() == 0 else []), "about:blank"]
        their_in, self._out = os.pipe()
        self._in, their_out = os.pipe()
        shell = f'exec {{in}}<&{their_in} {{out}}>&{their_out} 3<&$in 4>&$out; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *command],
            pass_fds=(their_in, their_out),
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LANGUAGE": language.partition("-")[0]},
        )
        os.close(their_in)
        os.close(their_out)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.logged: list[str] = []
        """What went wrong in the page, and what it wrote to its console."""
        self.asked: list[str] = []
        """Addresses that it asked for."""

    def __enter__(self) -> Self:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        self._process.wait(20)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something, and note what it tells meanwhile."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._note(answer.get("method"), answer.get("params", {}))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = os.read(self._in, 2**20)
            assert piece, "Chromium has ended"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, method: str | None, facts: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.logged.append(json.dumps(facts["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.logged.append(json.dumps(facts["args"]))
        elif method == "Log.entryAdded":
            self.logged.append(json.dumps(facts["entry"]))
        elif method == "Network.requestWillBeSent":
            self.asked.append(facts["request"]["url"])

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """Be a window of this size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, page: Path) -> None:
        """Load a page from the disk."""
        self.call("Page.navigate", url=page.as_uri())

    def run(self, script: str) -> Any:
        """The value of an expression in the page, awaited."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until an expression in the page is true, 20 seconds at most."""
        self.run(_WAIT % condition)

    def key(self, key: str) -> None:
        """Press a key."""
        text = key if len(key) == 1 else "\r" if key == "Enter" else ""
        codes = {
            "Enter": 13,
            "Escape": 27,
            "ArrowLeft": 37,
            "ArrowUp": 38,
            "ArrowRight": 39,
            "ArrowDown": 40,
            "End": 35,
        }
        for kind in ("keyDown", "keyUp"):
            extra = {"text": text} if text and kind == "keyDown" else {}
            code = codes.get(key, 0)
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **extra)

    def picture(self, target: Path) -> None:
        """Write what is seen to a PNG."""
        target.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

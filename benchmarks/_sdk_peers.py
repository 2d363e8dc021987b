"""The environments in which the SDK and its peers are measured, one each, and the server that they call."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "flux-images" / "sdk"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES: dict[str, list[str]] = {
    "flux": PROJECT["dependencies"],
    "flux-fast": [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["fast"]],
    "httpx": ["httpx"],
    "openai": ["openai"],
    "openai-aiohttp": ["openai[aiohttp]"],
}
"""What is installed for each; the SDK itself is taken from this checkout."""


class ChildError(Exception):
    """A measurement ended with an error."""


def interpreter(name: str) -> str:
    """That of a library's environment, which is made when first asked for."""
    folder = CACHE / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    python = str(folder / "bin" / "python")
    done = folder / "packages"
    wanted = "\n".join(PACKAGES[name])
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES[name]], check=True)
        done.write_text(wanted)
    return python


def versions() -> str:
    """What is compared."""
    found = [f"flux-images {PROJECT.get('version', '')}"]
    for name, package in (("httpx", "httpx"), ("openai", "openai"), ("flux-fast", "aiohttp")):
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        done = subprocess.run([interpreter(name), "-c", code], check=True, capture_output=True, text=True)
        found.append(f"{package} {done.stdout.strip()}")
    return ", ".join([*found, f"Python {sys.version.split()[0]}"])


def run_child(name: str, url: str, *words: str, certificates: Path) -> list[float]:
    """The figures that `_sdk_child.py` prints."""
    what, *rest = words
    library = name if what == "async" else name.removesuffix("-fast")
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "generated")]) if name.startswith("flux") else ""
    environment = {**os.environ, "PYTHONPATH": paths, "SSL_CERT_FILE": str(certificates)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the peers were compiled when they were installed
    done = subprocess.run(
        [interpreter(name), str(HERE / "_sdk_child.py"), what, library, url, *rest],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ChildError(f"{name}, {' '.join(words)}: {done.stderr.strip().splitlines()[-1]}")
    return [float(word) for word in done.stdout.split()]


@contextlib.contextmanager
def gateway(folder: Path, *, tls: bool) -> Iterator[str]:
    """The server's address. Its certificate, if it has one, is ``folder / "certificate.pem"``."""
    files = [str(folder / "certificate.pem"), str(folder / "key.pem")] if tls else []
    process = subprocess.Popen(
        [sys.executable, str(HERE / "_sdk_server.py"), *files], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield f"http{'s' * tls}://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


def trusted(folder: Path) -> Path:
    """Make the server's certificate; give a file of it and of all that httpx trusts by itself."""
    command = (
        "openssl req -x509 -newkey rsa:2048 -noenc -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    code = "import certifi; print(certifi.contents())"
    bundle = subprocess.run([interpreter("httpx"), "-c", code], check=True, capture_output=True, text=True).stdout
    file = folder / "trusted.pem"
    file.write_text(bundle + (folder / "certificate.pem").read_text())
    return file

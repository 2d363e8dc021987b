"""Real software between the SDK and the mock: nginx, haproxy and tinyproxy, each on a socket that was bound for it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/log; worker_rlimit_nofile 1024;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 1k;
    location / {{ proxy_pass http://{upstream}; proxy_read_timeout 1s; proxy_set_header Host $http_host; }}
  }}
}}
"""
HAPROXY = """
global
  maxconn 256
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 5s
  retries 3
  option redispatch
  retry-on {retry_on}
frontend front
  bind fd@{descriptor}
  default_backend back
backend back
  server mock {upstream}
"""
TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 10
MaxClients 20
BasicAuth user {password}
"""


def _found(program: str) -> str:
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


@contextmanager
def _running(command: list[str], listener: socket.socket | None, **environment: str) -> Generator[None]:
    descriptors = () if listener is None else (listener.fileno(),)
    with subprocess.Popen(
        command,
        pass_fds=descriptors,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()  # nginx takes its workers along


@contextmanager
def nginx(folder: Path, upstream: str) -> Generator[str]:
    """Takes bodies of a kilobyte, and waits a second. It finds its socket where a predecessor would leave it."""
    program = _found("nginx")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=port, upstream=urlsplit(upstream).netloc))
        command = [program, "-p", str(folder), "-c", str(config)]
        with _running(command, listener, NGINX=f"{listener.fileno()};"):
            yield f"http://127.0.0.1:{port}"


@contextmanager
def haproxy(folder: Path, upstream: str, retry_on: str) -> Generator[str]:
    """Tries three times again, what ``retry_on`` says."""
    program = _found("haproxy")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = folder / "haproxy.cfg"
        netloc = urlsplit(upstream).netloc
        config.write_text(HAPROXY.format(descriptor=listener.fileno(), upstream=netloc, retry_on=retry_on))
        with _running([program, "-q", "-db", "-f", str(config)], listener):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def tinyproxy(folder: Path, password: str) -> Generator[str]:
    """A proxy that asks for a password. It takes no socket from others, so it is given a port that was just free."""
    program = _found("tinyproxy")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "tinyproxy.conf"
    config.write_text(TINYPROXY.format(port=port, password=password))
    with subprocess.Popen(
        [program, "-d", "-c", str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            while "Accepting connections" not in (line := process.stdout.readline()):
                assert line, "tinyproxy ended"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()

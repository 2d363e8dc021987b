"""The mock beside Prism and beside bare uvicorn, in one run: `python -m benchmarks mock [--million [N]]`.

Needs Linux, wrk and, for Prism, Node with npm. Each figure is the median of paired rounds; only the ratios travel.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "openapi.yaml"
PATH = "/v1/images/generations"
BODY = b'{"model":"flux-pro-1.1-ultra","prompt":"A polished silver medal on a deep blue ribbon","aspect_ratio":"1:1"}'
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer sk-bench"}
ROUNDS, SECONDS = 3, 4
TICK = os.sysconf("SC_CLK_TCK")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "flux-images"
MILLION = 1_000_000
MANY, DELAY = 2000, 10.0


@dataclass
class Server:
    """A server under test: its command (`PORT` stands for the port) and what was measured of it."""

    name: str
    command: Sequence[str]
    start: list[float] = field(default_factory=list)
    rate: dict[int, list[float]] = field(default_factory=lambda: {16: [], 64: []})
    cpu: dict[int, list[float]] = field(default_factory=lambda: {16: [], 64: []})
    memory: list[float] = field(default_factory=list)


def free_port() -> int:
    """Return a port that is free at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def request(port: int) -> bytes:
    """Return the request as bytes."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}Content-Length: {len(BODY)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + BODY


def first_answer(port: int, process: subprocess.Popen[bytes]) -> bytes:
    """Ask until the server answers, and return the answer."""
    while process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.sendall(request(port))
                if answer := connection.recv(65536):
                    return answer
        except OSError:
            time.sleep(0.002)
    raise RuntimeError(f"{process.args!r} ended with status {process.returncode}")


@contextmanager
def running(server: Server) -> Generator[tuple[int, int]]:
    """Start a server, note how long it takes to its first 200, and give its port and process id."""
    port = free_port()
    command = [str(port) if part == "PORT" else part for part in server.command]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            answer = first_answer(port, process)
            server.start.append(time.perf_counter() - begun)
            if b" 200 " not in answer.split(b"\r\n", 1)[0]:
                raise RuntimeError(f"{server.name} answered {answer[:200]!r}")
            yield port, process.pid
        finally:
            process.kill()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mb(pid: int) -> float:
    """Return a process's resident memory in MB."""
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(match[1]) / 1024 if match else 0.0


def wrk(port: int, connections: int, seconds: float, script: Path, *, may_fail: bool = False) -> str:
    """Run wrk and return its report; raises `RuntimeError` where an answer was no success and may not fail."""
    address = f"http://127.0.0.1:{port}{PATH}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "60s", "-s", str(script), address]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in report and not may_fail:
        raise RuntimeError(report)
    return report


def count_of(report: str) -> int:
    """Return the number of requests that were answered."""
    count = re.search(r"(\d+) requests in", report)
    assert count
    return int(count[1])


def load(port: int, connections: int, seconds: int, script: Path) -> tuple[int, float]:
    """Run wrk and return the number of requests and the rate."""
    report = wrk(port, connections, seconds, script)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", report)
    assert rate
    return count_of(report), float(rate[1])


def measure(server: Server, script: Path) -> None:
    """Take one round of every figure."""
    with running(server) as (port, pid):
        load(port, 16, 1, script)
        for connections in server.rate:
            before = cpu_seconds(pid)
            count, rate = load(port, connections, SECONDS, script)
            server.cpu[connections].append((cpu_seconds(pid) - before) / count * 1e6)
            server.rate[connections].append(rate)
        server.memory.append(memory_mb(pid))


def prism() -> Path | None:
    """Return Prism's program, installed into a cache if need be; nothing without Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    running_on = subprocess.run([node, "-p", "process.versions.node"], capture_output=True, check=True).stdout
    major = int(running_on.split(b".")[0])
    version = "5.16.0" if major >= 24 else "5.14.2"
    folder = CACHE / f"prism-{version}"
    program = folder / "node_modules" / ".bin" / "prism"
    if not program.exists():
        install = [npm, "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder)]
        subprocess.run([*install, f"@stoplight/prism-cli@{version}"], check=True)
    print(f"Prism {version} on Node {major}")
    return program


COUNTING = """
local number = 0
request = function()
  number = number + 1
  return wrk.format(nil, nil, nil, (wrk.body:gsub("silver", "silver " .. number)))
end"""
"""Makes each request's prompt another one, so that whatever is kept of them grows as far as it may."""


def wrk_script(folder: Path, more: str = "") -> Path:
    """Write what wrk sends."""
    lines = ['wrk.method = "POST"', f"wrk.body = '{BODY.decode()}'"]
    lines += [f'wrk.headers["{name}"] = "{value}"' for name, value in HEADERS.items()]
    script = folder / "post.lua"
    script.write_text("\n".join([*lines, more]))
    return script


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def report(mock: Server, servers: Sequence[Server]) -> None:
    """Print the figures and the bars."""
    print("the mock: journal on, requests and answers checked, access log off")
    print(f"\n{'':24}{'req/s c16':>10}{'c64':>9}{'CPU us c16':>12}{'c64':>7}{'start s':>9}{'MB':>7}")
    for server in servers:
        rates, cpus = ([median(part[c]) for c in (16, 64)] for part in (server.rate, server.cpu))
        print(
            f"{server.name:24}{rates[0]:>10,.0f}{rates[1]:>9,.0f}{cpus[0]:>12.0f}{cpus[1]:>7.0f}"
            f"{median(server.start):>9.2f}{median(server.memory):>7.0f}"
        )
    by_name = {server.name: server for server in servers}
    hello, silent, loud = (by_name.get(name) for name in ("uvicorn hello", "Prism, silent", "Prism, default log"))
    print()
    if hello:
        bar("CPU a request / uvicorn hello", median(mock.cpu[16]) / median(hello.cpu[16]), 1.6)
    if silent and loud:
        bar("CPU a request / Prism silent", median(mock.cpu[16]) / median(silent.cpu[16]), 0.25)
        bar("CPU a request / Prism default", median(mock.cpu[16]) / median(loud.cpu[16]), 0.13)
        for connections in (16, 64):
            ratio = median(mock.rate[connections]) / median(silent.rate[connections])
            bar(f"requests a second, c{connections} / Prism silent", ratio, 4.0, at_least=True)
        bar("start to first 200 / Prism", median(mock.start) / median(silent.start), 0.45)
    bar("memory after load, MB", median(mock.memory), 80)


def bar(what: str, figure: float, limit: float, *, at_least: bool = False) -> None:
    """Print a figure beside its bar."""
    met = figure >= limit if at_least else figure <= limit
    print(f"{what:44}{figure:>8.2f}   bar {'>=' if at_least else '<='} {limit:<6g} {'met' if met else 'MISSED'}")


def many_connections(script: Path) -> None:
    """Hold many connections, each answered after a delay."""
    delayed = Server("delayed", [sys.executable, str(ROOT / "benchmarks" / "_delayed.py"), "PORT"])
    with running(delayed) as (port, _):
        report = wrk(port, MANY, 1.3 * DELAY, script)
    served, slowest = count_of(report), re.search(r"Latency +\S+ +\S+ +([\d.]+)s", report)
    assert slowest
    print(f"\n{MANY} connections, each answered after {DELAY:g} s: {served} served, slowest {slowest[1]} s")
    bar("served / connections", served / MANY, 1.0, at_least=True)
    bar("slowest / delay", float(slowest[1]) / DELAY, 1.05)


def memory_over_time(server: Server, script: Path, requests: int) -> None:
    """Send many requests, in pieces, and watch the memory."""
    marks = [mark for mark in (10_000, 100_000) if mark < requests] + [requests]
    seen: list[float] = []
    with running(server) as (port, pid):
        count = 0
        for mark in marks:
            while count < mark:
                count += count_of(wrk(port, 16, 2 if mark < MILLION else 20, script, may_fail=True))
            seen.append(memory_mb(pid))
            print(f"after {count:>9,} requests: {seen[-1]:6.1f} MB")
    bar("growth, MB", seen[-1] - seen[0], 10)


def main(argv: Sequence[str]) -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks mock")
    parser.add_argument(
        "--million",
        type=int,
        nargs="?",
        const=MILLION,
        metavar="N",
        help="only send N requests (a million), with journal, latency and chaos on, and watch the memory",
    )
    arguments = parser.parse_args(argv)
    if shutil.which("wrk") is None:
        print("skipped: wrk is not installed (Debian: apt-get install wrk)")
        return 0
    python = sys.executable
    options = ["--port", "PORT", "--quiet", "--spec", str(SPEC)]
    command = [python, "-m", "flux_images_mock", *options]
    mock = Server("flux-images mock", command)
    if arguments.million:
        with tempfile.TemporaryDirectory() as folder:
            busy = Server("a busy day", [*command, "--latency", "1ms..3ms", "--chaos", "0.05"])
            memory_over_time(busy, wrk_script(Path(folder), COUNTING), arguments.million)
        return 0
    servers = [mock, Server("uvicorn hello", [python, str(ROOT / "benchmarks" / "_hello.py"), "PORT"])]
    program = prism()
    if program is None:
        print("without Prism: Node and npm are not installed")
    else:
        command = [str(program), "mock", str(SPEC), "-h", "127.0.0.1", "-p", "PORT"]
        servers += [Server("Prism, silent", [*command, "-v", "silent"]), Server("Prism, default log", command)]
    with tempfile.TemporaryDirectory() as folder:
        script = wrk_script(Path(folder))
        for _ in range(ROUNDS):
            for server in servers:
                measure(server, script)
        report(mock, servers)
        many_connections(script)
    return 0

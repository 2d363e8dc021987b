"""One measurement of one library, in the environment that it was installed in.

    python _sdk_child.py WHAT LIBRARY URL [ARGUMENT ...]

Prints the figure and the seconds of processor time that it took. Imports stand where they are needed, as several
measurements include them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

WHAT, LIBRARY, URL, *REST = sys.argv[1:]
KEY = "sk-benchmark-0123456789"
PATH = "/v1/images/generations"
MODULES = {"flux": "flux_images", "httpx": "httpx", "openai": "openai"}


def body(prompt: str) -> dict[str, str]:
    return {"model": "flux-pro-1.1-ultra", "prompt": prompt, "aspect_ratio": "1:1"}


def caller() -> Callable[[str], Any]:
    """A function that makes one synchronous call."""
    if LIBRARY == "httpx":
        import httpx

        client = httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {KEY}"})
        return lambda prompt: client.post(PATH, json=body(prompt)).json()
    if LIBRARY == "openai":
        import openai

        generate = openai.OpenAI(api_key=KEY, base_url=URL + "/v1").images.generate
        return lambda prompt: generate(model="flux", prompt=prompt, extra_body={"aspect_ratio": "1:1"})
    from flux_images import FluxImages

    flux = FluxImages(KEY, base_url=URL)
    return lambda prompt: flux.generate(prompt, aspect_ratio="1:1")


def async_caller() -> Callable[[str], Awaitable[Any]]:
    """The same, to await."""
    if LIBRARY == "httpx":
        import httpx

        client = httpx.AsyncClient(base_url=URL, headers={"Authorization": f"Bearer {KEY}"}, timeout=30)

        async def post(prompt: str) -> Any:
            return (await client.post(PATH, json=body(prompt))).json()

        return post
    if LIBRARY.startswith("openai"):
        import openai

        http = openai.DefaultAioHttpClient() if LIBRARY == "openai-aiohttp" else None
        client = openai.AsyncOpenAI(api_key=KEY, base_url=URL + "/v1", http_client=http, timeout=120)
        generate = client.images.generate
        return lambda prompt: generate(model="flux", prompt=prompt, extra_body={"aspect_ratio": "1:1"})
    from flux_images import AsyncFluxImages

    flux = AsyncFluxImages(KEY, base_url=URL, fast=LIBRARY == "flux-fast")
    return lambda prompt: flux.generate(prompt, aspect_ratio="1:1")


def picture_saver() -> Callable[[int, str], Any]:
    """A function that saves a picture of so many MiB, from inside an answer, at a path."""
    call = caller()
    if LIBRARY == "flux":
        return lambda size, path: call(f"inline {size}").image.save(path, overwrite=True)
    import base64
    from pathlib import Path

    if LIBRARY == "openai":
        return lambda size, path: Path(path).write_bytes(base64.b64decode(call(f"inline {size}").data[0].b64_json))
    import httpx

    client = httpx.Client(base_url=URL)

    def undecoded(size: int, path: str) -> None:
        with client.stream("POST", PATH, json=body(f"inline {size}")) as answer, Path(path).open("wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)

    return undecoded


def high_water() -> float:
    """The most memory that this process has held, in MB."""
    with open("/proc/self/status") as file:  # noqa: PTH123 -- pathlib would count as part of an import
        status = file.read()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def cpu_of_import() -> float:
    """Milliseconds."""
    started = time.process_time()
    __import__(MODULES[LIBRARY])
    return (time.process_time() - started) * 1000


def cold() -> float:
    """The whole script is measured from outside."""
    caller()("small")
    return 0.0


def second_client() -> float:
    """Milliseconds."""
    from flux_images import FluxImages

    FluxImages(KEY, base_url="https://gateway.example")
    started = time.perf_counter()
    FluxImages(KEY, base_url="https://gateway.example")
    return (time.perf_counter() - started) * 1000


def sync(calls: str) -> float:
    """Microseconds a call."""
    call = caller()
    for _ in range(30):
        call("small")
    started = clocks()
    for _ in range(int(calls)):
        call("small")
    return spent(started) / int(calls) * 1e6


def concurrent(prompt: str, in_flight: str, calls: str) -> float:
    """Calls a second."""
    import asyncio

    async def run() -> float:
        call = async_caller()
        left = int(calls)

        async def worker() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await call(prompt)

        await asyncio.gather(*(call("small") for _ in range(int(in_flight))))  # opens the connections
        started = clocks()
        await asyncio.gather(*(worker() for _ in range(int(in_flight))))
        return int(calls) / spent(started)

    return asyncio.run(run())


def inline(mebibytes: str, path: str) -> float:
    """Milliseconds until a picture from inside an answer is a file."""
    save = picture_saver()
    save(1, path)
    started = clocks()
    save(int(mebibytes), path)
    return spent(started) * 1000


def memory(mebibytes: str, path: str) -> float:
    """MB that saving a picture takes at its peak, on top of what saving one of 1 MiB took."""
    save = picture_saver()
    save(1, path)
    before = high_water()
    save(int(mebibytes), path)
    return high_water() - before


_cpu = 0.0


def clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def spent(started: tuple[float, float]) -> float:
    """Seconds since then; the processor's are noted."""
    global _cpu
    _cpu = time.process_time() - started[1]
    return time.perf_counter() - started[0]


MEASURES: dict[str, Callable[..., float]] = {
    "import": cpu_of_import,
    "cold": cold,
    "client": second_client,
    "sync": sync,
    "async": concurrent,
    "inline": inline,
    "memory": memory,
}

if __name__ == "__main__":
    print(MEASURES[WHAT](*REST), _cpu or time.process_time())

"""One measurement of one library, in the environment that it was installed in.

    python _sdk_child.py WHAT LIBRARY URL [ARGUMENT]

Prints one number. Imports stand where a program would have them, as several measurements include them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WHAT, LIBRARY, URL, *REST = sys.argv[1:]
KEY = "sk-benchmark-0123456789"
PATH = "/v1/images/generations"
CALLS = 300


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

        client = openai.OpenAI(api_key=KEY, base_url=URL + "/v1")
        return lambda prompt: client.images.generate(model="flux", prompt=prompt, extra_body={"aspect_ratio": "1:1"})
    from flux_images import FluxImages

    flux = FluxImages(KEY, base_url=URL)
    return lambda prompt: flux.generate(prompt, aspect_ratio="1:1")


async def many(concurrency: int, total: int, prompt: str) -> float:
    """Calls a second."""
    import asyncio

    if LIBRARY.startswith("httpx"):
        import httpx

        client = httpx.AsyncClient(base_url=URL, headers={"Authorization": f"Bearer {KEY}"}, timeout=120)

        async def call() -> None:
            (await client.post(PATH, json=body(prompt))).json()
    elif LIBRARY.startswith("openai"):
        import openai

        http = openai.DefaultAioHttpClient() if LIBRARY == "openai-aiohttp" else None
        client = openai.AsyncOpenAI(api_key=KEY, base_url=URL + "/v1", http_client=http)

        async def call() -> None:
            await client.images.generate(model="flux", prompt=prompt, extra_body={"aspect_ratio": "1:1"})
    else:
        from flux_images import AsyncFluxImages

        flux = AsyncFluxImages(KEY, base_url=URL, fast=LIBRARY == "flux-fast")

        async def call() -> None:
            await flux.generate(prompt, aspect_ratio="1:1")

    left = total

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await call()

    if prompt != "late":
        await asyncio.gather(*(call() for _ in range(20)))  # warm
    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return total / (time.perf_counter() - started)


def inline(mebibytes: int, target: str) -> None:
    """A picture from inside an answer into a file."""
    if LIBRARY == "flux":
        from flux_images import FluxImages

        flux = FluxImages(KEY, base_url=URL)
        flux.generate(f"inline {mebibytes}").image.save(target, overwrite=True)
        return
    import base64

    answer = CALL(f"inline {mebibytes}")
    text = answer.data[0].b64_json if LIBRARY == "openai" else answer["data"][0]["b64_json"]
    Path(target).write_bytes(base64.b64decode(text))


def high_water() -> float:
    """The most memory that this process has held, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if WHAT == "import":
    started = time.process_time()
    __import__({"flux": "flux_images"}.get(LIBRARY, LIBRARY))
    print((time.process_time() - started) * 1000)
elif WHAT == "cold":
    caller()("small")
elif WHAT == "second-client":
    from flux_images import FluxImages

    FluxImages(KEY, base_url="https://gateway.example")
    started = time.perf_counter()
    FluxImages(KEY, base_url="https://gateway.example")
    print((time.perf_counter() - started) * 1000)
elif WHAT == "sync":
    call = caller()
    for _ in range(30):
        call("small")
    started = time.perf_counter()
    for _ in range(CALLS):
        call("small")
    print((time.perf_counter() - started) / CALLS * 1e6)
elif WHAT == "async":
    import asyncio

    print(asyncio.run(many(int(REST[0]), int(REST[1]), REST[2])))
elif WHAT == "inline":
    CALL = None if LIBRARY == "flux" else caller()
    inline(1, REST[1])
    before = high_water()
    started = time.perf_counter()
    inline(int(REST[0]), REST[1])
    print((time.perf_counter() - started) * 1000, high_water() - before)

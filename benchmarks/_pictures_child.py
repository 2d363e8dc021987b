"""Saving pictures from inside answers, all at once, on one loop; in the environment that the SDK was installed in.

    python _pictures_child.py URL PICTURE COUNT FOLDER

Prints pictures a second and the loop's longest lag in milliseconds.
"""

from __future__ import annotations

import asyncio
import sys
import time

from flux_images import AsyncFluxImages

TICK = 0.001


async def main(url: str, picture: str, count: int, folder: str) -> None:
    lag = 0.0

    async def tick() -> None:
        nonlocal lag
        while True:
            started = time.perf_counter()
            await asyncio.sleep(TICK)
            lag = max(lag, time.perf_counter() - started - TICK)

    async with AsyncFluxImages("sk-benchmark-0123456789", base_url=url, timeout=120) as flux:
        images = [(await flux.generate(f"file {picture}")).image for _ in range(count)]
        ticking = asyncio.create_task(tick())
        await asyncio.sleep(0)
        started = time.perf_counter()
        await asyncio.gather(*(image.save(f"{folder}/{number}.jpg") for number, image in enumerate(images)))
        print(count / (time.perf_counter() - started), lag * 1000)
        ticking.cancel()


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))

"""`flux-images demo`: the real client, the real mock, three pictures; no network and no key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flux_images import FluxImages
from flux_images._cli.show import Picture, as_json, progress, show

if TYPE_CHECKING:
    import argparse

SHOTS = (
    ("A polished silver medal shaped like a hockey puck, on a deep blue ribbon", "1:1"),
    ("A lighthouse on a cliff in the first light, the sea like hammered copper", "16:9"),
    ("A paper lantern rising over a quiet lake at night", "9:16"),
)
_ANY_KEY = "sk-demo"


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse names no public type for it
    """Declare the command's options."""
    summary = "draw three pictures offline: the real client, the real mock, no key"
    command = commands.add_parser("demo", help=summary, description=summary.capitalize())
    command.add_argument("-o", "--output", type=Path, default=Path("flux-demo"), help="folder (default: %(default)s)")
    command.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from flux_images_mock import MockServer

    options.output.mkdir(parents=True, exist_ok=True)
    pictures: list[Picture] = []
    with (
        MockServer() as mock,
        FluxImages(_ANY_KEY, base_url=mock.url) as flux,
        progress("Drawing", total=len(SHOTS)) as advance,
    ):
        for number, (prompt, ratio) in enumerate(SHOTS, start=1):
            image = flux.generate(prompt, aspect_ratio=ratio, output_format="png").image
            path = options.output / f"{number}-{ratio.replace(':', 'x')}.png"
            pictures.append(Picture.of(image, image.save(path, overwrite=True)))
            advance()
    if options.json:
        print(as_json(pictures))
    else:
        show(pictures)

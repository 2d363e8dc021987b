"""`flux-images generate`: one prompt, its pictures in files. The options are the contract's fields."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flux_images import FluxImages
from flux_images._cli.show import Lost, Picture, progress, show
from flux_images._errors import ConfigurationError, FluxImagesError
from flux_images._picture.save import SUFFIXES
from flux_images._request.key import find_key
from flux_images_api import contract
from flux_images_api.contract import SERVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPES = {"integer": int, "number": float, "string": str}


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse names no public type for it
    """Declare the command's options."""
    summary = "make pictures from a prompt"
    command = commands.add_parser("generate", help=summary, description=f"{summary.capitalize()}, and save them.")
    command.add_argument("prompt", help="what the picture shows, in any language")
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("picture"),
        help="the file; without a suffix the picture's own is added, and of several pictures each has its number",
    )
    command.add_argument("--overwrite", action="store_true", help="replace files that exist")
    for name, rules in _fields():
        _add_field(command, name, rules)
    command.add_argument("--base-url", help=f"the gateway's address (default: FLUX_BASE_URL, else {SERVER})")
    command.add_argument(
        "--allow-local-images",
        action="store_true",
        help="fetch pictures from this machine and its network too, though the gateway is a public one",
    )
    command.add_argument("--timeout", type=float, metavar="SECONDS", help="how long to wait for the answer")
    command.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    command.set_defaults(run=_run)


def _fields() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The body's fields but the prompt, as the contract has them."""
    body = contract.OPERATIONS["create_image"].body or {}
    schema = contract.SCHEMAS[body["$ref"].rpartition("/")[2]]
    return ((name, rules) for name, rules in schema["properties"].items() if name != "prompt")


def _add_field(command: argparse.ArgumentParser, name: str, rules: Mapping[str, Any]) -> None:
    flag = "--" + name.replace("_", "-")
    text = " ".join(rules["description"].split()).replace("%", "%%")
    if rules.get("type") == "boolean":
        command.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
    else:
        kind = _TYPES[rules.get("type", "string")]
        command.add_argument(flag, type=kind, choices=rules.get("enum"), default=None, help=text)


def _run(options: argparse.Namespace) -> int:
    fields = {name: getattr(options, name) for name, _ in _fields()}
    given = {name: value for name, value in fields.items() if value is not None}
    paths = _paths(options.output, given.get("n", 1))
    if not options.overwrite:
        _refuse_existing(paths)
    pictures: list[Picture] = []
    lost: list[Lost] = []
    with FluxImages(
        base_url=options.base_url, timeout=options.timeout, allow_local_images=options.allow_local_images
    ) as flux:
        with progress("Drawing"):
            generation = flux.generate(options.prompt, **given)
        for image, path in zip(generation.images, paths, strict=False):
            try:
                pictures.append(Picture.of(image, image.save(path, overwrite=options.overwrite)))
            except (FluxImagesError, OSError) as error:  # the others are paid for as well
                key = find_key(None)  # a gateway may have echoed it in an address
                lost.append(Lost(path, key.redact(image.url or ""), type(error).__name__, key.redact(str(error))))
    show(pictures, lost, missing=generation.missing, request_id=generation.request_id, as_json=options.json)
    return int(bool(lost or generation.missing))


def _paths(output: Path, count: int) -> list[Path]:
    if count == 1:
        return [output]
    return [output.with_name(f"{output.stem}-{number}{output.suffix}") for number in range(1, count + 1)]


def _refuse_existing(paths: list[Path]) -> None:
    """Refuse before paying for a picture that could not be saved."""
    for path in paths:
        candidates = [path] if path.suffix else [path.with_suffix(suffix) for suffix in SUFFIXES.values()]
        for taken in filter(Path.exists, candidates):
            raise ConfigurationError(f"{taken} exists already; choose another --output, or add --overwrite")

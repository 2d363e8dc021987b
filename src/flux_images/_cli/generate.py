"""`flux-images generate`: one prompt, its pictures in files. The options are the contract's fields."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flux_images import FluxImages
from flux_images._cli.fields import add_fields, given_fields
from flux_images._cli.keep import Keeper, targets_for
from flux_images._cli.prompt import name_from, read_prompt
from flux_images._cli.show import as_json, progress, show
from flux_images._errors import ConfigurationError
from flux_images._picture.save import KINDS, free_target
from flux_images._request.key import find_key
from flux_images._text import one_line
from flux_images_api.contract import SERVER

if TYPE_CHECKING:
    import argparse

    from flux_images import Generation, Retry

_ASKED_BY_SUFFIX = {"image/png": "png", "image/jpeg": "jpeg"}


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse names no public type for it
    """Declare the command's options."""
    summary = "make pictures from a prompt"
    command = commands.add_parser("generate", help=summary, description=f"{summary.capitalize()}, and save them.")
    add = command.add_argument
    add("prompt", nargs="?", help="what the picture shows, in any language; @FILE or - (standard input) hold it")
    add("--prompt-file", type=Path, metavar="FILE", help="the prompt is in this file; - is standard input")
    add(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="the file, whose .png or .jpg asks for that format; without a suffix the picture's own is added, of "
        "several pictures each has its number; - is standard output (default: a free name made from the prompt)",
    )
    add("--overwrite", action="store_true", help="replace files that exist")
    add_fields(command)
    add("--base-url", help=f"the gateway's address (default: FLUX_BASE_URL, else {SERVER})")
    add("--api-key-env", default="FLUX_API_KEY", metavar="NAME", help="variable with the key (default: %(default)s)")
    add("--allow-insecure", action="store_true", help="allow plain http to another machine; the key is seen on the way")
    add(
        "--allow-local-images",
        action="store_true",
        help="fetch pictures from this machine and its network too, though the gateway is a public one",
    )
    add("--timeout", type=float, metavar="SECONDS", help="how long to wait for the answer")
    add("--max-retries", type=int, metavar="N", help="how often to try again what surely cost nothing (default: 2)")
    add("--no-preview", action="store_true", help="don't show the pictures in the terminal")
    add("-q", "--quiet", action="store_true", help="print the paths and errors alone")
    add("--json", action="store_true", help="print one JSON object, for programs")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    logging.getLogger("flux_images").addHandler(logging.NullHandler())  # the command says it itself
    given = given_fields(options)
    prompt = read_prompt(options.prompt, options.prompt_file)
    output: Path | None = options.output
    targets = targets_for(
        output, name_from(prompt), given.get("n", 1), overwrite=options.overwrite, as_json=options.json
    )
    by_suffix = _ASKED_BY_SUFFIX.get(KINDS.get(output.suffix.lower(), "")) if output else None
    if by_suffix:
        given.setdefault("output_format", by_suffix)
    secret = _secret(options.api_key_env)
    keeper = Keeper(find_key(secret), overwrite=options.overwrite)
    with FluxImages(
        secret,
        base_url=options.base_url,
        timeout=options.timeout,
        max_retries=options.max_retries,
        allow_insecure=options.allow_insecure,
        allow_local_images=options.allow_local_images,
        on_retry=_say_retry if sys.stderr.isatty() and not options.quiet else None,
    ) as flux:
        with progress("Drawing", shown=not options.quiet):
            generation = flux.generate(prompt, **given)
        left = list(generation.images)
        try:
            while left:
                number = len(generation.images) - len(left)
                path = targets[number] if number < len(targets) else free_target(targets[0], left[0].media_type)
                keeper.keep(left[0], path)
                del left[0]
        except KeyboardInterrupt:
            for image in left:
                keeper.lose(image, targets[0], "KeyboardInterrupt", "interrupted")
    _tell(keeper, generation, options)
    if left:
        return 130
    return int(bool(keeper.lost or keeper.moved or generation.missing))


def _tell(keeper: Keeper, generation: Generation, options: argparse.Namespace) -> None:
    """Print what was saved, and on standard error what was not or differs; or one JSON object with all."""
    notes = [
        *keeper.notes,
        *(str(each) for each in generation.deviations if not (generation.missing and each.where == "/data")),
    ]
    if options.json:
        print(
            as_json(
                keeper.pictures,
                lost=[each.as_json() for each in keeper.lost],
                missing=generation.missing,
                deviations=[each._asdict() for each in generation.deviations],
                notes=keeper.notes,
                request_id=generation.request_id,
            )
        )
        return
    if options.quiet:
        print(*(picture.path for picture in keeper.pictures), sep="\n", end="\n" * bool(keeper.pictures))
    else:
        show(keeper.pictures, preview=not options.no_preview)
    for each in keeper.lost:
        where = f"; its address: {one_line(each.url, 2000)}" if each.url else ""
        notes.append(f"{each.path} was paid for and not saved: {each.message}{where}")
    if generation.missing:
        request = one_line(str(generation.request_id), 100)
        notes.append(f"{generation.missing} of the pictures asked for did not come (request id {request})")
    for note in notes:
        print(f"flux-images: {note}", file=sys.stderr)


def _secret(variable: str) -> str | None:
    if variable == "FLUX_API_KEY":
        return None
    if not (secret := os.environ.get(variable)):
        raise ConfigurationError(f"{variable}: there is no key in this variable; set it, or name another --api-key-env")
    return secret


def _say_retry(retry: Retry) -> None:
    print(f"flux-images: {type(retry.error).__name__}; trying again in {retry.wait:.1f} s", file=sys.stderr)

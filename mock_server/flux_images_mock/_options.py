"""The mock's options, the same in code and on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal, TypedDict

MAX_BODY = 128 * 1024 * 1024
HEADER_TIMEOUT = 10.0

Auth = Literal["strict", "gateway"]


class Options(TypedDict, total=False):
    """What can be said of a mock beyond its description."""

    auth: Auth
    """`gateway` reads the Authorization header as older One API does: a raw key is taken, `bearer` is not."""
    scenario: str
    """Every request meets this scenario, unless it asks for another."""
    max_body: int
    """The largest request body, in bytes; 128 MiB by default, as in most gateways of the family."""
    check_answers: bool
    """Whether drawn and sampled answers are checked against the description before they are sent (they are)."""
    header_timeout: float
    """How long a request's head may take to arrive, in seconds; its body gets a second more for each MiB."""
    lenient: bool
    """Whether a description with keywords that can't be honoured is served all the same."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    options = argparse.ArgumentParser(prog="flux-images mock", description="Play an image gateway, offline.")
    add = options.add_argument
    add("--spec", type=Path, metavar="FILE", help="OpenAPI 3.0 or 3.1, YAML or JSON (default: this project's own)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=4010, help="port; 0 takes any free one (default: %(default)s)")
    add("--auth", choices=["strict", "gateway"], default="strict", help="gateway: as older One API reads Authorization")
    add("--scenario", metavar="NAME", help="every request meets this scenario")
    add("--max-body", type=int, default=MAX_BODY, metavar="BYTES", help="largest request body (default: %(default)s)")
    add(
        "--header-timeout",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="for a request to arrive (default: %(default)s)",
    )
    add("--lenient", action="store_true", help="serve a description despite keywords that can't be honoured")
    add("--no-check-answers", action="store_true", help="send answers without checking them first")
    log = options.add_mutually_exclusive_group()
    log.add_argument("--json-log", action="store_true", help="log each request as a line of JSON")
    log.add_argument("--quiet", action="store_true", help="log no requests")
    return options


def from_arguments(arguments: argparse.Namespace) -> Options:
    """Return the options that a command line gives."""
    options = Options(
        auth=arguments.auth,
        max_body=arguments.max_body,
        header_timeout=arguments.header_timeout,
        check_answers=not arguments.no_check_answers,
        lenient=arguments.lenient,
    )
    if arguments.scenario is not None:
        options["scenario"] = arguments.scenario
    return options

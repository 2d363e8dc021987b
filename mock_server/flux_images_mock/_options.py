"""The mock's options, the same in code and on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, cast

from flux_images_mock._durations import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flux_images_mock._pictures.sizes import Size

MAX_BODY = 128 * 1024 * 1024
HEADER_TIMEOUT = 10.0

Auth = Literal["strict", "gateway"]


class Behaviour(TypedDict, total=False):
    """How the gateway behaves: what `reset` can change while it runs."""

    scenario: str
    """Every request meets this scenario, unless it asks for another."""
    api_keys: Sequence[str]
    """The keys that may come in; any well-formed one by default."""
    rate_limit: str
    """Requests of one key in a time, such as `10/min`; more get 429."""
    credit: int
    """Pictures that each key can pay for; more get the quota error."""
    concurrency: int
    """Requests that are answered at the same time; more get 429."""
    latency: str | float
    """How long an answer takes: `8s`, `2s..12s`, or `lognormal:8s,0.4` (median and sigma)."""
    chaos: float
    """The share of requests, from 0 to 1, that meet a scenario by chance."""
    seed: int
    """What makes latency and chaos the same each time."""
    size: Size
    """`preview` draws 512 pixels on the longer side, `full` the 4 megapixels of the real model."""
    url_ttl: str | float
    """How long the address of a picture is valid; 10 minutes by default."""


class Options(Behaviour, total=False):
    """What can be said of a mock beyond its description."""

    auth: Auth
    """`gateway` reads the Authorization header as older One API does: a raw key is taken, `bearer` is not."""
    scenarios: Sequence[Path | str]
    """Folders with scenario files of your own."""
    journal: int
    """How many requests are remembered; 1000 by default, fewer where they are large."""
    allow_hosts: Sequence[str]
    """Names besides localhost and loopback addresses under which the control API answers."""
    max_body: int
    """The largest request body, in bytes; 128 MiB by default, as in most gateways of the family."""
    check_answers: bool
    """Whether drawn and sampled answers are checked against the description before they are sent (they are)."""
    header_timeout: float
    """How long a request's head may take to arrive, in seconds; its body gets a second more for each MiB."""
    lenient: bool
    """Whether a description with keywords that can't be honoured is served all the same."""


_LIMITS = ("credit", "concurrency", "journal", "max_body", "header_timeout")


def check(given: Mapping[str, object], known: frozenset[str]) -> None:
    """Raise `TypeError` if an option is given that isn't known, and `OptionError` for a limit below 0."""
    unknown = sorted(set(given) - known)
    if unknown:
        raise TypeError(f"unknown option {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for name in _LIMITS:
        limit = cast("float", given.get(name, 0))
        if not limit >= 0:
            raise OptionError(name, "0 or more", limit)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    options = argparse.ArgumentParser(prog="flux-images mock", description="Play an image gateway, offline.")
    add = options.add_argument
    add("--spec", type=Path, metavar="FILE", help="OpenAPI 3.0 or 3.1, YAML or JSON (default: this project's own)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=4010, help="port; 0 takes any free one (default: %(default)s)")
    add("--auth", choices=["strict", "gateway"], default="strict", help="gateway: as older One API reads Authorization")
    add("--scenarios", type=Path, metavar="DIR", action="append", help="folder with scenario files of your own")
    add("--allow-host", metavar="HOST", action="append", help="name under which /__mock__/ answers, besides localhost")
    _add_behaviour(options.add_argument_group("how the gateway behaves"))
    add("--journal", type=int, metavar="N", help="requests that are remembered at most (default: 1000)")
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


def _add_behaviour(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse names no public type for it
    add = group.add_argument
    add("--scenario", metavar="NAME", help="every request meets this scenario (see `flux-images scenarios`)")
    add("--api-key", metavar="KEY", action="append", dest="api_keys", help="let only this key in; can be repeated")
    add("--rate-limit", metavar="RATE", help="requests of one key, such as 10/min; more get 429")
    add("--credit", type=int, metavar="N", help="pictures each key can pay for; more get the quota error")
    add("--concurrency", type=int, metavar="N", help="requests answered at the same time; more get 429")
    add("--latency", metavar="TIME", help="such as 8s, 2s..12s or lognormal:8s,0.4 (median, sigma)")
    add("--chaos", type=float, metavar="SHARE", help="share of requests that meet trouble by chance, such as 0.05")
    add("--seed", type=int, metavar="N", help="makes latency and chaos the same each time (default: 0)")
    add(
        "--size",
        choices=["preview", "full"],
        help="pictures of 512 pixels, or as large as the model's (default: preview)",
    )
    add("--url-ttl", metavar="TIME", help="how long a picture's address is valid (default: 10min)")


def from_arguments(arguments: argparse.Namespace) -> Options:
    """Return the options that a command line gives."""
    options = Options(
        auth=arguments.auth,
        max_body=arguments.max_body,
        header_timeout=arguments.header_timeout,
        check_answers=not arguments.no_check_answers,
        lenient=arguments.lenient,
    )
    if arguments.scenarios is not None:
        options["scenarios"] = arguments.scenarios
    if arguments.allow_host is not None:
        options["allow_hosts"] = arguments.allow_host
    if arguments.journal is not None:
        options["journal"] = arguments.journal
    given = {name: value for name in Behaviour.__annotations__ if (value := getattr(arguments, name)) is not None}
    return cast("Options", {**options, **given})

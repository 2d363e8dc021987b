"""The mock's command line: `python -m flux_images_mock`."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from flux_images_mock._answer.scenarios import UnknownScenarioError
from flux_images_mock._description.node import SpecError, load
from flux_images_mock._options import HEADER_TIMEOUT, MAX_BODY, MOST_REQUESTS, OptionError, Options
from flux_images_mock._serve.asgi import MockApp
from flux_images_mock._serve.log import for_people, for_programs
from flux_images_mock._serve.server import Server, address, bind

_LOOPBACK = ("127.", "::1", "localhost")


def _say(text: str) -> None:
    print(f"flux-images mock: {text}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C and return 0; return 2 with one line on standard error if that can't begin."""
    arguments = _parser().parse_args(argv)
    options = cast(
        "Options", {name: given for name, given in vars(arguments).items() if name in Options.__optional_keys__}
    )
    log = None if arguments.quiet else for_programs() if arguments.json_log else for_people()
    try:
        application = MockApp(load(arguments.spec), options, log, _say)
        listener = bind(arguments.host, arguments.port)
    except (SpecError, OptionError, UnknownScenarioError) as error:
        _say(str(error))
        return 2
    except (OSError, OverflowError) as error:
        _say(f"cannot listen on {arguments.host}:{arguments.port}: {error}")
        return 2
    if not arguments.host.startswith(_LOOPBACK):
        _say(f"warning: other machines can reach {arguments.host}")
    try:
        print(f"listening on {address(listener)}", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return 1
    gc.collect()
    gc.freeze()  # the compiled description lives as long as the process; no collection need visit it
    Server(application, listener, options.get("header_timeout", HEADER_TIMEOUT)).run()
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; what is not given is not in its result, but for what has a default."""
    parser = argparse.ArgumentParser(
        prog="flux-images mock", description="Play an image gateway, offline.", argument_default=argparse.SUPPRESS
    )
    add = parser.add_argument
    add("--spec", type=Path, metavar="FILE", default=None, help="OpenAPI 3.0 or 3.1, YAML or JSON (default: our own)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=4010, help="port; 0 takes any free one (default: %(default)s)")
    add("--auth", choices=["strict", "gateway"], help="gateway: as older One API reads Authorization (default: strict)")
    add("--scenarios", type=Path, metavar="DIR", action="append", help="folder with scenario files of your own")
    add(
        "--allow-host",
        metavar="HOST",
        action="append",
        dest="allow_hosts",
        help="name under which /__mock__/ answers, besides localhost",
    )
    also = parser.add_argument_group("how the gateway behaves").add_argument
    also("--scenario", metavar="NAME", help="every request meets this scenario (see `flux-images scenarios`)")
    also("--api-key", metavar="KEY", action="append", dest="api_keys", help="let only this key in; can be repeated")
    also("--rate-limit", metavar="RATE", help="requests of one key, such as 10/min; more get 429")
    also("--credit", type=int, metavar="N", help="pictures each key can pay for; more get the quota error")
    also("--concurrency", type=int, metavar="N", help="requests answered at the same time; more get 429")
    also("--latency", metavar="TIME", help="such as 8s, 2s..12s or lognormal:8s,0.4 (median, sigma)")
    also("--chaos", type=float, metavar="SHARE", help="share of requests that meet trouble by chance, such as 0.05")
    also("--seed", type=int, metavar="N", help="makes latency and chaos the same each time (default: 0)")
    also("--size", choices=["preview", "full"], help="pictures of 512 pixels (default), or as large as the model's")
    also("--url-ttl", metavar="TIME", help="how long a picture's address is valid (default: 10min)")
    add("--journal", type=int, metavar="N", help=f"requests that are remembered at most (default: {MOST_REQUESTS})")
    add("--max-body", type=int, metavar="BYTES", help=f"largest request body (default: {MAX_BODY})")
    add("--header-timeout", type=float, metavar="SECONDS", help=f"for a request to arrive (default: {HEADER_TIMEOUT})")
    add("--lenient", action="store_true", help="serve a description despite keywords that can't be honoured")
    add("--no-check-answers", action="store_false", dest="check_answers", help="send answers without checking them")
    log = parser.add_mutually_exclusive_group()
    log.add_argument("--json-log", action="store_true", default=False, help="log each request as a line of JSON")
    log.add_argument("--quiet", action="store_true", default=False, help="log no requests")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The mock's command line: `python -m flux_images_mock`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flux_images_mock._app import DEFAULT_MAX_BODY, MockApp
from flux_images_mock._engine import Engine, State
from flux_images_mock._scenarios import UnknownScenarioError
from flux_images_mock._server import address, bind, configure
from flux_images_mock._spec import SpecError, load

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOPBACK = ("127.", "::1", "localhost")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the mock's options."""
    options = argparse.ArgumentParser(prog="python -m flux_images_mock", description="Play an image gateway, offline.")
    options.add_argument(
        "--spec", type=Path, metavar="FILE", help="OpenAPI 3.0 or 3.1 file (default: this project's own)"
    )
    options.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    options.add_argument("--port", type=int, default=4010, help="port; 0 takes any free one (default: %(default)s)")
    options.add_argument(
        "--auth",
        choices=["strict", "gateway"],
        default="strict",
        help="how Authorization is read: gateway takes a raw key",
    )
    options.add_argument("--scenario", metavar="NAME", help="every request meets this scenario")
    options.add_argument(
        "--max-body",
        type=int,
        default=DEFAULT_MAX_BODY,
        metavar="BYTES",
        help="largest request body (default: %(default)s)",
    )
    options.add_argument(
        "--lenient", action="store_true", help="serve a description with keywords that can't be honoured"
    )
    options.add_argument("--no-check-answers", action="store_true", help="send answers without checking them first")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; return 2 with one line on standard error if that can't begin."""
    options = parser().parse_args(argv)
    state = State()
    try:
        engine = Engine(
            load(options.spec),
            state,
            manners=options.auth,
            scenario=options.scenario,
            check_answers=not options.no_check_answers,
            lenient=options.lenient,
            warn=lambda text: print(f"warning: {text}", file=sys.stderr),
        )
        listener = bind(options.host, options.port)
    except (SpecError, UnknownScenarioError) as error:
        print(f"flux-images mock: {error}", file=sys.stderr)
        return 2
    except (OSError, OverflowError) as error:
        print(f"flux-images mock: cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 2
    if not options.host.startswith(_LOOPBACK):
        print(f"warning: {options.host} can be reached from other machines", file=sys.stderr)
    print(f"listening on {address(listener)}", flush=True)
    try:
        configure(MockApp(engine, state, max_body=options.max_body)).run([listener])
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

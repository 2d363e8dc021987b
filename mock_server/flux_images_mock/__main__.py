"""The mock's command line: `python -m flux_images_mock`."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from flux_images_mock._answer.scenarios import UnknownScenarioError
from flux_images_mock._description.node import SpecError, load
from flux_images_mock._durations import OptionError
from flux_images_mock._gateway.engine import Engine
from flux_images_mock._gateway.state import State
from flux_images_mock._options import from_arguments, parser
from flux_images_mock._serve.asgi import MockApp
from flux_images_mock._serve.log import for_people, for_programs
from flux_images_mock._serve.server import address, bind, configure

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOPBACK = ("127.", "::1", "localhost")


def _say(text: str) -> None:
    print(f"flux-images mock: {text}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C and return 0; return 2 with one line on standard error if that can't begin."""
    arguments = parser().parse_args(argv)
    options = from_arguments(arguments)
    try:
        state = State(options)
        engine = Engine(load(arguments.spec), state, options, _say)
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
    log = None if arguments.quiet else for_programs() if arguments.json_log else for_people()
    gc.collect()
    gc.freeze()  # the compiled description lives as long as the process; no collection need visit it
    configure(MockApp(engine, state, options, log), options).run([listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())

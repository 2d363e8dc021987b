"""`flux-images docs`: the reference page, served by a mock, so that what it shows can be tried."""

from __future__ import annotations

import threading
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse names no public type for it
    """Declare the command's options."""
    summary = "open the reference of the API, with a mock to try it on, until Ctrl-C"
    command = commands.add_parser("docs", help=summary, description=summary.capitalize())
    command.add_argument("--port", type=int, default=0, help="port of the mock (default: any free one)")
    command.add_argument("--no-browser", action="store_true", help="only print the address")
    command.set_defaults(run=_run, json=False)


def _run(options: argparse.Namespace) -> None:
    from flux_images_mock import MockServer

    with MockServer(port=options.port) as mock, suppress(KeyboardInterrupt):
        address = f"{mock.url}/__mock__/docs"
        print(address, flush=True)
        if not options.no_browser:
            webbrowser.open(address)
        threading.Event().wait()

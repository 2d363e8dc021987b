"""The command line `flux-images`: make pictures, play the gateway, show both at work.

Exit codes: 0 done; 1 the gateway, the network or the reader of the output failed; 2 the command cannot be run as given;
130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_images._errors import FluxImagesError

__all__ = ["main"]

_BATCH_VERBS = ("status", "retry", "export", "verify", "gallery")
"""Commands of two words; a file of prompts that is called so is ./status."""
_NEED_NOTHING = ("completion", "docs")
"""Commands that show nothing by the extra `cli`."""
_NEEDS = {"demo": "cli,mock", "docs": "cli,mock", "mock": "cli,mock", "scenarios": "cli,mock"}
"""The extras that a command needs, as pip writes them; the others need `cli`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            return _dispatch(words)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return 1
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("flux_images"):
            raise
        extras = _NEEDS.get(words[0] if words else "", "cli")
        print(f"flux-images: {error.name} is missing; pip install 'flux-images[{extras}]'", file=sys.stderr)
        return 2


def _in_words_of_the_command(text: str) -> str:
    """Errors of the client name its arguments; here those are options."""
    return re.sub(r"\bpass (\w+)=True", lambda match: f"add --{match[1].replace('_', '-')}", text)


def _dispatch(words: list[str]) -> int:
    if words[:1] == ["mock"]:
        from flux_images_mock.__main__ import main as mock

        return mock(words[1:])
    if words[:1] == ["scenarios"]:
        from flux_images_mock._catalogue import main as scenarios

        return scenarios(words[1:])
    if words[:1] == ["batch"] and words[1:2] and words[1] in _BATCH_VERBS:
        words = [" ".join(words[:2]), *words[2:]]
    return _run(_parser().parse_args(words))


def _parser() -> argparse.ArgumentParser:
    from flux_images import __version__
    from flux_images._cli import batch, check, completion, demo, docs, generate
    from flux_images._cli.parser import Parser

    made = Parser(
        prog="flux-images",
        description="Pictures from a Flux endpoint, and the endpoint itself for tests.",
        epilog="The key is read from FLUX_API_KEY, the gateway's address from FLUX_BASE_URL.",
    )
    whole = cast("argparse.ArgumentParser", made)  # or the commands would be those of a Parser alone
    whole.add_argument("--version", action="version", version=f"flux-images {__version__}")
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    for module in (generate, batch, check, demo, docs):
        module.add_command(commands)
    completion.add_command(commands, whole)
    commands.add_parser("mock", help="play the gateway offline; see `flux-images mock --help`", add_help=False)
    commands.add_parser("scenarios", help="list what the mock can imitate, `show NAME` prints one", add_help=False)
    return whole


def _run(options: argparse.Namespace) -> int:
    from flux_images._errors import ConfigurationError, FluxImagesError, InvalidRequestError

    if options.command not in _NEED_NOTHING:
        importlib.import_module("rich")  # what shows the pictures is missed before they are bought, not after
    try:
        code: int | None = options.run(options)
    except (ConfigurationError, InvalidRequestError) as error:
        return _report(error, 2, as_json=options.json)
    except FluxImagesError as error:
        return _report(error, 1, as_json=options.json)
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"flux-images: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("flux-images: interrupted; a picture that was asked for may still be billed", file=sys.stderr)
        return 130
    return code or 0


def _report(error: FluxImagesError, code: int, *, as_json: bool) -> int:
    """Say what went wrong: one line for a person, or an object for a program."""
    if as_json:
        facts: dict[str, Any] = {"class": type(error).__name__, "message": _in_words_of_the_command(error.message)}
        for name in ("status_code", "code", "type", "request_id", "may_have_been_billed"):
            facts[name] = getattr(error, name, None)
        print(json.dumps({"error": facts}, ensure_ascii=False))
    else:
        print(f"flux-images: {_in_words_of_the_command(str(error))}", file=sys.stderr)
    return code

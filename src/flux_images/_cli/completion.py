"""`flux-images completion`: what a shell needs to complete this command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_images._cli.parser import forget_commands

if TYPE_CHECKING:
    import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser], whole: argparse.ArgumentParser) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse names no public type for it
    """Declare the command's options; ``whole`` is what is completed."""
    summary = "print what your shell needs to complete this command"
    command = commands.add_parser(
        "completion",
        help=summary,
        description=f'{summary.capitalize()}: eval "$(flux-images completion bash)".',
    )
    command.add_argument("shell", choices=("bash", "zsh"))

    def run(options: argparse.Namespace) -> None:
        import shtab  # part of the extra `cli`

        forget_commands(whole, " ")  # shells complete one word at a time
        print(shtab.complete(whole, shell=options.shell))

    command.set_defaults(run=run, json=False)

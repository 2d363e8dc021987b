"""A parser that says in one line what is wrong with a command, and what may have been meant."""

from __future__ import annotations

import argparse
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

_MEANT = {
    **dict.fromkeys(("--size", "--ratio", "--width", "--height"), "--aspect-ratio"),
    **dict.fromkeys(("-n", "--count", "--number"), "--n"),
    **dict.fromkeys(("--format", "--type"), "--output-format"),
    **dict.fromkeys(("--key", "--api-key", "-k"), "--api-key-env"),
    **dict.fromkeys(("--url", "--endpoint", "--host"), "--base-url"),
    **dict.fromkeys(("-f", "--force"), "--overwrite"),
    "-m": "--model",
}
"""What people call an option elsewhere."""


class Parser(argparse.ArgumentParser):
    """The usage is left to --help."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # its overloads differ only in types
        """Read the words; of one that is not known say what may have been meant."""
        options, rest = self.parse_known_args(args, namespace)
        if rest:
            command = commands_of(self).get(options.command, self)
            known = [name for action in command._actions for name in action.option_strings]
            self.error(f"unknown: {' '.join(rest)}{_meant(rest[0].partition('=')[0], known)}")
        return options

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with 2."""
        if match := re.match(r"(.*)invalid choice: '?(.*?)'? \(choose from (.*)\)$", message):
            choices = [choice.strip(" '") for choice in match[3].split(",")]
            among = f", not one of {', '.join(choices)}" if len(choices) < 4 else ""
            message = f"{match[1]}unknown: {match[2]}{among}{_meant(match[2], choices)}"
        self.exit(2, f"flux-images: {message}; see {self.prog} --help\n")


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser, by name."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if action.dest == "command":
            found = cast("dict[str, argparse.ArgumentParser]", action.choices)
    return found


def forget_commands(parser: argparse.ArgumentParser, mark: str) -> None:
    """Take the commands out whose names hold the mark."""
    for action in parser._actions:
        if action.dest == "command":
            commands: Any = action
            commands._choices_actions = [each for each in commands._choices_actions if mark not in each.dest]
            for name in [name for name in commands.choices if mark in name]:
                del commands.choices[name]


def _meant(word: str, known: Iterable[str]) -> str:
    known = list(known)
    likely = [name for name in (_MEANT.get(word),) if name in known] or get_close_matches(word, known, n=1)
    return f" (did you mean {likely[0]}?)" if likely else ""

"""The prompt that a person means, and a file's name that is made from it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from flux_images._errors import ConfigurationError
from flux_images._text import one_line

_LONGEST_NAME = 40


def read_prompt(given: str | None, file: Path | None) -> str:
    """The text itself, a file's (``@file`` or ``--prompt-file``) or standard input's (``-``, or none on a terminal).

    Raises:
        ConfigurationError: there is none, there are two, or a file cannot be read.
    """
    if given is not None and file is not None:
        raise ConfigurationError("give the prompt or --prompt-file, not both")
    if given and given.startswith("@"):
        file, given = Path(given[1:]), None
    if file is not None and str(file) != "-":
        prompt = _text_of(file)
    elif given == "-" or file is not None or (given is None and not sys.stdin.isatty()):
        prompt = _decoded(sys.stdin.buffer.read(), "standard input")
    elif given is None:
        raise ConfigurationError("give a prompt, @file, or - to read it from standard input")
    else:
        prompt = given
    if not prompt.strip():
        raise ConfigurationError("the prompt is empty: nothing was sent")
    return prompt


def name_from(prompt: str) -> str:
    """A file's name without a suffix: the prompt's first words, in any script."""
    words = re.sub(r"[\W_]+", "-", one_line(prompt, 200)).strip("-").lower()
    if len(words) > _LONGEST_NAME:
        words = words[: _LONGEST_NAME + 1].rpartition("-")[0] or words[:_LONGEST_NAME]
    return words or "picture"


def _text_of(file: Path) -> str:
    try:
        return _decoded(file.expanduser().read_bytes(), str(file))
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigurationError(
            f"the prompt's file cannot be read: {error}; a prompt that begins with @ goes by standard input"
        ) from None


def _decoded(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{source}: the prompt is not UTF-8") from None

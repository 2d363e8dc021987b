"""From the bytes of an answer to its document: JSON, also JSON that breaks off."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any, TypeGuard

from flux_images._answer.split import PictureSplitter

if TYPE_CHECKING:
    from flux_images._answer.split import Base64

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+|"')
_CLOSER = {"{": "}", "[": "]"}
_DEEPEST = 128
"""Levels of nesting that are closed; no answer of a gateway has that many."""


class JsonReader:
    """Feed it an answer, then take its ``document``; ``first`` is the number of the first picture in it."""

    def __init__(self, first: int = 0) -> None:
        self._splitter = PictureSplitter(first)

    @property
    def pictures(self) -> dict[str, Base64]:
        """What was taken out of the document, by what stands there instead."""
        return self._splitter.pictures

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            SplitError: the answer is larger than can be kept, or cannot be JSON.
        """
        self._splitter.feed(chunk)

    def document(self) -> tuple[Any, str | None]:
        """The document, and what is wrong with its text: then it is what came before.

        Raises:
            ValueError: the text is not JSON from its beginning.
        """
        try:
            return _parsed(self._splitter.text()), None
        except ValueError as error:
            self._splitter.cut()
            text = completed(self._splitter.text(errors="replace"))
            with contextlib.suppress(ValueError):  # then it was no JSON from the start
                return _parsed(text), f"the answer is not whole JSON: {error}"
            raise ValueError(f"the answer is not JSON: {error}") from error

    def beginning(self) -> bytes:
        """The answer's first bytes, without its pictures."""
        return self._splitter.beginning()


def completed(text: str) -> str:
    """The text up to its last whole value, with what is open closed; empty if there is none.

    A string or a number that the end cuts is left out: half an address is worse than none.
    """
    closers: list[str] = []
    whole, then = 0, ""
    is_key = False
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word in _CLOSER:
            if len(closers) == _DEEPEST:
                return ""
            closers.append(_CLOSER[word])
            is_key = word == "{"
        elif word in ("}", "]"):
            if not closers or closers.pop() != word:
                break
        elif word == ",":
            is_key = closers[-1:] == ["}"]
            continue
        elif word == ":":
            is_key = False
            continue
        elif word == '"':
            break
        elif is_key or not closers or (word[0] != '"' and match.end() == len(text)):
            continue  # a key without its value, a word that is no document, or a scalar that may go on
        whole, then = match.end(), "".join(reversed(closers))
    return text[:whole] + then


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_unknown)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a decoded value is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a decoded value is a JSON array."""
    return isinstance(value, list)


def _unknown(_: str) -> None:
    """What NaN and Infinity become, which JSON does not have: no value, so that its place is told as a deviation."""

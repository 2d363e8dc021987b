"""JSON that breaks off, closed behind its last whole value."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+|"')
_CLOSER = {"{": "}", "[": "]"}
_DEEPEST = 128
"""Levels of nesting that are closed; no answer of a gateway has that many."""


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

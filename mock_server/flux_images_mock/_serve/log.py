"""One line a request: coloured for people, JSON for programs. Keys and bodies are never in it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TextIO

import orjson

from flux_images_mock._answer.answer import Answer
from flux_images_mock._gateway.delivery import AccessLog
from flux_images_mock._gateway.exchange import Exchange
from flux_images_mock._request.redact import hide, key_of

_LONGEST_PATH = 200
_COLOURS = {2: 32, 3: 36, 4: 33, 5: 31}


def for_people(stream: TextIO | None = None) -> AccessLog:
    """Return a log of plain lines, coloured on a terminal."""
    out = sys.stderr if stream is None else stream
    colour = out.isatty()

    def line(exchange: Exchange, answer: Answer, milliseconds: float) -> str:
        status = str(answer.status)
        if colour:
            status = f"\033[{_COLOURS.get(answer.status // 100, 0)}m{status}\033[0m"
        request = _printable(f"{exchange.request.method} {_path(exchange)}")
        differences = "; ".join(map(str, exchange.violations)) or answer.origin
        return f"{request} {status} {milliseconds:.1f} ms  {_printable(differences)}"

    return _printed(line, out)


def for_programs(stream: TextIO | None = None) -> AccessLog:
    """Return a log of JSON lines."""
    return _printed(_json_line, sys.stderr if stream is None else stream)


def _json_line(exchange: Exchange, answer: Answer, milliseconds: float) -> str:
    entry = {
        "method": exchange.request.method,
        "path": _path(exchange),
        "status": answer.status,
        "ms": round(milliseconds, 3),
        "origin": answer.origin,
        "violations": [violation.as_json() for violation in exchange.violations],
    }
    return orjson.dumps(entry).decode()


def _printed(line: Callable[[Exchange, Answer, float], str], out: TextIO) -> AccessLog:
    """Return a log that prints, as long as somebody reads it."""
    is_read = True

    def write(exchange: Exchange, answer: Answer, milliseconds: float) -> None:
        nonlocal is_read
        if is_read:
            try:
                print(line(exchange, answer, milliseconds), file=out, flush=True)
            except BrokenPipeError:
                is_read = False

    return write


def _path(exchange: Exchange) -> str:
    """Return the path without a key, and without its query, where a key may stand."""
    path = hide(exchange.request.path, key_of(exchange.request))
    return path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}..."


def _printable(text: str) -> str:
    """Return the text with the control characters that a caller may have put in it escaped."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)

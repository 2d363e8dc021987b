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
    colour, put = out.isatty(), _printer(out)

    def write(exchange: Exchange, answer: Answer, milliseconds: float) -> None:
        status = str(answer.status)
        if colour:
            status = f"\033[{_COLOURS.get(answer.status // 100, 0)}m{status}\033[0m"
        request = _printable(f"{exchange.request.method} {_path(exchange)}")
        differences = "; ".join(map(str, exchange.violations)) or answer.origin
        put(f"{request} {status} {milliseconds:.1f} ms  {_printable(differences)}")

    return write


def for_programs(stream: TextIO | None = None) -> AccessLog:
    """Return a log of JSON lines."""
    put = _printer(sys.stderr if stream is None else stream)

    def write(exchange: Exchange, answer: Answer, milliseconds: float) -> None:
        entry = {
            "method": exchange.request.method,
            "path": _path(exchange),
            "status": answer.status,
            "ms": round(milliseconds, 3),
            "origin": answer.origin,
            "violations": [violation.as_json() for violation in exchange.violations],
        }
        put(orjson.dumps(entry).decode())

    return write


def _printer(out: TextIO) -> Callable[[str], None]:
    """Return what prints a line, as long as somebody reads them."""
    is_read = True

    def put(line: str) -> None:
        nonlocal is_read
        if is_read:
            try:
                print(line, file=out, flush=True)
            except BrokenPipeError:
                is_read = False

    return put


def _path(exchange: Exchange) -> str:
    """Return the path without a key, and without its query, where a key may stand."""
    path = hide(exchange.request.path, key_of(exchange.request))
    return path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}..."


def _printable(text: str) -> str:
    """Return the text with the control characters that a caller may have put in it escaped."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)

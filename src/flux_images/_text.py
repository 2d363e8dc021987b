"""Text that others wrote, made safe for terminals and logs."""

from __future__ import annotations

import re

_UNSAFE = r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"


def one_line(text: str, limit: int = 500) -> str:
    """Give ``text`` on one line of at most ``limit`` characters.

    Control characters, terminal escapes, line and paragraph separators, direction overrides and lone
    surrogates become one space.
    """
    line = re.sub(_UNSAFE, " ", text[: 4 * limit]).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"

"""Text of others, on one safe line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_images._text import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("用户额度不足", "用户额度不足"),
        ("a\r\nb\tc", "a b c"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("\x9b31m", "31m"),
        ("a\u2028b\u202ec\u2066d\ud800e", "a b c d e"),
        ("  a  ", "a"),
        ("x" * 500, "x" * 500),
        ("x" * 501, "x" * 499 + "…"),
        ("", ""),
    ],
)
def test_a_line_is_what_it_should_be(text: str, line: str) -> None:
    """Escapes, breaks and overrides become spaces; long text is cut visibly."""
    assert one_line(text) == line


@given(st.text(st.characters()), st.integers(1, 50))
def test_no_text_moves_the_terminal(text: str, limit: int) -> None:
    """Whatever comes in, what goes out is short and has neither controls nor line breaks."""
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c == "\u202e"]

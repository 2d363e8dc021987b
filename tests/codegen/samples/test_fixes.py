"""What is repaired in generated samples, each with what the generator writes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from codegen.samples import fixes
from codegen.samples.request import SampleRequest

Fix = Callable[[str, SampleRequest], str]
FIXES: list[tuple[Fix, dict[str, str], str, str]] = [
    (fixes.none, {"a": "$"}, "$", "$"),
    (fixes.count_bytes, {"prompt": "雪"}, "Content-Length: 20\n\n雪", "Content-Length: 23\n\n雪"),
    (fixes.escape_line_separators, {"prompt": "\u2028"}, 'f("a\u2028b\u0085")', r'f("a\u2028b\u0085")'),
    (fixes.escape_dollars, {"prompt": "$HOME"}, '"$x" json.encode({"$HOME"});', r'"$x" json.encode({"\$HOME"});'),
    (fixes.quote_body, {"a": "'\n"}, 'body = \'{"a": "\'\\n"}\';', 'body = \'{\n    "a": "\\\'\\\\n"\n}\';'),
]


@pytest.mark.parametrize(("fix", "body", "written", "repaired"), FIXES, ids=[row[0].__name__ for row in FIXES])
def test_a_fix_repairs_what_it_names(fix: Fix, body: dict[str, str], written: str, repaired: str) -> None:
    """And nothing else of the sample."""
    request = SampleRequest("create_image", "POST", "https://gateway.example", "/v1/images", body)
    assert fix(written, request) == repaired


@pytest.mark.parametrize("fix", [fixes.count_bytes, fixes.escape_dollars, fixes.quote_body])
def test_a_sample_without_a_body_stays_as_it_is(fix: Fix) -> None:
    """Operations that only ask have samples, too."""
    request = SampleRequest("list_models", "GET", "https://gateway.example", "/v1/models", None)
    assert fix("GET /v1/models", request) == "GET /v1/models"

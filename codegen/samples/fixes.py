"""What postman-code-generators 2.1.1 gets wrong in a sample, one function each."""

from __future__ import annotations

import re

from codegen.samples.request import SampleRequest


def none(code: str, request: SampleRequest) -> str:
    """Leave the sample as it is."""
    del request
    return code


def count_bytes(code: str, request: SampleRequest) -> str:
    """HTTP: Content-Length counts bytes, not UTF-16 units."""
    return re.sub(r"(?m)^Content-Length: \d+", f"Content-Length: {len((request.text or '').encode())}", code, count=1)


def escape_line_separators(code: str, request: SampleRequest) -> str:
    """C#: U+2028, U+2029 and U+0085 end a line, so they cannot stand in a string literal."""
    del request
    return re.sub("[\u0085\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", code)


def escape_dollars(code: str, request: SampleRequest) -> str:
    """Dart: a dollar in a string literal reads a variable."""
    text = request.text or ""
    head, body, tail = _around(code, "json.encode({", "});") if text else (code, "", "")
    return head + body.replace("$", r"\$") + tail


def quote_body(code: str, request: SampleRequest) -> str:
    """R: the body is a string literal, in which backslashes and quotes are escaped."""
    if request.text is None:
        return code
    head, _, tail = _around(code, "body = '", "';")
    return head + request.text.replace("\\", r"\\").replace("'", r"\'") + tail


def _around(code: str, before: str, after: str) -> tuple[str, str, str]:
    start = code.index(before) + len(before)
    end = code.rindex(after)
    return code[:start], code[start:end], code[end:]

"""How what a sample sent differs from what it had to send."""

from __future__ import annotations

import json

from codegen.samples.request import SampleRequest
from codegen.samples.run.recorder import Received

USED_KEY = "sk-used-by-the-sample"
"""Stands where a sample shows a placeholder, which this SDK refuses."""
JSON_TYPES = ("application/json", "application/json; charset=utf-8")
"""OkHttp and C# add the character set, which JSON has anyway."""


def differences(received: list[Received], request: SampleRequest) -> list[str]:
    """Say what is wrong: method, path, headers, the JSON value of the body, and that the mock took it."""
    if len(received) != 1:
        return [f"sent {len(received)} requests"]
    sent = received[0]
    wrong = [
        f"{what}: expected {expected!r}, got {got!r}"
        for what, expected, got in (
            ("method", request.method, sent.method),
            ("path", request.path, sent.path),
            ("authorization", f"Bearer {USED_KEY}", sent.headers.get("authorization")),
            ("status of the mock", 200, sent.status),
        )
        if expected != got
    ]
    if request.body is None:
        return [*wrong, *(["sent a body"] if sent.body else [])]
    if (content_type := sent.headers.get("content-type", "").lower()) not in JSON_TYPES:
        wrong.append(f"content-type: {content_type!r}")
    try:
        body = json.loads(sent.body.decode())
    except ValueError as error:
        return [*wrong, f"body is not JSON in UTF-8: {error}"]
    if body != request.body:
        wrong.append(f"body: expected {request.body!r}, got {body!r}")
    return wrong

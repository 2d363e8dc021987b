"""What a sample sends: an operation of the contract, with the first example of its body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from codegen.document import Json, follow, operations

KEY = "YOUR_API_KEY"


class SampleRequest(NamedTuple):
    """One request. ``body`` is what its JSON stands for, None without one."""

    operation: str
    method: str
    server: str
    path: str
    body: Json | None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that a sample has to send."""
        told = {"Authorization": f"Bearer {KEY}"}
        return told if self.body is None else {**told, "Content-Type": "application/json"}

    @property
    def text(self) -> str | None:
        """The body as a generator gets it."""
        return None if self.body is None else json.dumps(self.body, ensure_ascii=False, indent=4)

    def with_prompt(self, prompt: str) -> SampleRequest:
        """The same request for another picture."""
        return self._replace(body={**(self.body or {}), "prompt": prompt})


def sample_requests(document: Json) -> Iterator[SampleRequest]:
    """Yield one request for each operation."""
    server = document["servers"][0]["url"]
    for path, method, declared in operations(document):
        yield SampleRequest(declared["operationId"], method.upper(), server, path, _first_example(document, declared))


def _first_example(document: Json, declared: Json) -> Any:
    body = follow(document, declared.get("requestBody") or {})
    media = body.get("content", {}).get("application/json", {})
    return next((example["value"] for example in media.get("examples", {}).values()), None)

"""Schemathesis, with every check that applies, on this project's contract and on four other descriptions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flux_images_mock import MockServer

ROOT = Path(__file__).parents[2]
SPECS = Path(__file__).parent / "specs"

DEEP = "FLUX_EXAMPLES" in os.environ
"""`make contract-deep` tries more, and others each time."""
EXAMPLES, SEED = (os.environ["FLUX_EXAMPLES"], []) if DEEP else ("20", ["--seed", "7"])

ANY_KEY = "ignored_auth"  # the mock takes any well-formed key, so that a test needs none of its own
NO_TYPES = "negative_data_rejection"  # a form carries no types: null for a file is the same as the text `null`
NOT_405 = "unsupported_method"  # gateways of this family answer a wrong method with 404, which x-mock-errors states

CASES: dict[str, tuple[Path, str, list[str], list[str]]] = {
    "the contract": (ROOT / "openapi.yaml", "", [ANY_KEY, NOT_405], []),
    "every parameter style and security kind": (SPECS / "pets.yaml", "/api/v2", [ANY_KEY], []),
    "chat, OpenAPI 3.0": (SPECS / "chat.json", "/v1", [ANY_KEY], []),
    "multipart uploads": (SPECS / "upload.yaml", "", [NO_TYPES], []),
    # Schemathesis can't resolve a reference to an `$id`; test_keywords.py covers those trees.
    "every keyword": (SPECS / "keywords.yaml", "", [], ["--include-operation-id", "post_keywords"]),
}


def plain(value: Any) -> Any:
    """Return a description with `x-ratio-range`, which Schemathesis doesn't know, as a set of ratios."""
    if isinstance(value, dict):
        members: dict[str, Any] = value
        if "x-ratio-range" in members:
            return {"type": "string", "enum": [*members["x-ratio-range"], "1:1"]}
        return {key: plain(item) for key, item in members.items()}
    if isinstance(value, list):
        items: list[Any] = value
        return [plain(item) for item in items]
    return value


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "base", "excluded", "options"), CASES.values(), ids=CASES)
def test_schemathesis_finds_nothing(
    spec: Path, base: str, excluded: list[str], options: list[str], tmp_path: Path
) -> None:
    """No generated request, right or wrong, gets an answer that the description doesn't allow."""
    for file in SPECS.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    copy = tmp_path / f"{spec.stem}.json"
    copy.write_text(json.dumps(plain(yaml.safe_load(spec.read_text()))))
    # The mock keeps no records, so what one request made isn't there for the next: no stateful phase.
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(copy), "--phases", "examples,coverage,fuzzing"]
    command += ["--max-examples", EXAMPLES, *SEED, "--no-color", "-H", "Authorization: Bearer sk-schemathesis"]
    command += [part for check in excluded for part in ("--exclude-checks", check)] + options
    with MockServer(spec) as server:
        run = subprocess.run(
            [*command, "--url", f"{server.url}{base}"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=1200 if DEEP else 120,
        )
    assert run.returncode == 0, run.stdout[-6000:]

"""No name in the contract can change unseen: each rename, in turn, makes the rest of this suite fail."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from contract_tests import _contract as contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

Change = "Callable[[dict[str, Any]], None]"


def _rename_key(node: Any, old: str, new: str) -> Any:
    """The same data with a key renamed wherever it stands."""
    if isinstance(node, dict):
        return {new if key == old else key: _rename_key(value, old, new) for key, value in node.items()}
    if isinstance(node, list):
        return [_rename_key(entry, old, new) for entry in node]
    return node


def _rename_property(schema: str, name: str) -> Callable[[dict[str, Any]], None]:
    """Rename a property with all that belongs to it: `required` and every example that uses it."""

    def change(document: dict[str, Any]) -> None:
        rules = document["components"]["schemas"][schema]
        new = f"{name}_renamed"
        rules["properties"] = {new if key == name else key: value for key, value in rules["properties"].items()}
        rules["required"] = [new if key == name else key for key in rules.get("required", [])]
        bodies = [*_contents(document)]
        for media in bodies:
            for example in media.get("examples", {}).values():
                example["value"] = _rename_key(example["value"], name, new)

    return change


def _contents(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        for operation in item.values():
            yield from operation["requestBody"]["content"].values()
    for response in document["components"]["responses"].values():
        yield from response["content"].values()


def _rename_status(status: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        responses = document["paths"]["/v1/images/generations"]["post"]["responses"]
        new = "599" if status == "default" else str(int(status) + 1)
        responses[new if new not in responses else "598"] = responses.pop(status)

    return change


def _rename_operation(document: dict[str, Any]) -> None:
    document["paths"]["/v1/images/generations"]["post"]["operationId"] = "draw_image"


def _rename_path(document: dict[str, Any]) -> None:
    document["paths"]["/v1/image/generations"] = document["paths"].pop("/v1/images/generations")


def _change_scheme(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"]["bearer"]["scheme"] = "basic"


def _rename_scheme(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    schemes["token"] = schemes.pop("bearer")


def _changes() -> dict[str, Callable[[dict[str, Any]], None]]:
    changes: dict[str, Callable[[dict[str, Any]], None]] = {
        "operation": _rename_operation,
        "path": _rename_path,
        "scheme": _change_scheme,
        "name of the scheme": _rename_scheme,
    }
    for schema, rules in contract.document()["components"]["schemas"].items():
        for name in rules.get("properties", {}):
            changes[f"property {schema}.{name}"] = _rename_property(schema, name)
    for status in contract.document()["paths"]["/v1/images/generations"]["post"]["responses"]:
        changes[f"status {status}"] = _rename_status(status)
    return changes


CHANGES = _changes()


def _suite(spec: Path) -> subprocess.CompletedProcess[str]:
    """The quick part of this suite against another contract."""
    quick = ["-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist", "contract_tests"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *quick],
        cwd=contract.ROOT,
        env={**os.environ, "FLUX_CONTRACT": str(spec)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", CHANGES)
def test_a_rename_is_noticed(name: str, tmp_path: Path) -> None:
    """The suite fails, by a failing test and not by a crash of its own."""
    document = copy.deepcopy(contract.document())
    CHANGES[name](document)
    spec = tmp_path / "openapi.yaml"
    spec.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "utf-8")
    done = _suite(spec)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED" in done.stdout or "ERROR" in done.stdout


def test_the_unchanged_contract_passes(tmp_path: Path) -> None:
    """The control: a copy that only lost its comments and anchors passes."""
    spec = tmp_path / "openapi.yaml"
    spec.write_text(yaml.safe_dump(contract.document(), allow_unicode=True, sort_keys=False), "utf-8")
    done = _suite(spec)
    assert done.returncode == 0, done.stdout + done.stderr

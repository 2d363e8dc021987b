"""Which changes of the contract break whom, and that the changelog must say so."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from codegen.breaking import CALLERS, SERVERS, compare, main
from contract_tests.contract import document as contract
from contract_tests.mutants.mutate import Mutant, controls, mutants

if TYPE_CHECKING:
    from pathlib import Path

BODY = "/components/schemas/CreateImageRequest"
ANSWER = "/components/schemas/Image"
CASES: list[tuple[str, tuple[str | int, ...], Any, str, set[str]]] = [
    (
        "fewer pictures",
        (*BODY.split("/")[1:], "properties", "n", "maximum"),
        4,
        f"{BODY}/properties/n/maximum",
        {CALLERS},
    ),
    (
        "more pictures",
        (*BODY.split("/")[1:], "properties", "n", "maximum"),
        20,
        f"{BODY}/properties/n/maximum",
        {SERVERS},
    ),
    (
        "a field is needed",
        (*BODY.split("/")[1:], "required"),
        ["model", "prompt", "n"],
        f"{BODY}/required/n",
        {CALLERS},
    ),
    ("a field is not needed", (*BODY.split("/")[1:], "required"), ["prompt"], f"{BODY}/required/model", {SERVERS}),
    (
        "never null",
        (*ANSWER.split("/")[1:], "properties", "url", "type"),
        "string",
        f"{ANSWER}/properties/url/type",
        {SERVERS},
    ),
    (
        "a third type",
        (*ANSWER.split("/")[1:], "properties", "url", "type"),
        ["string", "null", "object"],
        f"{ANSWER}/properties/url/type",
        {CALLERS},
    ),
    (
        "a new optional field",
        (*BODY.split("/")[1:], "properties", "style"),
        {"type": "string"},
        f"{BODY}/properties/style",
        set(),
    ),
    (
        "fewer ratios",
        (*BODY.split("/")[1:], "properties", "aspect_ratio", "x-ratio-range"),
        ["16:9", "9:16"],
        f"{BODY}/properties/aspect_ratio/x-ratio-range",
        {CALLERS},
    ),
    (
        "more ratios",
        (*BODY.split("/")[1:], "properties", "aspect_ratio", "x-ratio-range"),
        ["32:9", "9:32"],
        f"{BODY}/properties/aspect_ratio/x-ratio-range",
        {SERVERS},
    ),
    (
        "a number where a whole one was",
        (*BODY.split("/")[1:], "properties", "seed", "type"),
        "number",
        f"{BODY}/properties/seed/type",
        {SERVERS},
    ),
    (
        "one more alternative",
        (*BODY.split("/")[1:], "properties", "model", "anyOf"),
        [*contract.document()["components"]["schemas"]["CreateImageRequest"]["properties"]["model"]["anyOf"], {}],
        f"{BODY}/properties/model/anyOf",
        {SERVERS},
    ),
    ("another refusal", ("x-mock-errors", "no-auth", "status"), 403, "/x-mock-errors/no-auth", {CALLERS}),
    (
        "a header that must be there",
        ("components", "headers", "RequestId", "required"),
        True,
        "/components/headers/RequestId/required",
        {SERVERS},
    ),
    (
        "a parameter for all of a path",
        ("paths", "/v1/images/generations", "parameters"),
        [{"name": "style", "in": "query", "required": True, "schema": {"type": "string"}}],
        "/paths/~1v1~1images~1generations/post/parameters/style",
        {CALLERS},
    ),
    ("another host", ("servers", 0, "url"), "https://other.example", "/servers", {CALLERS}),
]


def _changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    document: Any = copy.deepcopy(contract.document())
    node = document
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return document  # type: ignore[no-any-return]  # a document is JSON


@pytest.mark.parametrize(("name", "path", "value", "pointer", "breaks"), CASES, ids=[case[0] for case in CASES])
def test_a_change_is_classified(
    name: str, path: tuple[str | int, ...], value: Any, pointer: str, breaks: set[str]
) -> None:
    """One change is found, at its pointer, with those whom it breaks."""
    (change,) = compare(contract.document(), _changed(path, value))
    assert (change.pointer, set(change.breaks)) == (pointer, breaks)


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.name)
def test_every_mutant_is_a_change(mutant: Mutant) -> None:
    """No single-point change passes unseen, however small."""
    assert compare(contract.document(), mutant.document)


@pytest.mark.parametrize("control", controls(), ids=lambda control: control.name)
def test_prose_and_order_change_nothing(control: Mutant) -> None:
    """Other words and another order are no change."""
    assert compare(contract.document(), control.document) == []


def test_the_order_of_alternatives_says_nothing() -> None:
    """Neither does a reference in the place of what it refers to."""
    known = contract.document()["components"]["schemas"]["KnownModel"]
    place = (*BODY.split("/")[1:], "properties", "model", "anyOf")
    text = {"type": "string", "minLength": 1}
    assert compare(contract.document(), _changed(place, [text, {"$ref": "#/components/schemas/KnownModel"}])) == []
    assert compare(contract.document(), _changed(place, [known, text])) == []


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("", 1),
        ("- **Breaking:** at most 4 pictures: `maximum` of `n`.", 0),
        ("- Fewer pictures: `maximum`.", 1),
        ("- **Breaking:** another thing.", 1),
    ],
)
def test_the_changelog_must_say_it(entry: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A breaking change passes once the unreleased part of the changelog names it as one."""
    for name, document in (("old", contract.document()), ("new", _changed(CASES[0][1], 4))):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(document), "utf-8")
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(f"## [Unreleased]\n{entry}\n\n## [0.1.0]\n- **Breaking:** `maximum`\n", "utf-8")
    arguments = [str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml"), "--changelog", str(changelog)]
    assert main(arguments) == code
    assert f"{CALLERS}: {BODY}/properties/n/maximum: 10 became 4" in capsys.readouterr().out


def test_a_dangling_reference_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A `$ref` to nothing ends with its name, not with a traceback."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(yaml.safe_dump(contract.document()), "utf-8")
    new.write_text(old.read_text("utf-8").replace("#/components/schemas/KnownModel", "#/components/schemas/Gone"))
    assert main([str(old), str(new)]) == 2
    assert "breaking: $ref '#/components/schemas/Gone' leads nowhere" in capsys.readouterr().err

"""The file itself: valid, sourced, and complete on what the field is known to send."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from openapi_spec_validator import validate

import flux_images_mock
from contract_tests.contract import document as contract

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = {"seed", "gateway-family", "openai-convention", "flux-model"}
SCENARIOS = Path(flux_images_mock.__file__).with_name("scenarios")
ROWS = contract.cases("error_rows")
SUCCESSES = {
    "url": "a list of addresses",
    "url-with-empty-strings": "empty strings beside a good address",
    "b64-json": "base64",
    "b64-json-data-uri": "base64 with a data: prefix",
    "metadata": "a metadata object",
    "empty-object": "{}",
    "data-null": "no list",
    "data-empty": "an empty list",
    "url-null": "an entry with nothing in it",
}


def _facts(node: Any, pointer: str = "", kind: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property, parameter, header, example and response that is written out where it stands."""
    if not isinstance(node, dict) or "$ref" in node:
        return
    if kind:
        yield pointer, node
    for key, value in node.items():
        child = f"{pointer}/{key}"
        if key in {"properties", "headers", "responses", "parameters"}:
            entries = value.items() if isinstance(value, dict) else enumerate(value)
            for name, entry in entries:
                yield from _facts(entry, f"{child}/{name}", key)
        elif key == "examples" and isinstance(value, dict):
            for name, entry in value.items():
                yield from _facts(entry, f"{child}/{name}", key)
        elif key != "value":
            yield from _facts(value, child)


def test_standard() -> None:
    """The file is valid OpenAPI 3.1."""
    assert contract.document()["openapi"].startswith("3.1.")
    validate(contract.document())


@pytest.mark.parametrize(("pointer", "node"), list(_facts(contract.document())), ids=lambda value: str(value)[:80])
def test_every_fact_names_its_source(pointer: str, node: dict[str, Any]) -> None:
    """A property, parameter, header, example or response says where it is known from."""
    assert node.get("x-provenance") in SOURCES, f"{pointer}: add x-provenance, one of {sorted(SOURCES)}"


def test_the_facts_are_found() -> None:
    """The walk above sees each kind of fact; an empty walk would prove nothing."""
    pointers = [pointer for pointer, _ in _facts(contract.document())]
    for kind in ("properties", "headers", "examples", "responses"):
        assert any(f"/{kind}/" in pointer for pointer in pointers), kind


@pytest.mark.parametrize("example", list(contract.examples()), ids=str)
def test_every_example_satisfies_its_schema(example: contract.Example) -> None:
    """No example contradicts the schema beside it."""
    assert contract.differences(example.value, example.schema) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["row"])
def test_every_row_of_the_error_table_can_be_played(row: dict[str, str]) -> None:
    """Each error that the field is known to send is a named example or a scenario of the mock."""
    if "example" in row:
        assert row["example"] in {example.name for example in contract.examples() if example.status != "200"}
    else:
        scenario = yaml.safe_load((SCENARIOS / f"{row['scenario']}.yaml").read_text("utf-8"))
        assert scenario["name"] == row["scenario"]


def test_every_error_example_is_a_row() -> None:
    """No error stands in the contract that the table of cases, and so the SDK, does not know."""
    named = {example.name for example in contract.examples() if example.status not in (None, "200")}
    assert named == {row["example"] for row in ROWS if "example" in row}


def test_every_success_body_is_an_example() -> None:
    """Each success body that was seen in the wild is a named example."""
    assert {example.name for example in contract.examples() if example.status == "200"} == set(SUCCESSES)


@pytest.mark.parametrize("code", [None, "", "x", 5, 1.5, True, [], {"a": 1}])
def test_error_code_may_be_of_any_type(code: object) -> None:
    """The error schema takes upstream codes of every JSON type, and bodies without `param` and `code`."""
    schema = contract.document()["components"]["schemas"]["ErrorResponse"]
    assert contract.differences({"error": {"message": "m", "type": "t", "code": code}}, schema) == []
    assert contract.differences({"error": {"message": "m", "type": "one_api_error"}}, schema) == []
    assert contract.differences({"error": "boom"}, schema)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"model": "m", "prompt": "p"}, []),
        ({"model": "m", "prompt": "p", "anything": {"else": [1]}}, []),
        ({"model": "", "prompt": ""}, ["/model", "/prompt"]),
        ({"prompt": "p"}, [""]),
        ({"model": "m", "prompt": "p", "aspect_ratio": "0:1"}, ["/aspect_ratio"]),
        ({"model": "m", "prompt": "p", "aspect_ratio": "16x9"}, ["/aspect_ratio"]),
        ({"model": "m", "prompt": "p", "aspect_ratio": "10000:9999"}, ["/aspect_ratio"]),
        ({"model": "m", "prompt": "p", "n": 0, "safety_tolerance": 7}, ["/n", "/safety_tolerance"]),
        ({"model": "m", "prompt": "p", "n": 11, "safety_tolerance": -1}, ["/n", "/safety_tolerance"]),
        (
            {"model": "m", "prompt": "p", "response_format": "png", "output_format": "webp"},
            ["/output_format", "/response_format"],
        ),
        ({"model": "m", "prompt": "p", "seed": "7", "raw": "yes"}, ["/raw", "/seed"]),
    ],
)
def test_request_rules(body: dict[str, Any], pointers: list[str]) -> None:
    """What a request may hold, field by field."""
    schema = contract.document()["components"]["schemas"]["CreateImageRequest"]
    assert [difference.partition(":")[0] for difference in contract.differences(body, schema)] == pointers


def test_no_default_is_invented() -> None:
    """The seed states no default for a body field, so the contract states none."""
    for name, schema in contract.document()["components"]["schemas"].items():
        for field, rules in schema.get("properties", {}).items():
            assert "default" not in rules, f"{name}.{field}"

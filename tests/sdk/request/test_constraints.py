"""The SDK refuses exactly what the contract refuses."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_images import InvalidRequestError
from flux_images._request.build import _unwritable as unwritable
from flux_images._request.build import check_body
from flux_images_api.contract import OPERATIONS, SCHEMAS

BODY = OPERATIONS["create_image"].body
ORACLE = jsonschema.Draft202012Validator(
    {"$ref": "#/components/schemas/CreateImageRequest", "components": {"schemas": SCHEMAS}}
)
GOOD = {"model": "flux", "prompt": "a medal"}


def refusal(body: Any, schema: Any = BODY, schemas: Any = SCHEMAS) -> str | None:
    """Why a body is refused, or None."""
    try:
        check_body(body, schema, schemas)
    except InvalidRequestError as error:
        return str(error)
    return None


SCALAR = st.none() | st.booleans() | st.integers(-3, 12) | st.floats(-3, 12) | st.text(max_size=3)
VALUE = SCALAR | st.lists(SCALAR, max_size=2) | st.sampled_from(["url", "b64_json", "jpeg", "png", "16:9", "flux"])
NAMES = sorted([*SCHEMAS["CreateImageRequest"]["properties"], "unknown"])


@given(st.dictionaries(st.sampled_from(NAMES), VALUE), st.booleans())
def test_it_agrees_with_a_schema_validator(fields: dict[str, Any], whole: bool) -> None:
    """On any fields at all (ratios apart, which JSON Schema cannot say)."""
    body = {**GOOD, **fields} if whole else fields
    assert (refusal(body) is None) == ORACLE.is_valid(body)


@given(st.integers(0, 99999), st.integers(0, 99999))
def test_ratios_are_judged_as_ratios(width: int, height: int) -> None:
    """Between 21:9 and 9:21, in whole numbers of up to four digits."""
    legal = 1 <= width <= 9999 and 1 <= height <= 9999 and 9 * width <= 21 * height and 9 * height <= 21 * width
    assert (refusal({**GOOD, "aspect_ratio": f"{width}:{height}"}) is None) is legal


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"aspect_ratio": "16:9\n"}, "aspect_ratio: expected text like"),
        ({"aspect_ratio": "22:9"}, "aspect_ratio: expected a ratio between 21:9 and 9:21, got '22:9'"),
        ({"aspect_ratio": "016:9"}, "aspect_ratio: expected text like"),
        ({"aspect_ratio": 1.5}, "aspect_ratio: expected a string, got 1.5"),
        ({"n": 11}, "n: expected at most 10, got 11"),
        ({"n": 0}, "n: expected at least 1, got 0"),
        ({"n": True}, "n: expected a whole number, got True"),
        ({"prompt": ""}, "prompt: expected text of at least 1 characters, got ''"),
        ({"model": ""}, "model: expected text of at least 1 characters, got ''"),
        ({"model": 7}, "model: expected a string, got 7"),
        ({"output_format": "gif"}, "output_format: expected one of jpeg, png, got 'gif'"),
        ({"raw": 1}, "raw: expected true or false, got 1"),
    ],
)
def test_a_refusal_names_field_expectation_and_value(fields: dict[str, Any], says: str) -> None:
    """What, where, and what to do."""
    assert (refusal({**GOOD, **fields}) or "").startswith(says)


def test_all_refusals_come_at_once() -> None:
    """A caller mends everything in one go."""
    found = refusal({"n": 0, "raw": "x"})
    assert found is not None
    assert found.count(";") == 3
    assert "model: is required" in found


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": ["string", "null"]}, [None, "x"], [1]),
        ({"type": "object"}, [{}], [[]]),
        ({"type": "array", "items": {"type": "number"}}, [[], [1, 2.5]], [["x"], {}, [True]]),
        ({"minItems": 1, "maxItems": 2}, [[1], "xyz"], [[], [1, 2, 3]]),
        ({"maxLength": 2}, ["ab", 123], ["abc"]),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 5}, [1, "x", True], [0, 5]),
        ({"const": 3}, [3], [4, 3.0, "3"]),
        ({"enum": [1]}, [1], [True, 1.0]),
        ({"oneOf": [{"type": "string"}, {"minLength": 1}]}, [""], ["x"]),
        ({"oneOf": [{"type": "string"}, {"type": "number"}]}, ["x"], [None]),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, [1, 2], [0, 3]),
        ({"anyOf": [{"minimum": 5}, {"maximum": 2}]}, [5, 2], [3]),
        ({"pattern": "b$"}, ["ab", 1], ["ba", "b\n"]),
        (
            {"properties": {"a": {"type": "null"}}, "additionalProperties": False},
            [{"a": None}, 1],
            [{"b": 1}, {"a": 1}],
        ),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "null"}}, [{"a": 1, "b": None}], [{"b": 1}]),
        ({"properties": {"a": {"required": ["b"]}}}, [{"a": {"b": 1}}, {"a": 1}], [{"a": {}}]),
        ({"$ref": "#/components/schemas/S"}, [1], ["x"]),
        ({"description": "x", "format": "uri", "default": 1, "x-provenance": "seed"}, [1], []),
    ],
)
def test_every_keyword_has_its_rule(schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    """Also those that the contract does not use yet."""
    schemas = {"S": {"type": "integer"}}
    assert [refusal(value, schema, schemas) for value in good] == [None] * len(good)
    assert all(refusal(value, schema, schemas) for value in bad)


def test_refusals_deep_in_a_body_say_where() -> None:
    """With dots and indices."""
    schema = {"properties": {"a": {"items": {"properties": {"b": {"type": "null"}}, "required": ["c"]}}}}
    assert refusal({"a": [{"b": 1}]}, schema) == "a[0].b: expected null, got 1; a[0].c: is required"
    assert refusal(1, {"type": "null"}) == "the body: expected null, got 1"


def test_an_unknown_keyword_is_our_error() -> None:
    """A rule of the contract is never passed over in silence."""
    with pytest.raises(NotImplementedError, match="multipleOf"):
        check_body({}, {"multipleOf": 2}, {})
    check_body({}, None, {})


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), "\ud800", b"x"])
def test_what_json_cannot_say_is_named(value: Any) -> None:
    """The field at fault."""
    assert str(unwritable({"good": 1, "bad": value})).startswith("bad: cannot be written as JSON")
    assert str(unwritable({"good": 1})) == "the body cannot be written as JSON"

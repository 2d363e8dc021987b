"""Schemas: every keyword, references by identity, OpenAPI 3.0, and what can't be honoured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from flux_images_mock import app

SPECS = Path(__file__).parents[1] / "specs"
KEYWORDS = app(SPECS / "keywords.yaml")
CHAT = app(SPECS / "chat.json")

# For each keyword, a value that fits the property of its name in keywords.yaml and one that doesn't.
VALUES: dict[str, tuple[Any, Any]] = {
    "type": (1, None),
    "enum": ("two", 2),
    "const": ({"a": 1}, {"a": 2}),
    "multipleOf": (6, 4),
    "maximum": (10, 11),
    "exclusiveMaximum": (9.5, 10),
    "minimum": (1, 0),
    "exclusiveMinimum": (1.5, 1),
    "maxLength": ("日本語", "abcd"),
    "minLength": ("ab", "a"),
    "pattern": ("aab", "b"),
    "maxItems": ([1, 2], [1, 2, 3]),
    "minItems": ([1], []),
    "uniqueItems": ([1, 2], [1, 1]),
    "contains": (["a", 1], ["a"]),
    "prefixItems": (["a", 1, True], ["a", 1, 1]),
    "unevaluatedItems": (["a"], ["a", 1]),
    "maxProperties": ({"a": 1}, {"a": 1, "b": 2}),
    "minProperties": ({"a": 1}, {}),
    "required": ({"a": 1}, {}),
    "dependentRequired": ({"a": 1, "b": 1}, {"a": 1}),
    "dependentSchemas": ({"a": 1, "b": 1}, {"a": 1}),
    "patternProperties": ({"n": 1}, {"n": "x"}),
    "propertyNames": ({"ab": 1}, {"abc": 1}),
    "unevaluatedProperties": ({"a": 1}, {"b": 1}),
    "allOf": (2, 1),
    "anyOf": ("ab", "a"),
    "oneOf": (2, 6),
    "not": ("allowed", "forbidden"),
    "if": (20, 11),
    "format": ("0194f3d2-9c1e-7a3b-8f00-5e2d1c0b4a69", "x"),
    "anchor": (1, 0),
    "id": ({"size": 9}, {"size": 10}),
    "defs": (True, 1),
    "ratio": ("2:1", "3:1"),
}

CHATS: dict[str, tuple[dict[str, Any], str]] = {
    "nullable": ({"temperature": None}, ""),
    "boolean exclusiveMaximum": ({"temperature": 2}, "/temperature: expected less than 2"),
    "boolean exclusiveMinimum": ({"n": 0}, "/n: expected more than 0"),
    "int32": ({"n": 2**31}, "/n: expected 2147483647 or less"),
    "not nullable": ({"n": None}, "/n: expected an integer, got null"),
    "one of two": ({"stop": ["a"]}, ""),
    "neither of two": ({"stop": 5}, "/stop: expected a string or an array"),
    "a reference": ({"messages": [{"role": "robot", "content": ""}]}, "/messages/0"),
}

UNHONOURED = {
    "a keyword": ({"type": "string", "minimumLength": 3}, "#/components/schemas/A/minimumLength"),
    "a dialect": ({"$schema": "http://json-schema.org/draft-04/schema#"}, "#/components/schemas/A/$schema"),
    "a reference that leads nowhere": ({"$ref": "#/components/schemas/B"}, "#/components/schemas/A"),
    "a remote reference": ({"$ref": "https://schemas.example/a.json"}, "https://schemas.example/a.json"),
    "a malformed ratio": ({"x-ratio-range": ["wide", "narrow"]}, "#/components/schemas/A/x-ratio-range"),
}


async def post(application: Any, path: str, body: Any) -> httpx.Response:
    """Post a body to a mock in this process."""
    transport, headers = httpx.ASGITransport(application), {"Authorization": "Bearer k"}
    async with httpx.AsyncClient(transport=transport, base_url="http://mock", headers=headers) as client:
        return await client.post(path, json=body)


@pytest.mark.anyio
@pytest.mark.parametrize("keyword", VALUES)
async def test_keyword(keyword: str) -> None:
    """Each keyword of 2020-12 takes what fits and refuses what doesn't, and says where."""
    right, wrong = VALUES[keyword]
    assert (await post(KEYWORDS, "/keywords", {keyword: right})).status_code == 200
    refused = await post(KEYWORDS, "/keywords", {keyword: wrong})
    assert refused.status_code == 400
    (violation, *_) = json.loads(refused.headers["x-mock-violations"])
    assert violation["where"].split("/")[1] == keyword


@pytest.mark.anyio
async def test_every_difference_is_listed() -> None:
    """A refusal lists all the differences at once."""
    refused = await post(KEYWORDS, "/keywords", {keyword: wrong for keyword, (_, wrong) in VALUES.items()})
    found = {violation["where"].split("/")[1] for violation in json.loads(refused.headers["x-mock-violations"])}
    assert found == VALUES.keys()


@pytest.mark.anyio
async def test_dynamic_references() -> None:
    """A tree that is strict by `$dynamicRef` is strict all the way down."""
    assert (await post(KEYWORDS, "/trees", {"children": [{"value": 1}]})).status_code == 204
    assert (await post(KEYWORDS, "/trees", {"children": [{"valu": 1}]})).status_code == 400


@pytest.mark.anyio
@pytest.mark.parametrize("case", CHATS)
async def test_openapi_3_0(case: str) -> None:
    """The keywords that 3.0 has of its own mean what they mean there."""
    fields, expected = CHATS[case]
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    response = await post(CHAT, "/v1/chat/completions", body)
    if expected:
        assert response.status_code == 400
        (violation, *_) = json.loads(response.headers["x-mock-violations"])
        assert f"{violation['where']}: expected {violation['expected']}, got {violation['got']}".startswith(expected)
    else:
        assert response.status_code == 200


@pytest.mark.parametrize("case", UNHONOURED)
def test_what_cannot_be_honoured_is_refused_at_start(case: str, tmp_path: Path) -> None:
    """A schema that the mock can't honour is an error at start that names its place."""
    schema, place = UNHONOURED[case]
    description = {"openapi": "3.1.0", "info": {}, "paths": {}, "components": {"schemas": {"A": schema}}}
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(description))
    with pytest.raises(ValueError, match=r"spec\.json|schemas\.example") as raised:
        app(file)
    assert place in str(raised.value)
    assert "\n" not in str(raised.value)


BODIES = {
    "XML": ("application/xml", {}, "application~1xml/schema"),
    "a header of a part": (
        "multipart/form-data",
        {"a": {"headers": {"X-Part": {"schema": {"type": "string"}}}}},
        "form-data/encoding/a/headers",
    ),
    "a style of a field": (
        "application/x-www-form-urlencoded",
        {"a": {"style": "pipeDelimited"}},
        "form-urlencoded/encoding/a/style",
    ),
    "a list in one field": (
        "application/x-www-form-urlencoded",
        {"a": {"explode": False}},
        "form-urlencoded/encoding/a/explode",
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_cannot_be_read_is_refused_at_start(case: str, tmp_path: Path) -> None:
    """A media type or an encoding that the mock can't honour is an error at start that names its place."""
    name, encoding, place = BODIES[case]
    media = {"schema": {"type": "object"}, "encoding": encoding}
    operation = {"requestBody": {"content": {name: media}}, "responses": {"204": {"description": "Kept."}}}
    file = tmp_path / "spec.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "info": {}, "paths": {"/a": {"post": operation}}}))
    with pytest.raises(ValueError, match=re.escape(place)):
        app(file)
    assert app(file, lenient=True)


def test_lenient_serves_the_rest(tmp_path: Path) -> None:
    """An unknown keyword stops nothing where leniency is asked for."""
    file = tmp_path / "spec.json"
    schema = {"type": "string", "minimumLength": 3}
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": {}, "components": {"schemas": {"A": schema}}}))
    assert app(file, lenient=True)

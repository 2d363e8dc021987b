"""A description that is none is told so, wherever it is broken: never by a traceback."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flux_images_mock import app
from flux_images_mock._description.node import SpecError, read_tree

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("[kpu]*.yaml"))
WRONG: list[Any] = [None, 0, -1, 1.5, "x", "", [], {}, True, [None], {"$ref": "#/nope"}, {"$ref": 7}, {"type": []}]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield from _places(item, (*path, key))


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_one_wrong_value_anywhere(spec: Path, tmp_path: Path) -> None:
    whole, chance = read_tree(spec), random.Random(spec.stem)
    places = list(_places(whole))
    for number in range(20):
        broken = copy.deepcopy(whole)
        *above, last = chance.choice(places)
        holder = broken
        for key in above:
            holder = holder[key]
        holder[last] = copy.deepcopy(chance.choice(WRONG))
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(broken))
        with suppress(SpecError):
            app(path)


@pytest.mark.parametrize(
    "schema", [{"anyOf": {"a": 1}}, {"allOf": 1.5}, {"oneOf": "x"}, {"properties": []}, {"enum": 3}]
)
def test_a_schema_that_is_none(schema: dict[str, Any], tmp_path: Path) -> None:
    """The place is named."""
    body = {"content": {"application/json": {"schema": schema}}}
    operation = {"operationId": "x", "requestBody": body, "responses": {"200": {"description": "x"}}}
    spec = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/x": {"post": operation}}}
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec))
    with pytest.raises(SpecError, match="/paths/~1x/post/requestBody"):
        app(path)

"""Files of requests: what is read, and what is said of what cannot be."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

import flux_images as flux
from flux_images._batch.input.prompts import BadLine, Row, read_prompts
from flux_images._batch.input.request import checked

DEFAULTS = {"model": "flux-pro-1.1-ultra"}

READ: list[
    tuple[str, bytes, list[Any]]
] = [  # the file's name, what is in it, what is read: (line, id, fields), or a part of the reason
    ("a.txt", b"a medal\n\n  a fox \n", [(1, None, {"prompt": "a medal"}), (3, None, {"prompt": "a fox"})]),
    ("a.txt", b"\xef\xbb\xbfa medal", [(1, None, {"prompt": "a medal"})]),
    ("a.txt", b"ok\n\xff\xfe\nok", [(1, None, {"prompt": "ok"}), "not UTF-8", (3, None, {"prompt": "ok"})]),
    ("a.jsonl", b'{"prompt": "x", "id": "a", "n": 2}', [(1, "a", {"prompt": "x", "n": 2})]),
    ("a.jsonl", b'{"id": 7, "prompt": "x"}', [(1, "7", {"prompt": "x"})]),
    (
        "a.jsonl",
        b'{"custom_id": "c", "method": "POST", "url": "/v1/images/generations", "body": {"prompt": "x"}}',
        [(1, "c", {"prompt": "x"})],
    ),
    ("a.jsonl", b'{"prompt": "x"', ["is not JSON"]),
    ("a.jsonl", b"[1]", ["expected an object"]),
    ("a.jsonl", b'{"promt": "x"}', ["promt: no such field; did you mean prompt?"]),
    ("a.jsonl", b'{"prompt": "x", "colour": 1}', ["goes under extra_body"]),
    ("a.jsonl", b'{"id": [], "prompt": "x"}', ["id: expected a name"]),
    ("a.jsonl", b"[" * 100_000, ["is not JSON"]),
    ("a.csv", b'id,prompt,n,raw,note\r\nk,"a, b",2,true,z\r\n', [(2, "k", {"prompt": "a, b", "n": 2, "raw": True})]),
    ("a.csv", b'prompt\n"two\nlines"\nnext\n', [(3, None, {"prompt": "two\nlines"}), (4, None, {"prompt": "next"})]),
    ("a.csv", b"prompt,n\nx,many\ny,\n", ["n: cannot be 'many'", (3, None, {"prompt": "y"})]),
    ("a.csv", b"prompt\nx,y\n", ["2 cells"]),
    ("a.csv", b'prompt\n"x', ["cannot be read"]),
    ("a.tsv", b"prompt\taspect_ratio\nx\t1:1\n", [(2, None, {"prompt": "x", "aspect_ratio": "1:1"})]),
]


@pytest.mark.parametrize(("name", "data", "expected"), READ)
def test_what_is_read(tmp_path: Path, name: str, data: bytes, expected: list[Any]) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    found = list(read_prompts(str(path)))
    assert len(found) == len(expected)
    for row, wanted in zip(found, expected, strict=True):
        if isinstance(wanted, str):
            assert isinstance(row, BadLine)
            assert wanted in row.reason
        else:
            assert row == Row(*wanted)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"text\nx\n", "names no column 'prompt'"),
        ("a.csv", b"prompt,Aspect-Ratio\nx,1:1\n", "did you mean 'aspect_ratio'"),
        ("a.doc", b"", "ends in .jsonl"),
        ("missing.csv", None, "cannot be read: No such file"),
    ],
)
def test_what_is_refused_as_a_whole(tmp_path: Path, name: str, data: bytes | None, message: str) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(flux.ConfigurationError, match=message):
        list(read_prompts(str(path)))


@pytest.mark.parametrize(
    ("data", "first"), [(b'{"prompt": "x"}\n', {"prompt": "x"}), (b"x {y}\n", {"prompt": "x {y}"}), (b"", None)]
)
def test_standard_input_is_json_lines_or_text(
    monkeypatch: pytest.MonkeyPatch, data: bytes, first: dict[str, str] | None
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    rows = list(read_prompts("-"))
    assert [row.fields for row in rows if isinstance(row, Row)] == ([first] if first else [])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"prompt": " "}, "prompt: is empty"),
        ({}, "prompt: is required"),
        ({"prompt": "x", "aspect_ratio": "1:9"}, "aspect_ratio: expected a ratio between 21:9 and 9:21"),
        ({"prompt": "x", "n": 0}, "n: expected at least 1"),
        ({"prompt": "x", "extra_body": []}, "extra_body: expected an object"),
        ({"prompt": "x", "seed": float("nan")}, "seed"),
    ],
)
def test_the_contract_is_asked_before_anything_is_spent(fields: dict[str, Any], reason: str) -> None:
    found = checked(Row(4, None, fields), DEFAULTS)
    assert isinstance(found, BadLine)
    assert found.line == 4
    assert reason in found.reason


def test_the_order_of_fields_and_their_defaults_do_not_change_a_request() -> None:
    one = checked(Row(1, None, {"prompt": "x", "n": 1}), DEFAULTS)
    other = checked(Row(9, None, {"n": 1, "model": "flux-pro-1.1-ultra", "prompt": "x", "seed": None}), {})
    assert not isinstance(one, BadLine)
    assert not isinstance(other, BadLine)
    assert (one.digest, one.text) == (other.digest, other.text)
    assert json.loads(one.text) == {"model": "flux-pro-1.1-ultra", "n": 1, "prompt": "x"}

"""Parameters in each place and style, and bodies of each media type, right and wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from flux_images_mock import app

SPECS = Path(__file__).parents[1] / "specs"
PETS = app(SPECS / "pets.yaml")
UPLOADS = app(SPECS / "upload.yaml")
PNG = ("a.png", b"\x89PNG\r\n\r\n\x00", "image/png")

QUERIES = {
    "limit=5": [],
    "limit=0": ["query limit: expected 1 or more, got 0"],
    "limit=x": ['query limit: expected an integer, got "x"'],
    "limit=1.5": ['query limit: expected an integer, got "1.5"'],
    "limit=": ['query limit: expected an integer, got ""'],
    "limit=1&limit=2": ["query limit: expected one value, got 2"],
    "limit=%ff": ["query limit: expected UTF-8, got other bytes"],
    "tags=a&tags=b%2Cc": [],
    "tags=a&tags=b&tags=c&tags=d": ['query tags: expected 3 or fewer items, got ["a","b","c","d"]'],
    "ids=1,2,3": [],
    "ids=": [],
    "ids=1,x": ['query ids/1: expected an integer, got "x"'],
    "ids=4294967296": ["query ids/0: expected 2147483647 or less, got 4294967296"],
    "sizes=S%7CM": [],
    "sizes=S|Q": ['query sizes/1: expected one of "S", "M", "L", got "Q"'],
    "ages=1%202.5": [],
    "ages=1+x": ['query ages/1: expected a number, got "x"'],
    "filter[colour]=red&filter%5Bmin%5D=3": [],
    "filter[min]=x": ['query filter/min: expected an integer, got "x"'],
    "filter[size]=1": ["query filter/size: expected no property of this name, got 1"],
    "from=1&to=2": [],
    "from=x": ['query range/from: expected an integer, got "x"'],
    "where=%7B%22field%22%3A%22a%22%7D": [],
    "where=%7B%7D": ["query where/field: expected a value, got nothing"],
    "undeclared=1": [],
}

HEADERS: dict[str, tuple[dict[str, str], list[str]]] = {
    "a good trace": ({"X-Trace": "0123abcd"}, []),
    "a bad trace": ({"X-Trace": "xyz"}, ['X-Trace: expected text that matches ^[0-9a-f]{8}$, got "xyz"']),
    "flags": ({"X-Flags": "true, false"}, []),
    "bad flags": ({"X-Flags": "true,2"}, ["X-Flags/1: expected a boolean"]),
    "a cookie": ({"Cookie": "other=1; session=abc"}, []),
    "a bad cookie": ({"Cookie": "session=A"}, ["cookie session: expected 3 or more characters"]),
}

PATHS = {
    "/styles/a/.b/;matrix=c/1,2/a=1": [],
    "/styles/a%20b/.b/;matrix=%2F/1/a=1": [],
    "/styles/a/b/;matrix=c/1/a=1": ["path dotted: expected a dot before the value"],
    "/styles/a/.b/c/1/a=1": ["path matrix: expected ;matrix= before the value"],
    "/styles/a/.b/;matrix=c/1,x/a=1": ['path list/1: expected an integer, got "x"'],
    "/styles/a/.b/;matrix=c/1/a=x": ['path object/a: expected an integer, got "x"'],
    "/styles/a/.b/;matrix=c/1/b=1": ["path object/b: expected no property of this name"],
}

FORMS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a whole one": ({"files": {"picture": PNG}, "data": {"prompt": "p", "n": "2"}}, []),
    "a wrong type": (
        {"files": {"picture": ("a", b"x", "text/plain")}, "data": {"prompt": "p"}},
        ["/picture: expected the type"],
    ),
    "no prompt": ({"files": {"picture": PNG}}, ["/prompt: expected a value, got nothing"]),
    "n too large": ({"files": {"picture": PNG}, "data": {"prompt": "p", "n": "5"}}, ["/n: expected 4 or less, got 5"]),
    "an object": ({"files": {"picture": PNG}, "data": {"prompt": "p", "options": '{"strength":0.5}'}}, []),
    "a bad object": (
        {"files": {"picture": PNG}, "data": {"prompt": "p", "options": '{"strength":2}'}},
        ["/options/strength"],
    ),
    "an undeclared field": (
        {"files": {"picture": PNG}, "data": {"prompt": "p", "x": "1"}},
        ["/x: expected no property"],
    ),
    "a field twice": ({"files": {"picture": PNG}, "data": {"prompt": ["p", "q"]}}, ["/prompt: expected one field"]),
    "no boundary": ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, ["a whole multipart body"]),
}


FIELDS: dict[str, list[str]] = {
    "name=Rex&age=3&tags=a&tags=b": [],
    "name=Rex+the+%C3%B6ld&tags=a": [],
    "age=3": ["/name: expected a value, got nothing"],
    "name=&age=3": ["/name: expected 1 or more characters"],
    "name=Rex&age=x": ['/age: expected an integer, got "x"'],
    "name=Rex&age=-1": ["/age: expected 0 or more, got -1"],
    "name=Rex&name=Tom": ["/name: expected one field of this name, got 2"],
    "name=Rex&age=x&age=1": ["/age: expected one field of this name, got 2"],
    "": ["/name: expected a value, got nothing"],
}


async def send(application: Any, method: str, url: str, **parts: Any) -> httpx.Response:
    """Send a request to a mock in this process."""
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
        return await client.request(method, url, **parts)


def check(response: httpx.Response, expected: list[str]) -> None:
    """Compare a refusal's differences with those expected, each by how it begins."""
    if not expected:
        assert response.status_code < 300, response.text
        return
    assert response.status_code == 400
    found = response.json()["detail"]
    assert all(part in found for part in expected), found
    assert len(json.loads(response.headers["x-mock-violations"])) >= len(expected)


@pytest.mark.anyio
@pytest.mark.parametrize("query", QUERIES)
async def test_query(query: str) -> None:
    """Each style of query parameter is read as it is written, and each difference is told."""
    check(await send(PETS, "GET", f"/api/v2/pets?{query}"), QUERIES[query])


@pytest.mark.anyio
@pytest.mark.parametrize("case", HEADERS)
async def test_header_and_cookie(case: str) -> None:
    """Header and cookie parameters are read and checked."""
    headers, expected = HEADERS[case]
    check(await send(PETS, "GET", "/api/v2/pets", headers=headers), expected)


@pytest.mark.anyio
@pytest.mark.parametrize("path", PATHS)
async def test_path(path: str) -> None:
    """Each style of path parameter is read as it is written, and each difference is told."""
    check(await send(PETS, "GET", f"/api/v2{path}"), PATHS[path])


@pytest.mark.anyio
@pytest.mark.parametrize("case", FORMS)
async def test_multipart(case: str) -> None:
    """The fields of a multipart body are read by their schemas, and each difference is told."""
    parts, expected = FORMS[case]
    check(await send(UPLOADS, "POST", "/edits", **parts), expected)


@pytest.mark.anyio
@pytest.mark.parametrize("content", FIELDS)
async def test_urlencoded(content: str) -> None:
    """The fields of an encoded form are read by their schemas, and each difference is told."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Api-Key": "a"}
    check(await send(PETS, "POST", "/api/v2/pets", content=content, headers=headers), FIELDS[content])


@pytest.mark.anyio
async def test_what_is_read_only_may_not_be_sent() -> None:
    """A read-only property is not required of a request, and refused in one."""
    key = {"X-Api-Key": "a"}
    good = await send(PETS, "POST", "/api/v2/pets", json={"name": "Rex", "kind": "dog", "secret": "s"}, headers=key)
    assert (good.status_code, good.json()["id"]) == (201, 7)
    bad = await send(PETS, "POST", "/api/v2/pets", json={"id": 1, "name": "Rex", "kind": "dog"}, headers=key)
    check(bad, ["/id: expected nothing here, got 1"])


@pytest.mark.anyio
async def test_a_concrete_path_wins() -> None:
    """A path without parameters is preferred to one with, and the caller's Accept header chooses among media types."""
    response = await send(PETS, "GET", "/api/v2/pets/mine")
    assert (response.headers["content-type"], response.text) == ("text/plain", "none")
    response = await send(PETS, "GET", "/api/v2/pets/mine", headers={"Accept": "text/*;q=0.1, application/json"})
    assert response.json() == []

"""What clients of contracts other than ours send."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from codegen.generate import generate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

PACKAGE = "any_contract_api"
NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary"}, "note": {"type": "string"}},
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Files", "version": "1"},
    "paths": {
        "/folders/{name}/files": {
            "post": {
                "operationId": "add_file",
                "parameters": [NAME],
                "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}},
                "responses": {"204": {"description": "kept"}},
            }
        },
        "/folders/{name}.zip": {
            "get": {"operationId": "get_archive", "parameters": [NAME], "responses": {"204": {"description": "none"}}}
        },
    },
}
FORMS = ["sync", "asyncio"]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ModuleType]]:
    """Import a module of the client of this contract."""
    folder = tmp_path_factory.mktemp("generated")
    spec = folder / "openapi.json"
    spec.write_text(json.dumps(DOCUMENT), "utf-8")
    generate(spec, folder / PACKAGE)
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}".rstrip("."))
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def _sent(api: Callable[[str], ModuleType], operation: str, form: str, **arguments: Any) -> list[httpx.Request]:
    """The requests that a call sends, synchronous or not."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(204)

    transport = {"transport": httpx.MockTransport(answer)}
    client = api("").Client(base_url="https://files.example", httpx_args=transport)
    endpoint = api(f"api.default.{operation}")
    if form == "asyncio":
        asyncio.run(endpoint.asyncio(client=client, **arguments))
    else:
        endpoint.sync(client=client, **arguments)
    return sent


def _form(api: Callable[[str], ModuleType]) -> Any:
    return api("models").AddFileBody(
        file=api("types").File(payload=BytesIO(b"--+++--\r\n"), file_name="a.txt"), note="x"
    )


@pytest.mark.parametrize("form", FORMS)
def test_no_file_can_end_its_form(form: str, api: Callable[[str], ModuleType]) -> None:
    """The boundary is made anew for each body, so what is in a file cannot close the form before its end."""
    requests = [request for _ in range(2) for request in _sent(api, "add_file", form, name="a", body=_form(api))]
    types = [request.headers["content-type"] for request in requests]
    assert len(set(types)) == 2
    for request, media_type in zip(requests, types, strict=True):
        boundary = media_type.removeprefix("multipart/form-data; boundary=").encode()
        assert request.content.count(b"--" + boundary) == 3


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [".", ".."])
def test_dots_never_leave_their_segment(name: str, form: str, api: Callable[[str], ModuleType]) -> None:
    """A value that would make the request go to another path is refused before anything is sent."""
    with pytest.raises(ValueError, match=r"/folders/\{name\}/files.*dots alone lead to another path"):
        _sent(api, "add_file", form, name=name, body=_form(api))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("name", "path"), [("a..b", b"/folders/a..b.zip"), ("..", b"/folders/...zip"), ("../x", b"/folders/..%2Fx.zip")]
)
def test_dots_beside_other_text_are_sent(name: str, path: bytes, form: str, api: Callable[[str], ModuleType]) -> None:
    """Dots that are only a part of a segment lead nowhere else, and arrive."""
    (request,) = _sent(api, "get_archive", form, name=name)
    assert request.url.raw_path == path

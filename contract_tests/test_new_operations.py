"""A new operation in the contract needs no other change: client and mock follow from the file."""

from __future__ import annotations

import asyncio
import importlib
import sys
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import yaml

from codegen.generate import generate
from contract_tests.checks import derived
from contract_tests.checks.check import Subject, first_broken
from contract_tests.checks.client import GENERATE, Client
from contract_tests.checks.coverage import reasons, table
from contract_tests.checks.raw_http import exchange
from contract_tests.contract import document as contract
from flux_images_mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

PACKAGE = "new_operations_api"
RECEIPT = UUID("0194f3d2-9c1e-4a3b-8f00-5e2d1c0b4a69")
PAID = datetime(2026, 11, 22, 9, 30, 15, tzinfo=UTC)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A copy of the contract with more operations."""
    path = tmp_path_factory.mktemp("contract") / "openapi.yaml"
    path.write_text(yaml.safe_dump(contract.grown(), allow_unicode=True), "utf-8")
    return path


@pytest.fixture(scope="module")
def api(spec: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ModuleType]]:
    """Import a module of the client generated from that copy."""
    folder = tmp_path_factory.mktemp("generated")
    generate(spec, folder / PACKAGE)
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}".rstrip("."))
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def server(spec: Any) -> Iterator[MockServer]:
    """The mock, made from the same copy."""
    with MockServer(spec) as running:
        yield running


def _call(endpoint: ModuleType, form: str, *, client: Any, **arguments: Any) -> Any:
    """Call an endpoint function, synchronous or not, and close the client."""

    async def awaited() -> Any:
        async with client:
            return await endpoint.asyncio(client=client, **arguments)

    if form == "asyncio":
        return asyncio.run(awaited())
    with client:
        return endpoint.sync(client=client, **arguments)


def _right(api: Callable[[str], ModuleType]) -> dict[str, tuple[dict[str, Any], Any]]:
    """For each endpoint, arguments that the contract takes and the documented answer as JSON."""
    models = api("models")
    album = models.NewAlbum(
        cover=models.Cover(image_id="img_a1", crop=models.Crop(x=0.25, y=0)),
        entries=[models.Entry(image_id="img_a1"), models.Entry(image_id="img_b2", note="the second")],
    )
    example = contract.cases("new_operations")["paths"]["/v1/albums"]["post"]["responses"]["201"]
    return {
        "images.list_similar": (
            {"image_id": "img_a1", "limit": 5, "tag": ["red", "blue"]},
            {"data": [{"url": "https://pictures.example/a.png"}]},
        ),
        "albums.create_album": ({"body": album}, example["content"]["application/json"]["example"]),
        "albums.delete_album": ({"album_id": "alb/1 ?"}, None),
        "account.get_usage": ({"x_billing_month": "2026-11"}, {"pictures": 12}),
        "default.get_status": ({}, {"status": "ok"}),
    }


WRONG: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "images.list_similar": ({"image_id": "a1", "limit": 99}, ("image_id", "limit")),
    "account.get_usage": ({"x_billing_month": "November"}, ("X-Billing-Month",)),
}
ENDPOINTS = [
    "images.list_similar",
    "albums.create_album",
    "albums.delete_album",
    "account.get_usage",
    "default.get_status",
]

forms = pytest.mark.parametrize("form", ["sync", "asyncio"])


@forms
@pytest.mark.parametrize("name", ENDPOINTS)
def test_right_call(name: str, form: str, api: Callable[[str], ModuleType], server: MockServer) -> None:
    """The new client gets the documented answer from the new mock, typed."""
    arguments, expected = _right(api)[name]
    client = api("").AuthenticatedClient(base_url=server.url, token="sk-key")
    answer = _call(api(f"api.{name}"), form, client=client, **arguments)
    assert (None if answer is None else answer.to_dict()) == expected


@forms
@pytest.mark.parametrize("name", WRONG)
def test_wrong_call(name: str, form: str, api: Callable[[str], ModuleType], server: MockServer) -> None:
    """What the contract refuses comes back as a typed error that names each fault."""
    arguments, faults = WRONG[name]
    client = api("").AuthenticatedClient(base_url=server.url, token="sk-key")
    with pytest.raises(api("errors").ErrorStatus) as caught:
        _call(api(f"api.{name}"), form, client=client, **arguments)
    assert caught.value.status_code == 400
    assert all(fault in caught.value.parsed.error.message for fault in faults)


@forms
def test_wrong_body(form: str, api: Callable[[str], ModuleType], server: MockServer) -> None:
    """A fault inside a nested body is pointed at."""
    models = api("models")
    album = models.NewAlbum(cover=models.Cover(image_id="a", crop=models.Crop(x=2, y=0)), entries=[])
    client = api("").AuthenticatedClient(base_url=server.url, token="sk-key")
    with pytest.raises(api("errors").ErrorStatus, match="400") as caught:
        _call(api("api.albums.create_album"), form, client=client, body=album)
    message = caught.value.parsed.error.message
    assert "/cover/crop/x" in message
    assert "/entries" in message


@forms
@pytest.mark.parametrize("name", [name for name in ENDPOINTS if name != "default.get_status"])
def test_call_without_a_good_key(name: str, form: str, api: Callable[[str], ModuleType], server: MockServer) -> None:
    """Every new operation that declares security asks for the key."""
    arguments, _ = _right(api)[name]
    client = api("").AuthenticatedClient(base_url=server.url, token="sk-key", prefix="Token")
    with pytest.raises(api("errors").ErrorStatus) as caught:
        _call(api(f"api.{name}"), form, client=client, **arguments)
    assert caught.value.status_code == 401


def test_answers_of_every_type(api: Callable[[str], ModuleType], server: MockServer) -> None:
    """Times, days and ids arrive as such, choices and alternatives as their models, files as bytes, texts as texts."""
    models = api("models")
    with api("").AuthenticatedClient(base_url=server.url, token="sk-key") as client:
        receipt = api("api.account.get_receipt").sync(client=client, receipt_id=RECEIPT, at=PAID)
        note = api("api.account.get_receipt_note").sync(client=client, receipt_id=RECEIPT, written_at=PAID, final=True)
        file = api("api.account.get_receipt_file").sync(client=client, receipt_id=RECEIPT)
    assert (receipt.id, receipt.paid_at, receipt.month) == (RECEIPT, PAID, date(2026, 11, 1))
    assert receipt.lines[0].at.utcoffset() == timedelta(hours=5, minutes=30)
    assert (receipt.state, receipt.by) == ("paid", models.Card(card="1234"))
    assert (note, type(file.payload.read())) == ("Thank you", bytes)


def test_the_derived_checks_follow(
    spec: Any, monkeypatch: pytest.MonkeyPatch, server: MockServer, tmp_path: Path
) -> None:
    """Each new operation brings its own checks, on both sides of every rule; its client and its mock pass them."""
    document = contract.grown()
    monkeypatch.setattr(contract, "document", lambda: document)
    checks = derived()
    new = [check for check in checks if check.operation != GENERATE]
    names = {declared["operationId"] for _, _, declared in contract.operations()} - {GENERATE}
    assert {check.operation for check in new if check.side == "client"} == names
    assert {check.operation for check in new if check.side == "mock"} == names
    rows = table(checks)
    assert [(row.operation, row.rule) for row in rows if row.missing and not row.reason] == []
    assert {row.reason for row in rows if row.reason} == set(reasons().values())
    generate(spec, tmp_path / "flux_images_api")
    with Client.of(tmp_path) as client:
        subject = Subject(client, server, lambda request: exchange(server.url, request))
        assert first_broken(subject, new) is None

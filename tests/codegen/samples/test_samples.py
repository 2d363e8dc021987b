"""The committed samples: all tabs of each operation, in the order of the gateway's page."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from codegen.samples.languages import LANGUAGES
from codegen.samples.request import sample_requests
from codegen.samples.run.toolchain import TOOLCHAINS, missing

ROOT = Path(__file__).parents[3]


def test_the_tabs_are_those_of_the_gateways_page() -> None:
    """Fifteen, in its order."""
    labels = "Shell JavaScript Java Swift Go PHP Python HTTP C C# Objective-C Ruby OCaml Dart R"
    assert [language.label for language in LANGUAGES] == labels.split()


def test_each_operation_has_each_tab() -> None:
    """The first Python sample is by this SDK."""
    requests = list(sample_requests(yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))))
    for request in requests:
        for language in LANGUAGES:
            assert (ROOT / "docs/samples" / request.operation / f"{language.name}.{language.suffix}").is_file()
    assert "from flux_images import" in (ROOT / "docs/samples/create_image/python.py").read_text("utf-8")


def test_each_language_is_run_and_says_what_it_needs() -> None:
    """A language without a toolchain, or a toolchain that nothing installs, would go unseen."""
    assert TOOLCHAINS.keys() == {language.name for language in LANGUAGES} - {"swift"}
    listed = (ROOT / "codegen/samples/toolchains").read_text("utf-8").splitlines()
    assert {line.split()[0] for line in listed if not line.startswith("#")} == {each.name for each in LANGUAGES}


def test_a_language_that_is_not_installed_is_named_with_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a reader knows how to bring it."""
    monkeypatch.setenv("PATH", "")
    assert missing("ruby") == "debian: ruby"
    assert missing("http") is None


def test_a_new_operation_gets_a_sample_without_a_hand_written_line() -> None:
    """What to send is read from the contract, with or without a body."""
    document = {
        "servers": [{"url": "https://gateway.example"}],
        "paths": {
            "/v1/models": {"get": {"operationId": "list_models"}},
            "/v1/edits": {
                "post": {
                    "operationId": "edit_image",
                    "requestBody": {"content": {"application/json": {"examples": {"one": {"value": {"prompt": "x"}}}}}},
                }
            },
        },
    }
    models, edits = sample_requests(document)
    assert (models.method, models.path, models.body, "Content-Type" in models.headers) == (
        "GET",
        "/v1/models",
        None,
        False,
    )
    assert (edits.method, edits.body, edits.headers["Content-Type"]) == ("POST", {"prompt": "x"}, "application/json")

"""The reference page: asks nobody for anything, says everything in both languages, and is served by the mock."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

from codegen.reference.fields import fields
from codegen.samples.languages import LANGUAGES
from flux_images_mock import MockServer

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/index.html").read_text("utf-8")


def test_the_page_asks_nobody_for_anything() -> None:
    """Its policy allows the mock alone, and nothing in it is fetched from elsewhere."""
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', PAGE)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'")
    assert set(re.findall(r"https?://[^ ;]+", policy[1])) == {"http://127.0.0.1:*"}
    assert set(re.findall(r'(?:src|href)="([^"#/][^"]*)"', PAGE)) == {"data:,"}
    assert "@import" not in PAGE
    assert "url(" not in PAGE


def test_every_sentence_is_there_in_chinese() -> None:
    """A sentence that the contract, a scenario or the SDK gains needs its line in chinese.json."""
    assert re.findall(r'<span lang="en">(.*?)</span>', PAGE, re.DOTALL) == []
    assert PAGE.count('class="en"') == PAGE.count('class="zh"') > 100


def test_the_tabs_stand_in_order() -> None:
    """And the first sample of Python is by this SDK."""
    assert re.findall(r'role="tab" .*?>(.+?)</button>', PAGE) == [language.label for language in LANGUAGES]
    assert PAGE.index("FluxImages") < PAGE.index("requests</span>")


def test_every_field_is_told_with_its_meaning_and_source() -> None:
    """Those of the request, and those in objects and lists of the answer."""
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    schemas = document["components"]["schemas"]
    request = {row.name: row for row in fields(document, schemas["CreateImageRequest"])}
    assert request.keys() == schemas["CreateImageRequest"]["properties"].keys()
    assert [name for name, row in request.items() if row.required] == ["model", "prompt"]
    assert (request["n"].range, request["n"].provenance) == ("1 … 10", "openai-convention")
    assert "21:9 … 9:21" in request["aspect_ratio"].range
    assert '"flux-dev"' in request["model"].range
    answer = [row.name for row in fields(document, schemas["ImagesResponse"])]
    assert answer == ["created", "data", "data[].url", "data[].b64_json", "data[].revised_prompt", "metadata"]
    assert "error.code" in {row.name for row in fields(document, schemas["ErrorResponse"])}
    assert all(row.meaning and row.provenance for row in request.values())


def test_the_mock_serves_the_page() -> None:
    """To a browser on this machine, without a key."""
    with MockServer() as mock, urllib.request.urlopen(f"{mock.url}/__mock__/docs") as answer:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.read().decode() == PAGE


@pytest.mark.slow
def test_the_command_serves_the_page_until_it_is_interrupted() -> None:
    """It says where, and ends in order."""
    command = [sys.executable, "-c", "from flux_images._cli import main; raise SystemExit(main())"]
    with subprocess.Popen([*command, "docs", "--no-browser"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with urllib.request.urlopen(process.stdout.readline().strip()) as answer:
            assert answer.status == 200
        process.send_signal(2)
        assert process.wait(10) == 0

"""`flux-images check`: what it finds out, what it spends, and what its reports say."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from contract_tests.wrong.mocks import WRONG_MOCKS, Message, proxy
from flux_images import __version__
from flux_images._cli import main
from flux_images._cli.promises import PROMISES
from flux_images_mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-check-only-here"
ROOT = Path(__file__).parents[2]
FREE = sum(not promise.paid for promise in PROMISES)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockServer]:
    """A mock that knows one key."""
    monkeypatch.setenv("CHECK_KEY", KEY)
    with MockServer(api_keys=[KEY]) as server:
        yield server


def _check(url: str, *words: str) -> list[str]:
    return ["check", "--base-url", url, "--api-key-env", "CHECK_KEY", *words]


def _found(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, str], int]:
    found = json.loads(capsys.readouterr().out)
    return {each["promise"]: each["verdict"] for each in found["promises"]}, found["calls_that_may_cost"]


def test_nothing_is_spent_unless_allowed(gateway: MockServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The free promises are kept, the others not tested, and the gateway's bill stays empty."""
    assert main(_check(gateway.url, "--json")) == 0
    verdicts, spent = _found(capsys)
    assert list(verdicts.values()) == ["kept"] * FREE + ["not tested"] * (len(PROMISES) - FREE)
    assert (spent, gateway.bill.pictures) == (0, 0)


@pytest.mark.parametrize("workers", ["1", "4"])
@pytest.mark.parametrize("allowed", [1, 3])
def test_no_more_is_spent_than_allowed(
    allowed: int, workers: str, gateway: MockServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Calls that may cost are counted before they are sent, also when several promises are asked at a time."""
    assert main(_check(gateway.url, "--json", "--allow-paid", str(allowed), "-n", workers)) == 0
    verdicts, spent = _found(capsys)
    assert spent == allowed
    assert 0 < gateway.bill.pictures <= allowed
    assert list(verdicts.values()).count("kept") == FREE + allowed


def test_every_promise_is_kept_by_the_mock(gateway: MockServer, capsys: pytest.CaptureFixture[str]) -> None:
    """With enough allowed, everything is asked."""
    assert main(_check(gateway.url, "--json", "--allow-paid", "99")) == 0
    verdicts, spent = _found(capsys)
    assert set(verdicts.values()) == {"kept"}
    assert spent == len(PROMISES) - FREE


@pytest.mark.parametrize(
    "wrong",
    ["401 as 403", "404 as 405", "an error that is a text", "another ratio", "url for b64_json"],
)
def test_a_broken_promise_is_named(wrong: str, gateway: MockServer, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which promise, what was expected and what was got, and fails."""
    with proxy(gateway.url, WRONG_MOCKS[wrong]) as url:
        code = main(_check(url, "--allow-paid", "9"))
    printed = capsys.readouterr().out
    assert code == 1
    assert "broken" in printed
    assert "expected" in printed
    assert "got" in printed


def test_reports(gateway: MockServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JUnit counts each promise, the page holds the pictures, and neither has the key."""
    junit, page = tmp_path / "check.xml", tmp_path / "check.html"
    assert main(_check(gateway.url, "--allow-paid", "2", "--junit", str(junit), "--html", str(page))) == 0
    suite: Any = ElementTree.fromstring(junit.read_text("utf-8"))
    assert len(suite.findall("testcase")) == len(PROMISES)
    assert len(suite.findall(".//skipped")) == len(PROMISES) - FREE - 2
    assert page.read_text("utf-8").count('src="data:image/') == 2
    assert gateway.url in page.read_text("utf-8")
    assert f"flux-images {__version__}" in page.read_text("utf-8")
    for text in (junit.read_text("utf-8"), page.read_text("utf-8"), "".join(capsys.readouterr())):
        assert KEY not in text
        assert "Bearer sk-" not in text


def test_a_gateway_that_echoes_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """Wherever a gateway writes the key, and in whichever form, no report repeats it."""
    key = "sk-check/only+here=1"
    forms = [key, quote(key, safe=""), *(b64encode(b"x" * offset + key.encode()).decode() for offset in range(3))]
    monkeypatch.setenv("CHECK_KEY", key)
    junit, page = tmp_path / "check.xml", tmp_path / "check.html"

    def echo(request: Message, forward: Any) -> Message:
        answer: Message = forward(request)
        if answer.status == 400:
            return answer._replace(
                body=json.dumps({"error": {"message": f"{'x' * 180} {' '.join(forms)} {'x' * 400}"}}).encode()
            )
        return answer._replace(body=answer.body + key.encode()) if request.path.startswith("/__mock__") else answer

    with MockServer(api_keys=[key]) as gateway, proxy(gateway.url, echo) as url:
        main(_check(url, "--allow-paid", "9", "--junit", str(junit), "--html", str(page)))
        main(_check(url, "--json"))
    told = page.read_text("utf-8") + junit.read_text("utf-8") + "".join(capsys.readouterr())
    assert not [form for form in forms if form[4:-4] in told]
    assert key[:8] not in told


@pytest.mark.slow
@pytest.mark.parametrize("allowed", [0, 2])
def test_no_more_is_spent_by_pytest_on_four_workers(allowed: int, gateway: MockServer) -> None:
    """`pytest -n 4 contract_tests` asks the same, and the gateway bills no more than was allowed."""
    words = ["-q", "-n", "4", "-p", "no:cacheprovider", "-k", "live", "--live-url", gateway.url]
    words += ["--api-key-env", "CHECK_KEY", "--allow-paid", str(allowed), "contract_tests"]
    done = subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert f"{FREE + allowed} passed, {len(PROMISES) - FREE - allowed} skipped" in done.stdout
    assert gateway.bill.pictures == allowed
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("wrong", "said"), [("gone", "cannot be reached"), ("key", "does not accept the key: 401"), ("path", "has no /v1/")]
)
@pytest.mark.parametrize("as_json", [False, True])
def test_what_every_question_rests_on_is_asked_first(
    wrong: str,
    said: str,
    as_json: bool,
    gateway: MockServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One sentence that names the address, and an exit code of its own."""
    if wrong == "gone":
        gateway.stop()
    if wrong == "key":
        monkeypatch.setenv("CHECK_KEY", "sk-unknown")
    url = gateway.url + "/elsewhere" * (wrong == "path")
    assert main(_check(url, *["--json"] * as_json)) == 3
    out, err = capsys.readouterr()
    message = json.loads(out)["error"]["message"] if as_json else err
    assert f"{url} {said}" in message
    assert len(err.splitlines()) == (not as_json)


def test_no_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The variable without a key is named."""
    monkeypatch.delenv("CHECK_KEY", raising=False)
    assert main(_check("https://gateway.example")) == 2
    assert "CHECK_KEY" in capsys.readouterr().err

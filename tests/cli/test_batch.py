"""`flux-images batch` as a person and as a program use it: output, exit codes, Ctrl-C."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flux_images._batch.files.folder import LEDGER
from flux_images._batch.ledger.book import Ledger
from flux_images._cli import main
from flux_images_mock import MockServer

PROMPTS = "id,prompt,aspect_ratio\na,A medal,1:1\nb,A fox,16:9\nc,A harbour,9:16\n"


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.csv"
    path.write_text(PROMPTS)
    return path


def test_a_batch_from_the_first_look_to_the_last(
    flux_mock: MockServer, prompts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert main(["batch", str(prompts), "-o", out, "--dry-run", "--price", "0.06"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "3 requests, of which 3 are to be sent, for 3 pictures",
        "at 0.06 a picture: 0.18",
    ]
    assert not Path(out).exists()
    assert not flux_mock.requests
    assert main(["batch", str(prompts), "-o", out]) == 0
    said = capsys.readouterr()
    assert said.out == f"3 saved in {out}\n"
    assert "3 requests to send, for 3 pictures. At most 32 are under way" in said.err
    assert main(["batch", str(prompts), "-o", out]) == 0
    assert "0 requests to send, for 0 pictures; 3 are done" in capsys.readouterr().err
    assert flux_mock.bill.pictures == 3
    assert main(["batch", "status", out]) == 0
    assert capsys.readouterr().out == "3 saved\n3 pictures were or may have been billed\n"
    assert main(["batch", "verify", out]) == 0
    assert main(["batch", "gallery", out]) == 0
    assert (Path(out) / "index.html").stat().st_size > 1000
    (Path(out) / "a-1.jpg").write_bytes(b"")
    (Path(out) / "b-1.jpg").unlink()
    capsys.readouterr()
    assert main(["batch", "verify", out]) == 3
    said = capsys.readouterr()
    assert said.out == "1 pictures are whole and as they were saved\n"
    assert said.err == "flux-images: a: a-1.jpg is not the file that was saved\nflux-images: b: b-1.jpg is not there\n"


def test_the_defaults_of_the_command_go_into_each_request(flux_mock: MockServer, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("a medal\n")
    assert main(["batch", str(tmp_path / "p.txt"), "-o", str(tmp_path / "out"), "--aspect-ratio", "9:16"]) == 0
    assert flux_mock.expect(prompt="a medal", aspect_ratio="9:16").billed == 1


def test_what_a_program_reads(
    flux_mock: MockServer, prompts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flux_mock.reset(scenario="sensitive-words")
    assert main(["batch", str(prompts), "-o", str(tmp_path / "out"), "--json"]) == 3
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["state"] for line in lines[:-1]] == ["refused"] * 3
    assert lines[-1]["summary"]["states"]["refused"] == 3
    flux_mock.reset()
    assert main(["batch", "status", str(tmp_path / "out"), "--json"]) == 3
    status = json.loads(capsys.readouterr().out)
    assert status["spent_images"] == 0
    assert status["reasons"][0]["count"] == 3
    assert main(["batch", "retry", str(tmp_path / "out"), "--json"]) == 0
    assert flux_mock.bill.pictures == 3


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_table_of_everything(flux_mock: MockServer, prompts: Path, tmp_path: Path, kind: str) -> None:
    table = tmp_path / f"table.{kind}"
    main(["batch", str(prompts), "-o", str(tmp_path / "out")])
    assert main(["batch", "export", str(tmp_path / "out"), "--format", kind, "-o", str(table)]) == 0
    lines = table.read_text().splitlines()
    rows = [json.loads(line) for line in lines] if kind == "jsonl" else list(csv.DictReader(lines))
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert rows[1]["file"] == "b-1.jpg"
    assert rows[1]["prompt"] == "A fox"


def test_bad_lines_are_all_named_and_nothing_is_spent(
    flux_mock: MockServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": "x"}\n{"promt": "x"}\nnothing\n')
    assert main(["batch", str(path), "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "flux-images: line 2: promt: no such field; did you mean prompt?"
    assert said[1].startswith("flux-images: line 3: is not JSON")
    assert said[2] == "flux-images: 2 requests cannot be sent, so none was; mend them, or add --skip-bad"
    assert not flux_mock.requests
    assert main(["batch", str(path), "-o", str(tmp_path / "out"), "--skip-bad"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--max-images", "2"], 5), (["--max-cost", "0.12", "--price", "0.06"], 5), ([], 0)]
)
def test_exit_codes_of_caps(
    flux_mock: MockServer, prompts: Path, tmp_path: Path, arguments: list[str], code: int
) -> None:
    assert main(["batch", str(prompts), "-o", str(tmp_path / "out"), *arguments]) == code
    assert flux_mock.bill.pictures == (2 if code else 3)


def test_exit_codes_of_an_account_and_of_a_folder_in_use(
    flux_mock: MockServer, prompts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flux_images import FluxImages

    flux_mock.reset(api_keys=["sk-another-key-0123456789"])
    assert main(["batch", str(prompts), "-o", str(tmp_path / "out")]) == 4
    flux_mock.reset(credit=1)
    assert main(["batch", str(prompts), "-o", str(tmp_path / "out")]) == 4
    assert "the same command goes on from here" in capsys.readouterr().err
    with FluxImages() as flux, flux.batch(None, tmp_path / "out"):
        assert main(["batch", str(prompts), "-o", str(tmp_path / "out")]) == 6
    assert "another run works in it" in capsys.readouterr().err


@pytest.mark.parametrize(("times", "states"), [(1, {"saved", "waiting"}), (2, {"saved", "waiting", "sent", "paid"})])
def test_ctrl_c_once_finishes_and_twice_leaves(
    flux_mock: MockServer, tmp_path: Path, times: int, states: set[str]
) -> None:
    """What is left under way is taken up by the next run."""
    flux_mock.reset(latency="200ms")
    path = tmp_path / "p.txt"
    path.write_text("\n".join(f"medal {number}" for number in range(300)))
    script = "import sys; from flux_images._cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "batch", str(path), "-o", str(tmp_path / "out"), "--concurrency", "4"]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            if times == 2:
                process.stderr.readline()
        process.communicate(timeout=30)
    assert process.returncode == 130
    ledger = Ledger(tmp_path / "out" / LEDGER, read_only=True)
    found = {state for state, (items, _) in ledger.tally.items() if items}
    ledger.close()
    assert found <= states
    assert flux_mock.bill.pictures < 300

"""The command line as a person and as a program meets it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flux_images import Image
from flux_images._cli import main
from flux_images_api import contract
from flux_images_mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-never-shown"


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    """The mock in the gateway's place."""
    with MockServer() as server:
        yield server


@pytest.fixture(autouse=True)
def environment(mock: MockServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's variables, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLUX_API_KEY", KEY)
    monkeypatch.setenv("FLUX_BASE_URL", mock.url)


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["a medal"], {"a-medal.jpg"}),
        (["a medal", "--output-format", "png"], {"a-medal.png"}),
        (["a medal", "-o", "medal.png", "--output-format", "png", "--response-format", "b64_json"], {"medal.png"}),
        (["a medal", "-o", "fox", "--n", "3", "--output-format", "png"], {"fox-1.png", "fox-2.png", "fox-3.png"}),
        (["a medal", "--model", "my/own", "--aspect-ratio", "21:9", "--no-raw", "--seed", "0"], {"a-medal.jpg"}),
    ],
)
def test_generate_saves_and_names_each_picture(
    words: list[str], files: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each picture is in its file, and its path stands on a line of its own with size and type."""
    assert main(["generate", *words]) == 0
    assert {path.name for path in Path().iterdir()} == files
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(files)
    assert all("px" in line and "bytes" in line for line in lines)


def test_generate_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints one object with what a program needs."""
    assert main(["generate", "a medal", "--aspect-ratio", "2:1", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    (image,) = answer["images"]
    assert image["width"] == 2 * image["height"]
    assert Path(image["path"]).stat().st_size == image["bytes"]
    assert answer["request_id"]


@pytest.mark.parametrize(
    ("words", "saved", "said"),
    [
        (["-o", "medal.png"], {"medal.png"}, ""),
        (["-o", "medal.jpeg"], {"medal.jpeg"}, ""),
        (["-o", "medal.v2"], {"medal.v2"}, ""),
        (["-o", "medal.jpg", "--output-format", "png"], {"medal.png"}, "so medal.jpg is medal.png"),
        (["-o", "medal.webp"], {"medal.jpg"}, "so medal.webp is medal.jpg"),
        (["-o", "taken.webp"], {"taken-2.jpg"}, "so taken.webp is taken-2.jpg"),
    ],
)
def test_a_suffix_and_what_is_in_the_file_agree(
    words: list[str], saved: set[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A suffix asks for its format; where another kind comes, the name is right, and nothing is replaced."""
    Path("taken.jpg").write_bytes(b"mine")
    assert main(["generate", "a medal", *words]) == 0
    assert {path.name for path in Path().iterdir()} - {"taken.jpg"} == saved
    assert Path("taken.jpg").read_bytes() == b"mine"
    (path,) = saved
    assert Path(path).read_bytes().startswith(b"\x89PNG" if path.endswith("png") else b"\xff\xd8")
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == bool(said)


def test_a_paid_picture_that_is_not_saved_keeps_its_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the others are saved all the same."""
    save = Image.save

    def fail_once(image: Image, path: Path, *, overwrite: bool) -> Path:
        if path.name == "fox-2":
            raise OSError(28, "No space left on device")
        return save(image, path, overwrite=overwrite)

    monkeypatch.setattr(Image, "save", fail_once)
    assert main(["generate", "a fox", "--n", "3", "-o", "fox"]) == 1
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["fox-1.jpg", "fox-3.jpg"]
    assert re.search(
        r"fox-2 was paid for and not saved: .*No space left.*; its address: http://127\.0\.0\.1:\S+sig", err
    )
    assert main(["generate", "a fox", "--n", "3", "-o", "fox", "--overwrite", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [image["path"] for image in answer["images"]] == ["fox-1.jpg", "fox-3.jpg"]
    (lost,) = answer["lost"]
    assert (lost["path"], lost["class"]) == ("fox-2", "OSError")
    assert lost["url"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("as_json", [False, True])
def test_an_address_that_echoes_the_key_is_shown_without_it(
    as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In whatever is said of a picture that was lost."""

    def fail(image: Image, path: Path, *, overwrite: bool) -> Path:
        raise OSError(f"{path}: {KEY} {overwrite} {image!r}")

    monkeypatch.setattr(Image, "save", fail)
    monkeypatch.setattr(Image, "url", f"https://pictures.example/{KEY}/a.png")
    assert main(["generate", "a fox", *["--json"] * as_json]) == 1
    out, err = capsys.readouterr()
    assert KEY not in out + err
    assert "https://pictures.example/***/a.png" in out + err


def test_pictures_that_did_not_come_are_counted(
    mock: MockServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What came is saved, and the exit code says that it is not all."""
    monkeypatch.setenv("FLUX_API_KEY", "sk-mock-fewer-pictures")
    assert main(["generate", "a fox", "--n", "3", "-o", "fox"]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert "2 of the pictures asked for did not come (request id 20" in err


def test_every_field_of_the_contract_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    """A field added to the contract is an option without a line of code."""
    with pytest.raises(SystemExit) as stop:
        main(["generate", "--help"])
    shown = capsys.readouterr().out
    assert stop.value.code == 0
    for name in contract.SCHEMAS["CreateImageRequest"]["properties"]:
        assert (name if name == "prompt" else "--" + name.replace("_", "-")) in shown


@pytest.mark.parametrize("taken", ["picture.png", "picture.jpg"])
def test_an_existing_file_is_refused_before_anything_is_paid(
    taken: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No picture is bought that could not be saved; --overwrite allows it."""
    Path(taken).write_bytes(b"mine")
    monkeypatch.setenv("FLUX_BASE_URL", "http://127.0.0.1:9")
    assert main(["generate", "a medal", "-o", "picture"]) == 2
    assert f"{taken}: exists; add --overwrite" in capsys.readouterr().err
    assert Path(taken).read_bytes() == b"mine"


def test_overwrite_replaces(capsys: pytest.CaptureFixture[str]) -> None:
    """With --overwrite the file is replaced."""
    Path("medal.png").write_bytes(b"mine")
    assert main(["generate", "a medal", "-o", "medal.png", "--output-format", "png", "--overwrite"]) == 0
    assert Path("medal.png").read_bytes().startswith(b"\x89PNG")
    assert "medal.png" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["generate", ""], 2, "prompt"),
        (["generate", "x", "--aspect-ratio", "22:9"], 2, "aspect_ratio"),
        (["generate", "x", "--n", "11"], 2, "n:"),
        (["generate", "x", "--base-url", "ftp://gateway"], 2, "base_url"),
        (["generate", "x", "--base-url", "http://127.0.0.1:9", "--timeout", "5"], 1, "connection"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_fault_is_one_line_or_one_object(
    words: list[str], code: int, said: str, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong is said once, where it is looked for, with an exit code that tells whose fault it is."""
    assert main([*words, "--json"] if as_json else words) == code
    out, err = capsys.readouterr()
    assert KEY not in out + err
    if as_json:
        error = json.loads(out)["error"]
        assert said in error["message"].lower()
        assert error["may_have_been_billed"] is False
    else:
        assert out == ""
        assert said in err.lower()
        assert len(err.splitlines()) == 1


def test_a_missing_key_is_explained(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key the message names the variable to set."""
    monkeypatch.delenv("FLUX_API_KEY")
    assert main(["generate", "a medal"]) == 2
    assert "FLUX_API_KEY" in capsys.readouterr().err


def test_the_gateway_s_refusal_carries_its_facts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of the gateway comes with status, code and request id."""
    monkeypatch.setenv("FLUX_API_KEY", "sk-mock-cloudflare-524")
    assert main(["generate", "a medal", "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["class"], error["status_code"], error["may_have_been_billed"]) == ("GatewayTimeoutError", 524, True)


def test_demo_draws_three_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    """The demo needs no key and no gateway, and can be repeated."""
    for _ in range(2):
        assert main(["demo"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 3
        assert all(Path(line.split("  ")[0]).exists() for line in lines)


@pytest.mark.parametrize(
    ("term", "says", "picture", "times"),
    [
        pytest.param("xterm-256color", b"\x1b[?62;4c", b"\x1bP", 3, id="sixels"),
        pytest.param("xterm-256color", b"\x1b[?62c", "▀".encode(), 3 * 32 * 9, id="half blocks"),
        pytest.param("dumb", b"", "▀".encode(), 0, id="no preview"),
    ],
)
def test_preview_on_a_terminal(term: str, says: bytes, picture: bytes, times: int) -> None:
    """Where a person is looking, each picture is shown in small, by what the terminal says that it can draw."""
    ours, theirs = pty.openpty()
    size = struct.pack("HHHH", 50, 100, 1000, 1000)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    command = [sys.executable, "-c", "from flux_images._cli import main; raise SystemExit(main(['demo']))"]
    environment = {**os.environ, "TERM": term, "COLORTERM": "truecolor"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as demo:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # so a terminal ends
            while chunk := os.read(ours, 2**16):
                shown += chunk
                if chunk.endswith(b"\x1b[c"):
                    os.write(ours, says)
    os.close(ours)
    assert demo.returncode == 0
    assert shown.count(picture) >= times
    assert (picture in shown) is (times > 0)


def test_mock_s_own_command_line_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    """`flux-images mock` takes the mock's arguments."""
    with pytest.raises(SystemExit) as stop:
        main(["mock", "--help"])
    assert stop.value.code == 0
    assert "--spec" in capsys.readouterr().out


def test_mock_with_an_unreadable_spec(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that can't be served is one clear line and exit code 2."""
    assert main(["mock", "--spec", "nowhere.yaml", "--port", "0"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


COMMANDS = ["--help", "generate medal", "generate medal --json", "demo", "scenarios --json", "mock --port 0"]


@pytest.mark.slow
@pytest.mark.parametrize(("words", "unbuffered"), [*((words, "") for words in COMMANDS), ("scenarios", "1")])
def test_a_reader_that_leaves_is_no_news(words: str, unbuffered: str) -> None:
    """`flux-images ... | head` ends in silence: no traceback, and a status that isn't success."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", "import sys; from flux_images._cli import main; sys.exit(main())", *words.split()]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False, env=environment)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")

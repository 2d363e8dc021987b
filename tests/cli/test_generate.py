"""`flux-images generate`, tried as a new user would."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from flux_images import Image
from flux_images._cli import main
from flux_images_mock import MockServer


@pytest.fixture(autouse=True)
def folder(flux_mock: MockServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the mock in the gateway's place; temporary files are beside it."""
    (tmp_path / "here").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "here"


def give(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input that holds a text."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["-"], "from input\n"),
        ([], "from input\n"),
        (["--prompt-file", "-"], "from input"),
        (["@prompt.txt"], ""),
        (["--prompt-file", "prompt.txt"], ""),
    ],
)
def test_a_prompt_from_elsewhere(
    words: list[str], given: str, flux_mock: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` and `@file` are never bought as text; the line end of a file is not part of a prompt."""
    Path("prompt.txt").write_text("\ufefffrom a file\n", "utf-8")
    give(given.encode(), monkeypatch)
    assert main(["generate", *words]) == 0
    flux_mock.expect(prompt="from input" if given else "from a file", times=1)


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (["-"], b"", "empty"),
        (["-"], b" \n", "empty"),
        ([""], b"", "empty"),
        (["  "], b"", "empty"),
        ([], b"", "empty"),
        (["@missing"], b"", "No such file"),
        (["@."], b"", "Is a directory"),
        (["-"], b"\xff\xfe", "UTF-8"),
        (["a", "--prompt-file", "b"], b"", "not both"),
        (["a", "-o", "."], b"", "is a folder"),
        (["a", "-o", ""], b"", "is a folder"),
        (["a", "-o", "nowhere/a.png"], b"", "no such folder"),
        (["a", "-o", "file/a.png"], b"", "is no folder"),
        (["a", "-o", "~nobody-of-this-name/a.png"], b"", "nobody-of-this-name"),
        (["a", "-o", "a" * 300], b"", "too long"),
        (["a", "-o", "-", "--n", "2"], b"", "one picture"),
        (["a", "--api-key-env", "NOTHING"], b"", "NOTHING"),
        (["a", "--base-url", "http://gateway.example"], b"", "add --allow-insecure"),
        (["a", "--size", "1024x1024"], b"", "did you mean --aspect-ratio?"),
        (["a", "--aspect_ratio", "1:1"], b"", "did you mean --aspect-ratio?"),
        (["a", "--output-format", "pngg"], b"", "did you mean png?"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_bought(
    words: list[str],
    given: bytes,
    said: str,
    flux_mock: MockServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line, exit code 2, no request."""
    Path("file").touch()
    give(given, monkeypatch)
    try:
        code = main(["generate", *words])
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else -1
    line, *more = [line for line in capsys.readouterr().err.splitlines() if line]
    assert (code, more, flux_mock.requests) == (2, [], [])
    assert said in line


class _Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_a_full_disk_and_a_closed_folder_are_seen_before(
    flux_mock: MockServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is bought that there is no room for."""
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _path: _Disk(100, 99, 1))
        assert main(["generate", "a"]) == 2
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda _path, _mode: False)
        assert main(["generate", "a"]) == 2
    full, closed = capsys.readouterr().err.splitlines()
    assert "0 MiB are free" in full
    assert "cannot be written to" in closed
    assert flux_mock.requests == []


def test_names_are_made_from_the_prompt() -> None:
    """In any script, short, and never one that is taken."""
    for prompt in ("A fox, in the snow!", "A fox, in the snow!", "雪夜里的灯塔", "../..", "word " * 50):
        assert main(["generate", prompt]) == 0
    names = {path.name for path in Path().iterdir()}
    assert names == {
        "a-fox-in-the-snow.jpg",
        "a-fox-in-the-snow-2.jpg",
        "雪夜里的灯塔.jpg",
        "picture.jpg",
        "word-word-word-word-word-word-word-word.jpg",
    }


def test_a_picture_on_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Its bytes and nothing else."""
    assert main(["generate", "a medal", "-o", "-", "--output-format", "png"]) == 0
    out, err = capfdbinary.readouterr()
    assert out.startswith(b"\x89PNG")
    assert out.endswith(b"IEND\xaeB`\x82")
    assert err == b""
    assert list(Path().iterdir()) == []


def test_what_cannot_be_written_is_saved_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that goes away while the picture is drawn does not cost it."""
    save = Image.save

    def gone(image: Image, path: Path, *, overwrite: bool) -> Path:
        if path.parent == Path():
            raise PermissionError(13, "Permission denied")
        return save(image, path, overwrite=overwrite)

    monkeypatch.setattr(Image, "save", gone)
    assert main(["generate", "a medal", "-o", "medal.png"]) == 1
    (saved,) = folder.with_name("temporary").rglob("medal.png")
    assert saved.read_bytes().startswith(b"\x89PNG")
    assert f"medal.png cannot be written ([Errno 13] Permission denied); the picture is in {saved}" in (
        capsys.readouterr().err
    )


def test_interrupted_after_paying(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The addresses of what was paid for are said, and what was saved is told."""

    def interrupted(image: Image, path: Path, *, overwrite: bool) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Image, "save", interrupted)
    assert main(["generate", "a medal", "--n", "2"]) == 130
    err = capsys.readouterr().err
    assert err.count("was paid for and not saved: interrupted; its address: http://127.0.0.1:") == 2


@pytest.mark.parametrize(
    ("scenario", "words", "said"),
    [
        ("aspect-ratio-dropped", ["--aspect-ratio", "21:9"], "/data/0: expected the ratio 21:9, got"),
        ("fewer-pictures", ["--n", "3"], "2 of the pictures asked for did not come"),
    ],
)
def test_what_came_otherwise_than_asked_is_told(
    scenario: str, words: list[str], said: str, flux_mock: MockServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, on standard error, and to programs."""
    flux_mock.scenario(scenario)
    main(["generate", "a", *words])
    assert capsys.readouterr().err.count(said) == 1
    main(["generate", "a", *words, "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["deviations"]) == 1


def test_quiet_prints_the_paths_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """For scripts."""
    assert main(["generate", "a medal", "--n", "2", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("a-medal-1.jpg\na-medal-2.jpg\n", "")


def test_a_key_from_another_variable(flux_mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the usual one is not needed."""
    monkeypatch.delenv("FLUX_API_KEY")
    monkeypatch.setenv("OTHER", "sk-other")
    assert main(["generate", "a", "--api-key-env", "OTHER"]) == 0
    assert flux_mock.bill["sk-other"] == 1


@pytest.mark.slow
def test_as_a_module_and_without_the_extra() -> None:
    """`python -m flux_images` is the command; help and version need nothing but the client."""
    hidden = "import sys; sys.modules.update(dict.fromkeys(('rich', 'textual_image', 'shtab', 'flux_images_mock')));"
    for words in ("['--help']", "['--version']", "['generate', '--help']", "['batch', '--help']"):
        code = f"{hidden} from flux_images._cli import main; main({words})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        [sys.executable, "-m", "flux_images", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("flux-images ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "completed"), [("flux-images gen", "generate"), ("flux-images generate --asp", "--aspect-ratio")]
)
def test_a_shell_completes(words: str, completed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What bash offers for the beginning of a word."""
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out + (
        f'\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _shtab_flux_images; echo "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [completed]

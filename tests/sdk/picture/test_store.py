"""Bytes have a safe home: whatever the system refuses, what was paid for can be read."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_images._picture import store
from flux_images._picture.store import Kept

HANDLES = Path("/proc/self/fd")


@pytest.fixture(autouse=True)
def _files_are_used_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "IN_MEMORY", 10)
    store._files.cache_clear()


def kept(*chunks: bytes) -> Kept:
    """Bytes that came in pieces."""
    made = Kept()
    for chunk in chunks:
        made.write(chunk)
    return made


@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=40)), max_size=30), st.integers(0, 200))
def test_pictures_that_come_at_once_stay_apart(chunks: list[tuple[int, bytes]], start: int) -> None:
    """Whichever chunk belongs to which; read whole, from any place on, and after a pickle."""
    pictures = [Kept() for _ in range(3)]
    whole = [b""] * 3
    for index, chunk in chunks:
        pictures[index].write(chunk)
        whole[index] += chunk
    for made, expected in zip(pictures, whole, strict=True):
        assert made.read() == pickle.loads(pickle.dumps(made)).read() == expected
        assert made.size == len(expected)
        assert made.start() == b"" or expected.startswith(made.start())
        with made.open() as file:
            file.seek(start)
            assert file.read() == expected[start:]
            file.seek(-min(5, len(expected)), os.SEEK_END)
            assert file.read() == expected[len(expected) - min(5, len(expected)) :]


def _no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")


def _full(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", refuse)


def _no_pwrite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pwrite")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(_no_folder, "kept in memory"), (_full, "No space left"), (_no_pwrite, "")],
    ids=["no folder", "a full disk", "Windows"],
)
def test_memory_takes_over(spoil: Any, said: str, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """And says so, once a picture."""
    spoil(monkeypatch)
    made = kept(b"a" * 20, b"b" * 20, b"c" * 20)
    assert made.read() == b"a" * 20 + b"b" * 20 + b"c" * 20
    assert caplog.text.count(said) == 1 or not said


def test_a_disk_that_fills_up_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on disk stays there, what follows is kept in memory."""
    made = kept(b"a" * 20)
    _full(monkeypatch)
    made.write(b"b" * 20)
    made.write(b"c" * 20)
    assert made.read() == b"a" * 20 + b"b" * 20 + b"c" * 20


def test_no_picture_holds_a_handle() -> None:
    """One is enough for a thousand."""
    before = len([*HANDLES.iterdir()])
    pictures = [kept(b"%04d" % index * 5) for index in range(1000)]
    assert len([*HANDLES.iterdir()]) - before <= 1
    assert all(made.read() == b"%04d" % index * 5 for index, made in enumerate(pictures))


def _run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_few_handles_are_enough() -> None:
    """With 64 for the process, most of them taken, a thousand pictures are kept."""
    assert "1000" in _run(
        "import os, resource\n"
        "from flux_images._picture import store\n"
        "store.IN_MEMORY = 10\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "taken = []\n"
        "try:\n"
        "    while True:\n"
        "        taken.append(os.open(os.devnull, os.O_RDONLY))\n"
        "except OSError:\n"
        "    pass\n"
        "pictures = []\n"
        "for index in range(1000):\n"
        "    pictures.append(store.Kept(b'%04d' % index * 5))\n"
        "print(sum(made.read() == b'%04d' % index * 5 for index, made in enumerate(pictures)))\n"
    )


def test_it_can_be_read_until_the_end() -> None:
    """In the caller's own atexit, although that was registered before anything of ours."""
    assert "30 bytes" in _run(
        "import atexit\n"
        "atexit.register(lambda: print(len(made.read()), 'bytes'))\n"
        "from flux_images._picture import store\n"
        "store.IN_MEMORY = 10\n"
        "made = store.Kept(b'x' * 30)\n"
    )


def test_it_can_be_read_in_a_forked_child() -> None:
    """And what parent and child keep after that stays apart."""
    assert _run(
        "import os, sys\n"
        "from flux_images._picture import store\n"
        "store.IN_MEMORY = 10\n"
        "made = store.Kept(b'x' * 30)\n"
        "child = os.fork()\n"
        "own = store.Kept((b'c' if child == 0 else b'p') * 30)\n"
        "if child:\n"
        "    os.waitpid(child, 0)\n"
        "print(made.read().decode(), own.read().decode(), flush=True)\n"
    ).split() == ["x" * 30, "c" * 30, "x" * 30, "p" * 30]

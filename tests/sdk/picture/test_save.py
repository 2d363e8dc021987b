"""A file appears whole, or not at all."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from flux_images._picture.save import check_target, put_in_place, target_of

DATA = b"picture" * 1000


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return [path.name for path in folder.iterdir()]


def test_a_suffix_is_added_where_there_is_none(tmp_path: Path) -> None:
    """That of the picture's type; one that is there is kept, even if it is another's."""
    suffixes = {
        "image/png": ".png",
        "image/jpeg": ".jpg",
        "image/webp": ".webp",
        "image/gif": ".gif",
        "image/avif": ".avif",
        "application/octet-stream": ".bin",
    }
    for media_type, suffix in suffixes.items():
        assert target_of(tmp_path / "a", media_type, overwrite=False) == tmp_path / f"a{suffix}"
    assert target_of(str(tmp_path / "a.gif"), "image/png", overwrite=False) == tmp_path / "a.gif"
    assert target_of(tmp_path / "a", None, overwrite=False) == tmp_path / "a"


def test_what_cannot_be_a_target_is_refused(tmp_path: Path) -> None:
    """A folder, a missing folder, and a file that is there already."""
    (tmp_path / "a.png").touch()
    with pytest.raises(IsADirectoryError, match="give the picture a name"):
        target_of(tmp_path, None, overwrite=True)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        target_of(tmp_path / "x" / "a.png", None, overwrite=True)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        target_of(tmp_path / "a", "image/png", overwrite=False)
    assert target_of(tmp_path / "a", "image/png", overwrite=True) == tmp_path / "a.png"


def test_targets_are_known_before_anything_is_bought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of all pictures, at home too; any that is taken under any suffix is refused."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert check_target("~/a.png") == [tmp_path / "a.png"]
    assert target_of("~/a.png", None, overwrite=False) == tmp_path / "a.png"
    assert check_target(tmp_path / "a", n=2) == [tmp_path / "a-1", tmp_path / "a-2"]
    (tmp_path / "a-2.webp").touch()
    with pytest.raises(FileExistsError, match=r"a-2\.webp"):
        check_target(tmp_path / "a", n=2)
    assert check_target(tmp_path / "a", n=2, overwrite=True)
    with pytest.raises(ValueError, match="n: expected 1 or more"):
        check_target(tmp_path / "a", n=0)
    with pytest.raises(ValueError, match="no file can be called so"):
        check_target("a\0b")
    with pytest.raises(NotADirectoryError):
        check_target(tmp_path / "a-2.webp" / "a")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_new_file_is_whole_and_ordinary(overwrite: bool, tmp_path: Path) -> None:
    """All bytes, the usual permissions, nothing beside it."""
    target = tmp_path / "a.png"
    put_in_place(io.BytesIO(DATA), target, overwrite=overwrite)
    assert target.read_bytes() == DATA
    assert stat.S_IMODE(target.stat().st_mode) & 0o111 == 0
    assert stat.S_IMODE(target.stat().st_mode) & 0o600 == 0o600
    assert names(tmp_path) == ["a.png"]


def test_an_old_file_is_replaced_only_when_told(tmp_path: Path) -> None:
    """Also when it appears at the last moment."""
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        put_in_place(io.BytesIO(DATA), target, overwrite=False)
    assert target.read_bytes() == b"old"
    put_in_place(io.BytesIO(DATA), target, overwrite=True)
    assert target.read_bytes() == DATA
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize("exists", [False, True])
def test_file_systems_without_hard_links(exists: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename serves, and still replaces nothing."""

    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    target = tmp_path / "a.png"
    if exists:
        target.write_bytes(b"old")
        with pytest.raises(FileExistsError, match="overwrite=True"):
            put_in_place(io.BytesIO(DATA), target, overwrite=False)
    else:
        put_in_place(io.BytesIO(DATA), target, overwrite=False)
    assert target.read_bytes() == (b"old" if exists else DATA)
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_full_disk_leaves_nothing(overwrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half a file nor a temporary one; what was there before stays."""
    target = tmp_path / "a.png"
    if overwrite:
        target.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        put_in_place(io.BytesIO(DATA), target, overwrite=overwrite)
    assert names(tmp_path) == (["a.png"] if overwrite else [])
    if overwrite:
        assert target.read_bytes() == b"old"

"""The folder of a batch: names on any file system, who may work in it, and what goes into a picture's file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import flux_images as flux
from flux_images._batch.files.folder import Folder, checked_name, safe
from flux_images._batch.files.metadata import described


@given(st.text(min_size=1, max_size=300))
def test_an_id_is_a_name_on_any_file_system(identity: str) -> None:
    name = safe(identity)
    assert name
    assert not set('<>:"/\\|?*\x00\n\x7f') & set(name)
    assert name[0] not in ". "
    assert name[-1] not in ". "
    assert len(name.encode()) <= 130
    assert name.split(".")[0].lower() not in {"con", "nul", "aux", "com1"}


@given(
    st.lists(st.text(min_size=1, max_size=150), min_size=2, max_size=8, unique_by=lambda text: text.encode().lower())
)
def test_two_ids_never_have_one_name(identities: list[str]) -> None:
    """Not even where capitals are not told apart."""
    assert len({safe(identity).lower() for identity in identities}) == len(identities)


@pytest.mark.parametrize("identity", ["medal-01", "Ä b", "牌", "a.b", "x" * 100])
def test_an_ordinary_id_stays_as_it_is(identity: str) -> None:
    assert safe(identity).startswith(identity)


@pytest.mark.parametrize(
    "name",
    [
        "{id}.{ext}",
        "{id}-{index}",
        "{index}.{ext}",
        "../{id}-{index}.{ext}",
        "{id",
        "{id.x}-{index}.{ext}",
        ".{id}-{index}.{ext}",
        "{0}-{index}.{ext}",
    ],
)
def test_names_that_would_not_tell_pictures_apart_are_refused(name: str) -> None:
    with pytest.raises(flux.ConfigurationError, match="--name"):
        checked_name(name)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(flux.ConfigurationError, match="holds other files and no batch"):
        Folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_lock_left_by_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text(json.dumps({"pid": 1, "host": "gone", "since": 0}))
    Folder(tmp_path).close()


def test_files_are_spread_over_folders(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    names = [
        folder.file_of(no, "a", 1, "image/png").relative_to(tmp_path).as_posix() for no in (1, 1000, 1001, 2_000_001)
    ]
    folder.close()
    assert names == ["a-1.png", "a-1.png", "0001/a-1.png", "2000/a-1.png"]


@pytest.mark.parametrize(("kind", "more"), [("PNG", {}), ("JPEG", {}), ("JPEG", {"comment": b"kept"})])
def test_a_picture_that_tells_how_it_was_made_is_the_same_picture(kind: str, more: dict[str, bytes]) -> None:
    file = io.BytesIO()
    Image.effect_noise((64, 48), 90).save(file, kind, **more)
    data = file.getvalue()
    addition = described(data[:64], {"prompt": "a <medal> & 牌", "seed": "7"})
    assert addition is not None
    text, at = addition
    changed = data[:at] + text + data[at:]
    with Image.open(io.BytesIO(changed)) as after, Image.open(io.BytesIO(data)) as before:
        assert after.tobytes() == before.tobytes()
        said = after.info
    if kind == "PNG":
        assert said["prompt"] == "a <medal> & 牌"
    else:
        told = ElementTree.fromstring(said["xmp"].decode().partition("?>")[2].rpartition("<?")[0])
        assert told[0][0].attrib["{urn:flux-images:1}prompt"] == "a <medal> & 牌"


@pytest.mark.parametrize("start", [b"RIFF\0\0\0\0WEBP", b"GIF89a", b""])
def test_other_formats_are_left_as_they_came(start: bytes) -> None:
    assert described(start, {"prompt": "x"}) is None

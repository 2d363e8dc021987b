"""The gallery of a batch: its files, how they are kept current, and the page in a real browser."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from flux_images import ConfigurationError, FluxImages
from flux_images._batch.files.folder import Folder, FolderInUseError
from flux_images._batch.gallery import keeper, thumbnails
from flux_images._batch.gallery.keeper import Gallery, write_gallery
from flux_images._batch.ledger.book import Ledger
from flux_images._batch.ledger.states import STATES
from flux_images_mock import MockServer
from tests.sdk.batch.chromium import CHROMIUM, Chromium
from tests.sdk.pictures import picture

KEY = "sk-test-Zm9vYmFy-0123456789"
NASTY = [
    "</script><script>window.struck = 1</script>",
    '"><img src=x onerror="window.struck = 1">',
    "one\u2028two\u2029three\n\\n \\u003c ${window.struck = 1} `",
    "雪夜里的灯塔 🗼 \x00 \x7f",
]
FAILED = ("waiting", "refused", "unknown", "expired")


def made_up(folder: Path, count: int, files: dict[str, bytes], prompts: dict[int, str] | None = None) -> Path:
    """A folder of a batch, of which every tenth request failed; the others have a picture, of few different ones."""
    with closing(Folder(folder)), closing(Ledger(folder / "ledger.sqlite")) as ledger:
        kinds = []
        for name, content in files.items():
            (folder / name).write_bytes(content)
            with PIL.Image.open(folder / name) as image:
                size = image.size
            kinds.append((name, hashlib.sha256(content).hexdigest(), len(content), *size))
        ledger.connection.execute("BEGIN")
        for no in range(1, count + 1):
            prompt = (prompts or {}).get(no, f"medal number {no} on a ribbon, lit from the left")
            request = {"aspect_ratio": "1:1", "model": f"flux.2-{('max', 'pro', 'dev')[no % 3]}", "prompt": prompt}
            state = FAILED[no // 10 % 4] if no % 10 == 0 else "saved"
            reason = {"refused": "HTTP 400: input_moderated", "unknown": "HTTP 524: no answer"}.get(state)
            ledger.connection.execute(
                "INSERT INTO item VALUES (?, ?, ?, ?, 1, ?, 1, ?, 1, ?, ?, NULL, ?)",
                (no, f"p{no}", "", no, json.dumps(request), state, reason, f"req-{no}", 1_790_000_000 + no),
            )
            if state == "saved":
                name, digest, length, width, height = kinds[no % len(kinds)]
                ledger.connection.execute(
                    "INSERT INTO picture VALUES (?, 1, NULL, ?, ?, ?, ?, ?, 'image/png', 1, NULL)",
                    (no, name, digest, length, width, height),
                )
        ledger.connection.execute("COMMIT")
    return folder


def some_files(sizes: list[tuple[int, int]]) -> dict[str, bytes]:
    return {f"a {index} #%?.png": picture("PNG", size=size) for index, size in enumerate(sizes)}


ONE = some_files([(300, 200)])


def rows_of(folder: Path) -> list[list[Any]]:
    """What the page will read, in order."""
    found = []
    for shard in sorted((folder / "gallery").glob("items-*.js")):
        match = re.fullmatch(r"gallery\.shard\((\d+),(.*)\);\n", shard.read_text("utf-8"), re.DOTALL)
        assert match
        found += json.loads(match[2])
    return found


def written(folder: Path) -> dict[str, tuple[int, int]]:
    """Each file of the gallery, and what is another once it was written again; an inode alone is soon used again."""
    paths = [folder / "index.html", *(path for path in (folder / "gallery").rglob("*") if path.is_file())]
    facts = {path: path.stat() for path in paths}
    return {str(path.relative_to(folder)): (fact.st_ino, fact.st_mtime_ns) for path, fact in facts.items()}


def test_a_finished_folder_gets_its_gallery(tmp_path: Path) -> None:
    """From the ledger alone: page, data of all requests, small pictures; a second time changes no file."""
    folder = made_up(tmp_path / "out", 2001, some_files([(300, 200), (20, 60)]))
    assert write_gallery(folder) == folder / "index.html"
    rows = rows_of(folder)
    assert [row[0] for row in rows] == list(range(1, 2002))
    assert {row[2] for row in rows} == {"saved", *FAILED}
    assert {row[3] for row in rows if row[2] == "refused"} == {"HTTP 400: input_moderated"}
    head = (folder / "gallery" / "head.js").read_text()
    assert head.endswith(",0);\n")
    assert len(re.findall('"[0-9a-f]{12}"', head)) == 3
    small = sorted((folder / "gallery" / "thumbnails").rglob("*.webp"))
    assert len(small) == 2
    for path, size in zip(small, ((20, 60), (256, 171)), strict=True):
        with PIL.Image.open(path) as image:
            assert image.size == size
    named = {f"{path.parent.name}/{path.name}" for path in small}
    assert {picture[5] for row in rows for picture in row[9]} == named
    before = written(folder)
    write_gallery(folder)
    assert written(folder) == before
    assert not list((folder / ".part").iterdir())


def test_nothing_of_a_request_can_leave_its_string(tmp_path: Path) -> None:
    """Markup, line ends and quotes in ids, prompts and reasons come out as they went in."""
    folder = made_up(tmp_path / "out", len(NASTY), ONE, dict(enumerate(NASTY, 1)))
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
        ledger.executemany("UPDATE item SET reason = ? WHERE no = ?", [(text, no) for no, text in enumerate(NASTY, 1)])
    write_gallery(folder)
    content = (folder / "gallery" / "items-0000.js").read_text("utf-8")
    assert not set("<\u2028\u2029") & set(content)
    assert [(row[3], row[8]["prompt"]) for row in rows_of(folder)] == [(text, text) for text in NASTY]


def test_what_is_very_long_is_cut(tmp_path: Path) -> None:
    """A picture that was sent along does not go into the page."""
    folder = made_up(tmp_path / "out", 1, ONE, {1: "x" * 100_000})
    write_gallery(folder)
    assert (folder / "gallery" / "items-0000.js").stat().st_size < 2000
    assert rows_of(folder)[0][8]["prompt"].startswith("xxx")
    assert rows_of(folder)[0][8]["prompt"].endswith("(100,000)")


def test_only_what_was_touched_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it runs: another file for the shard of the request that changed, and for no other; each by its name."""
    folder = made_up(tmp_path / "out", 3500, ONE)
    write_gallery(folder)
    before = written(folder)
    told = threading.Semaphore(0)
    write_head = keeper._Files.write_head  # pyright: ignore[reportPrivateUsage]  # the moment after each turn

    def and_tell(files: Any, *, running: bool) -> None:
        write_head(files, running=running)
        told.release()

    monkeypatch.setattr(keeper._Files, "write_head", and_tell)  # pyright: ignore[reportPrivateUsage]  # to look in between
    with Gallery(folder, every=0.01) as gallery:
        told.acquire()
        assert re.search(r",[1-9]\d+\);\n$", (folder / "gallery" / "head.js").read_text())
        with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
            ledger.execute("UPDATE item SET state = 'broken', reason = 'cut' WHERE no = 2345")
        gallery.touch("p2345")
        told.acquire()
        told.acquire()
    after = written(folder)
    assert {name for name in after if after[name] != before.get(name)} == {"gallery/head.js", "gallery/items-0002.js"}
    assert rows_of(folder)[2344][2:4] == ["broken", "cut"]
    assert (folder / "gallery" / "head.js").read_text().endswith(",0);\n")


def test_each_file_is_put_in_place_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that reads at any time finds the old file or the new one: it is written elsewhere first."""
    folder = made_up(tmp_path / "out", 1, ONE)
    opened: list[str] = []
    original = Path.open

    def noted(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if set(mode) & set("wax"):
            opened.append(str(path.relative_to(folder)))
        return original(path, mode, *arguments, **named)

    monkeypatch.setattr(Path, "open", noted)
    write_gallery(folder)
    assert {Path(name).parts[0] for name in opened} <= {".part", ".lock", ".ballast"}
    assert {".part/gallery-index.html", ".part/gallery-head.js", ".part/gallery-items-0000.js"} <= set(opened)


def test_without_pillow_the_picture_itself_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No small pictures, and no error."""
    monkeypatch.setattr(keeper, "pillow", lambda: None)
    folder = made_up(tmp_path / "out", 3, ONE)
    write_gallery(folder)
    assert not list((folder / "gallery" / "thumbnails").iterdir())
    assert rows_of(folder)[0][9] == [[1, "a 0 #%?.png", 300, 200, len(ONE["a 0 #%?.png"]), ""]]


def test_a_picture_that_pillow_cannot_read_is_left_alone(tmp_path: Path) -> None:
    """One without a small picture does not keep the others from theirs, and leaves no part behind."""
    folder = made_up(tmp_path / "out", 4, some_files([(300, 200), (20, 60)]))
    (folder / "a 0 #%?.png").write_bytes(b"no picture")
    write_gallery(folder)
    assert len(list((folder / "gallery" / "thumbnails").rglob("*.webp"))) == 1
    assert not list((folder / ".part").iterdir())


def test_pillow_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there is none."""

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    assert thumbnails.pillow() is None


def test_what_is_no_batch_gets_no_gallery(tmp_path: Path) -> None:
    """A folder without a ledger is refused and left as it is, one that is in use too."""
    with pytest.raises(ConfigurationError, match="no batch here"):
        write_gallery(tmp_path)
    assert not list(tmp_path.iterdir())
    folder = made_up(tmp_path / "out", 1, ONE)
    with closing(Folder(folder)), pytest.raises(FolderInUseError):
        write_gallery(folder)


def test_a_batch_keeps_its_gallery(flux_mock: MockServer, tmp_path: Path) -> None:
    """When it is done, every picture is in the page, with its small one; without the option there is no page."""
    for folder, options in ((tmp_path / "with", {}), (tmp_path / "without", {"gallery": False})):
        requests = [{"id": f"p{number}", "prompt": f"medal {number}"} for number in range(3)]
        with FluxImages(KEY, base_url=flux_mock.url) as client:
            assert len(list(client.batch(requests, folder, **options))) == 3  # type: ignore[arg-type]  # the option
    assert not (tmp_path / "without" / "index.html").exists()
    rows = rows_of(tmp_path / "with")
    assert [row[2] for row in rows] == ["saved"] * 3
    assert all((tmp_path / "with" / "gallery" / "thumbnails" / row[9][0][5]).is_file() for row in rows)
    assert all((tmp_path / "with" / row[9][0][1]).is_file() for row in rows)


def test_a_gallery_that_cannot_be_written_stops_no_batch(
    flux_mock: MockServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file where its folder should be: the pictures are saved, and the log says what is missing."""
    folder = tmp_path / "out"
    with FluxImages(KEY, base_url=flux_mock.url) as client:
        list(client.batch([{"prompt": "one"}], folder, gallery=False))
        (folder / "gallery").write_text("in the way")
        assert [result.state for result in client.batch([{"prompt": "two"}], folder)] == ["saved"]
    assert "the gallery is not written any more" in caplog.text


def test_the_page_knows_every_state() -> None:
    """By its name and in words, in both languages."""
    page = (Path(keeper.__file__).parent / "page.html").read_text("utf-8")
    assert len(page.encode()) < 40_000
    for state in STATES:
        assert len(re.findall(rf"\b{state}: \"", page)) == 4, state
    assert not re.search(r"https?://|innerHTML|eval\(", page)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_fifty_thousand_pictures_in_a_browser(tmp_path: Path) -> None:
    """From the disk: few nodes, filters, search, one large, keys and news; no error, nothing asked outside."""
    sizes = [(1024, 1024), (1280, 720), (720, 1280), (1500, 640), (640, 1500)]
    nasty = {1 + index: text for index, text in enumerate(NASTY)}
    folder = made_up(tmp_path / "out", 50_000, some_files(sizes), nasty)
    write_gallery(folder)
    shots = Path(os.environ.get("GALLERY_SHOTS", str(tmp_path)))
    shown = "Number(document.getElementById('counts').textContent.replaceAll(',', '').split(' ')[0])"
    with Chromium(tmp_path / "profile") as page:
        page.size(1280, 860)
        page.open(folder / "index.html")
        page.wait(f"{shown} === 50000")
        assert page.run("document.querySelectorAll('*').length") < 700
        page.wait("[...document.querySelectorAll('.card:not([hidden]) img:not([hidden])')].every(i => i.naturalWidth)")
        page.picture(shots / "light.png")
        page.size(1280, 860, dark=True)
        page.picture(shots / "dark.png")
        page.size(390, 844)
        page.wait("layout.columns === 2 && !document.querySelector('.waits')")
        assert page.run("document.documentElement.scrollWidth") <= 390
        page.picture(shots / "phone.png")
        page.size(1280, 860)
        page.wait("layout.columns === 5")
        choose = "(id, value) => { $(id).value = value; $(id).dispatchEvent(new Event('input')); }"
        for choice, count in (
            ({"state": "=refused"}, 1250),
            ({"state": "=saved", "model": "=flux.2-pro"}, 15_000),
            ({"state": "", "model": "", "search": "NUMBER 34999 lit"}, 1),
            ({"search": "number 4999"}, 15),
            ({"search": "input_moderated"}, 1250),
            ({"search": "nothing of it"}, 0),
            ({"search": ""}, 50_000),
        ):
            for name, value in choice.items():
                page.run(f"({choose})({name!r}, {value!r})")
            assert page.run(shown) == count, choice
        searched = f"({choose})('search', 'number 49')"
        filtering = page.run(f"(() => {{ const t = performance.now(); {searched}; return performance.now() - t; }})()")
        assert filtering < 500
        page.run(f"({choose})('search', '')")
        page.run("scrollTo(0, 1e9)")
        page.wait("cards.some(card => !card.node.hidden && card.prompt.textContent.includes('number 50000 '))")
        assert page.run("document.querySelectorAll('*').length") < 700
        page.run("scrollTo(0, 0)")
        page.wait("cards.some(card => card.index === 0 && !card.node.hidden)")
        page.run("cards.find(card => card.index === 0).node.focus()")
        page.key("ArrowRight")
        page.key("ArrowDown")
        page.key("Enter")
        page.wait("document.getElementById('dialog').open && document.getElementById('large').naturalWidth")
        assert page.run("document.getElementById('place').textContent") == "7 of 50,000"
        link = page.run("document.getElementById('file').href")
        assert link == (folder / "a 2 #%?.png").as_uri()
        page.picture(shots / "large.png")
        page.size(390, 844, dark=True)
        page.picture(shots / "large-phone.png")
        page.size(1280, 860)
        for _ in range(3):
            page.key("ArrowRight")
        assert page.run("document.getElementById('reason').textContent") == "HTTP 400: input_moderated"
        page.key("Escape")
        page.wait("!document.getElementById('dialog').open")
        page.wait("document.activeElement === cards.find(card => card.index === 9).node")
        page.key("End")
        page.wait("current === 49999")
        assert page.run("window.struck") is None
        with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
            ledger.execute("UPDATE item SET state = 'broken' WHERE no <= 7 AND state = 'saved'")
        write_gallery(folder)
        page.run("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait("document.querySelector('#state option[value=\"=broken\"]')?.textContent === 'broken (7)'")
        outside = [address for address in page.asked if not address.startswith(("file:///", "data:", "about:"))]
        assert outside == []
        assert page.logged == []


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_page_speaks_chinese(tmp_path: Path) -> None:
    """To a browser that does."""
    folder = made_up(tmp_path / "out", 40, ONE, {1: NASTY[3]})
    write_gallery(folder)
    with Chromium(tmp_path / "profile", "zh-CN") as page:
        page.size(390, 844)
        page.open(folder / "index.html")
        page.wait("document.getElementById('counts').textContent.startsWith('40')")
        assert page.run("document.documentElement.lang") == "zh"
        assert page.run("document.documentElement.scrollWidth") <= 390
        assert page.run("document.querySelector('#state').textContent").startswith("全部状态")
        page.picture(Path(os.environ.get("GALLERY_SHOTS", str(tmp_path))) / "chinese.png")
        assert page.logged == []

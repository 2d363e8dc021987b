"""Keeping the gallery current while a batch runs, and writing that of a finished one."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import logging
import os
import queue
import re
import shutil
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Self

from flux_images._batch.files.folder import LEDGER, PARTS, Folder
from flux_images._batch.gallery.shards import Reader, escaped
from flux_images._batch.gallery.thumbnails import make_thumbnail, pillow
from flux_images._errors import ConfigurationError
from flux_images._version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from flux_images._batch.gallery.shards import Shown

log = logging.getLogger("flux_images")

PAGE: Final = "index.html"
_DATA = "gallery"
_HEAD = "head.js"
_EVERY = 3.0
"""Seconds between two times that the files are written."""
_HEARTBEAT = 20.0
"""Seconds after which the page is told that the batch still runs, if there is nothing else to tell."""
_REST = 4
"""Times as long as it took to write a file the thread rests, so that buying goes on."""
_SLICE = 32
"""Thumbnails that are made before it is looked what came."""
_ROOM = 16 * 2**20
"""Bytes of the disk that are left to the pictures."""


class Gallery:
    """The page of a folder and its data. A thread of low priority writes them, and is allowed to fall behind.

    ``room`` are bytes of the disk below which nothing is written. What goes wrong is logged, and stops the gallery
    only. It works inside its ``with`` block, and has caught up after it.
    """

    def __init__(self, folder: Path, *, every: float = _EVERY, room: int = _ROOM) -> None:
        self._folder = folder
        self._every = every
        self._room = room
        self._touched: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._hurried = threading.Event()
        self._files = _Files(folder)
        self._dirty: set[int] = set()
        self._restless: set[int] = set()
        self._behind: set[int] = set()
        self._spoilt: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="flux_images gallery", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Catch up, and end."""
        self._ended.set()
        self._thread.join()

    def touch(self, identity: str) -> None:
        """Something became of a request."""
        self._touched.put(identity)

    def hurry(self) -> None:
        """Make no more thumbnails: the page shows the pictures themselves where there is none yet."""
        self._hurried.set()

    def _work(self) -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        try:
            with closing(Reader(self._folder)) as reader:
                self._keep(reader)
        except (OSError, sqlite3.Error) as error:
            log.warning("%s: the gallery is not written any more: %s", self._folder, error)

    def _keep(self, reader: Reader) -> None:
        self._files.write_page()
        self._dirty = set(range(reader.count()))
        while not self._ended.is_set():
            self._write(reader, running=True)
            until = time.monotonic() + self._every
            while self._behind and not self._ended.is_set() and time.monotonic() < until:
                self._thumbnails(reader, max(self._behind))
            self._ended.wait(max(0.0, until - time.monotonic()))
        self._complete(reader, running=True)

    def _complete(self, reader: Reader, *, running: bool) -> None:
        self._write(reader, running=running)
        while self._behind and not self._hurried.is_set():
            self._thumbnails(reader, max(self._behind))
        self._write(reader, running=False)

    def write_all(self) -> None:
        """Write the whole gallery from the ledger."""
        with closing(Reader(self._folder)) as reader:
            self._files.write_page()
            self._dirty = set(range(reader.count()))
            self._ended.set()
            self._complete(reader, running=False)

    def _write(self, reader: Reader, *, running: bool) -> None:
        if shutil.disk_usage(self._folder).free < self._room:
            raise OSError(errno.ENOSPC, "the disk is nearly full")
        while not self._touched.empty():
            shard = reader.shard_of(self._touched.get())
            if shard is not None:
                self._dirty.add(shard)
        for shard in sorted(self._dirty | self._restless):
            began = time.monotonic()
            content, restless, lacks = reader.shard(shard, self._files.thumbnails)
            self._files.write_shard(shard, content)
            for shards, is_one in ((self._restless, restless), (self._behind, lacks)):
                shards.add(shard) if is_one else shards.discard(shard)
            self._ended.wait((time.monotonic() - began) * _REST)
        self._dirty.clear()
        self._files.write_head(running=running)

    @functools.cached_property
    def _pillow(self) -> Any:
        return pillow()

    def _thumbnails(self, reader: Reader, shard: int) -> None:
        """Make some of those that a shard lacks: one after the other, or at the end on all processors."""
        lacking = {
            picture.thumbnail: picture
            for picture in reader.pictures(shard)
            if not (self._files.thumbnails / picture.thumbnail).exists()
        }
        some = [picture for name, picture in lacking.items() if name not in self._spoilt][:_SLICE]
        if not lacking:  # the same pictures were made small for another shard
            self._dirty.add(shard)
        if not some or self._pillow is None or self._hurried.is_set():
            self._behind.discard(shard)
            return
        if self._ended.is_set():
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                made = list(pool.map(self._thumbnail, some))
        else:
            made = [self._thumbnail(picture) for picture in some if not self._ended.is_set()]
        if any(made):
            self._dirty.add(shard)

    def _thumbnail(self, picture: Shown) -> bool:
        name = picture.thumbnail
        done = make_thumbnail(
            self._pillow, self._folder / picture.file, self._files.part_of(name), self._files.thumbnails / name
        )
        if not done:
            self._spoilt.add(name)
        return done


class _Files:
    """The files of a gallery: each is whole at any time, and is written only if it changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / _DATA
        self.thumbnails = self._data / "thumbnails"
        self._marks: dict[int, str] = {}
        """What stands for the content of each shard."""
        self._told_at = 0.0
        self._head = b""

    def part_of(self, name: str) -> Path:
        """Where a file is written before it gets its name; a run that was killed leaves it to the next to remove."""
        return self._folder / PARTS / f"gallery-{name.replace('/', '-')}"

    def write_page(self) -> None:
        """Write the page itself, of this version."""
        self.thumbnails.mkdir(parents=True, exist_ok=True)
        page = files("flux_images._batch.gallery").joinpath("page.html").read_text("utf-8")
        self._put(self._folder / PAGE, page.replace("{version}", __version__).encode())
        self._marks = self._marks_before()

    def write_shard(self, shard: int, content: bytes) -> None:
        """Write a file of data, and note it for the head."""
        mark = hashlib.sha256(content).hexdigest()[:12]
        target = self._data / f"items-{shard:04}.js"
        if self._marks.get(shard) != mark or not target.exists() or target.stat().st_size != len(content):
            self._put(target, content)
        self._marks[shard] = mark

    def write_head(self, *, running: bool) -> None:
        """Tell the page which files there are; while the batch runs, also that it does."""
        marks = [self._marks[shard] for shard in sorted(self._marks)]
        facts = {"name": self._folder.resolve().name, "shards": marks}
        head = json.dumps(facts)
        now = time.time()
        told = f"{head}{running}".encode()
        if told == self._head and now - self._told_at < _HEARTBEAT:
            return
        self._head, self._told_at = told, now
        script = f"gallery.head({head},{int(now) if running else 0});\n"
        self._put(self._data / _HEAD, escaped(script))

    def _marks_before(self) -> dict[int, str]:
        """Those of an earlier run."""
        try:
            head = (self._data / _HEAD).read_text("utf-8")
        except FileNotFoundError:
            return {}
        return dict(enumerate(re.findall(r'"([0-9a-f]{12})"', head.partition('"shards"')[2])))

    def _put(self, target: Path, content: bytes) -> None:
        if target.exists() and target.read_bytes() == content:
            return
        part = self.part_of(target.name)
        part.write_bytes(content)
        part.replace(target)


def write_gallery(path: Path) -> Path:
    """Write the gallery of a folder from its ledger and its pictures; returns its page.

    Raises:
        ConfigurationError: there is no batch in the folder, or it cannot be written.
        FolderInUseError: a run works in it, and keeps the gallery.
    """
    if not (path / LEDGER).is_file():
        raise ConfigurationError(f"{path}: there is no batch here, as there is no {LEDGER}")
    with closing(Folder(path)):
        try:
            Gallery(path, room=0).write_all()
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"{path}: the gallery cannot be written: {error}") from None
    return path / PAGE

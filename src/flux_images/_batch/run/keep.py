"""Putting one picture on the disk: its part, then its name, each made to last."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from flux_images._batch.files.folder import make_last
from flux_images._batch.files.metadata import described

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flux_images._batch.ledger.records import Item
    from flux_images._batch.ledger.records import Picture as Entry
    from flux_images._picture.store import Kept

_CHUNK = 2**18


def write_part(part: Path, kept: Kept, facts: Mapping[str, str] | None) -> tuple[str, int]:
    """Write a picture, with ``facts`` in it if there are some, and make it last. Returns its SHA-256 and its bytes."""
    digest = hashlib.sha256()
    with kept.open() as source, part.open("wb") as out:
        addition = described(source.read(64), facts) if facts else None
        source.seek(0)
        if addition:
            text, at = addition
            for piece in (source.read(at), text):
                digest.update(piece)
                out.write(piece)
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
        return digest.hexdigest(), out.tell()


def put_in_place(part: Path, target: Path) -> None:
    """Give a part its name. The folder's entry lasts once the ledger's writer has seen to it."""
    try:
        part.replace(target)
    except FileNotFoundError:
        if target.parent.is_dir():
            raise
        target.parent.mkdir(exist_ok=True)
        make_last(target.parent.parent)
        part.replace(target)


def is_there(target: Path, entry: Entry) -> bool:
    """Whether a file is the picture that the ledger knows."""
    if not target.is_file() or target.stat().st_size != entry.bytes:
        return False
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256


def facts_of(item: Item, request_id: str | None) -> dict[str, str]:
    """What a picture says of itself."""
    request: dict[str, Any] = json.loads(item.request)
    told: dict[str, Any] = {name: request[name] for name in ("prompt", "model", "seed") if name in request}
    told |= {"id": item.id, "request_id": request_id}
    return {name: str(value) for name, value in told.items() if value is not None}

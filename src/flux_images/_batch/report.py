"""What a folder holds, told from its ledger: as a table for other programs, and held against its files."""

from __future__ import annotations

import csv
import importlib
import json
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from flux_images._batch.ledger.states import SAVED
from flux_images._batch.run.keep import is_there
from flux_images._errors import ConfigurationError
from flux_images._picture.check import PictureError, check_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flux_images._batch.ledger.book import Ledger

COLUMNS = (
    *("id", "state", "reason", "file", "width", "height", "bytes", "media_type", "sha256", "address"),
    *("request_id", "task_id", "attempts", "prompt", "model", "request"),
)


def rows(ledger: Ledger) -> Iterator[dict[str, Any]]:
    """A row for each picture, and one for each request without any."""
    for facts, pictures in ledger.everything():
        request = json.loads(facts["request"])
        told = {**facts, "prompt": request.get("prompt"), "model": request.get("model")}
        for picture in [picture._asdict() for picture in pictures] or [dict[str, Any]()]:
            file = picture.get("file") if picture.get("saved") else None
            both = {**told, **picture, "file": file}
            yield {name: both.get(name) for name in COLUMNS}


def export(ledger: Ledger, kind: str, out: IO[bytes]) -> None:
    """Write all rows as ``jsonl``, ``csv`` or ``parquet``.

    Raises:
        ConfigurationError: what Parquet needs is not installed.
    """
    _EXPORTS[kind](rows(ledger), out)


def _json_lines(table: Iterator[dict[str, Any]], out: IO[bytes]) -> None:
    for row in table:
        out.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _csv(table: Iterator[dict[str, Any]], out: IO[bytes]) -> None:
    writer = csv.DictWriter(_Encoded(out), COLUMNS)
    writer.writeheader()
    writer.writerows(table)


class _Encoded:
    """What csv writes to."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.encode())


def _parquet(table: Iterator[dict[str, Any]], out: IO[bytes]) -> None:
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigurationError("Parquet needs pyarrow: pip install pyarrow") from None
    whole = ("width", "height", "bytes", "attempts")
    schema = arrow.schema([(name, arrow.int64() if name in whole else arrow.string()) for name in COLUMNS])
    with parquet.ParquetWriter(out, schema) as writer:
        while chunk := [row for _, row in zip(range(5000), table, strict=False)]:
            writer.write_table(arrow.Table.from_pylist(chunk, schema=schema))


_EXPORTS: dict[str, Callable[[Iterator[dict[str, Any]], IO[bytes]], None]] = {
    "jsonl": _json_lines,
    "csv": _csv,
    "parquet": _parquet,
}
EXPORTS = tuple(_EXPORTS)


class Fault(NamedTuple):
    """A file that is not as the ledger says."""

    id: str
    file: str
    problem: str


def verify(ledger: Ledger, folder: Path) -> tuple[int, list[Fault]]:
    """Hold every saved file against the ledger: how many are whole, and what is wrong with the others."""
    whole = 0
    faults: list[Fault] = []
    for facts, pictures in ledger.everything():
        saved = [picture for picture in pictures if picture.saved and picture.file]
        if facts["state"] == SAVED and not saved:
            faults.append(Fault(facts["id"], "", "is called saved, and has no file"))
        for picture in saved:
            path = folder / (picture.file or "")
            problem = _problem(path, is_there(path, picture))
            if problem:
                faults.append(Fault(facts["id"], picture.file or "", problem))
            else:
                whole += 1
    return whole, faults


def _problem(path: Path, is_same: bool) -> str | None:
    if not path.exists():
        return "is not there"
    if not is_same:
        return "is not the file that was saved"
    with path.open("rb") as file:
        try:
            check_picture(file)
        except PictureError as error:
            return f"is no whole picture: {error}"
    return None

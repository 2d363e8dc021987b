"""Reading requests from a file, one at a time: JSON Lines, CSV, TSV, plain text, Parquet, OpenAI's batch lines."""

from __future__ import annotations

import codecs
import csv
import difflib
import importlib
import io
import itertools
import json
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from flux_images._errors import ConfigurationError
from flux_images._text import one_line
from flux_images_api.contract import OPERATIONS, SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Reader = Callable[[IO[bytes], str], Iterator["Row | BadLine"]]

STDIN = "-"
_LONGEST = 16 * 2**20
"""Bytes of a line."""


class Row(NamedTuple):
    """A request as it was read: where (counted from 1), the name it was given, and its fields."""

    line: int
    id: str | None
    fields: Mapping[str, Any]


class BadLine(NamedTuple):
    """What cannot be sent, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


def read_prompts(source: str, kind: str | None = None) -> Iterator[Row | BadLine]:
    """The requests of a file, or of standard input for "-", read as its suffix or ``kind`` (such as "csv") says.

    Raises:
        ConfigurationError: there is no such file, no such format, or the file's head tells of a mistake.
    """
    suffix = f".{kind}" if kind else Path(source).suffix.lower()
    if source != STDIN and suffix not in FORMATS:
        raise ConfigurationError(f"{source}: expected a file that ends in {', '.join(FORMATS)}; or name its format")
    if source == STDIN:
        yield from FORMATS.get(suffix, _text_or_json)(sys.stdin.buffer, "standard input")
        return
    try:
        with Path(source).open("rb") as file:
            yield from FORMATS[suffix](file, source)
    except OSError as error:
        raise ConfigurationError(f"{source}: cannot be read: {error.strerror}") from None


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str | BadLine]]:
    """Lines that aren't empty, without their ends."""
    for number, data in enumerate(iter(lambda: file.readline(_LONGEST + 1), b""), 1):
        if len(data) > _LONGEST:
            yield number, BadLine(number, f"is longer than {_LONGEST} bytes")
            return
        line = data.removeprefix(codecs.BOM_UTF8) if number == 1 else data
        try:
            text = line.decode().strip("\r\n")
        except UnicodeDecodeError as error:
            yield number, BadLine(number, f"is not UTF-8 at byte {error.start + 1}")
        else:
            if text.strip():
                yield number, text


def _text(file: IO[bytes], _: str) -> Iterator[Row | BadLine]:
    for number, line in _lines(file):
        yield line if isinstance(line, BadLine) else Row(number, None, {"prompt": line.strip()})


def _json_lines(file: IO[bytes], _: str) -> Iterator[Row | BadLine]:
    for number, line in _lines(file):
        yield line if isinstance(line, BadLine) else _json_line(number, line)


def _text_or_json(file: IO[bytes], _: str) -> Iterator[Row | BadLine]:
    """Standard input has no suffix: JSON Lines begin with a brace."""
    lines = _lines(file)
    if (first := next(lines, None)) is None:
        return
    is_json = isinstance(first[1], str) and first[1].lstrip().startswith("{")
    for number, line in itertools.chain([first], lines):
        if isinstance(line, BadLine):
            yield line
        else:
            yield _json_line(number, line) if is_json else Row(number, None, {"prompt": line.strip()})


def _json_line(number: int, line: str) -> Row | BadLine:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadLine(number, f"is not JSON: {one_line(str(error), 100)}")
    return row_of(number, document)


def row_of(number: int, document: Any) -> Row | BadLine:
    """A request that was an object: its fields and perhaps an ``id``; or OpenAI's ``custom_id`` and ``body``."""
    if not isinstance(document, dict):
        return BadLine(number, f"expected an object, got {one_line(repr(document), 60)}")
    fields = dict(cast("dict[str, Any]", document))
    name = "custom_id" if "custom_id" in fields and "body" in fields else "id"
    identity = fields.pop(name, None)
    if name == "custom_id":
        if not isinstance(fields["body"], dict):
            return BadLine(number, "body: expected an object")
        fields = dict(cast("dict[str, Any]", fields["body"]))
    if identity is not None and not (isinstance(identity, str | int) and str(identity).strip()):
        return BadLine(number, f"{name}: expected a name, got {one_line(repr(identity), 60)}")
    if problem := _unknown(fields, "field"):
        return BadLine(number, problem)
    return Row(number, None if identity is None else str(identity), fields)


def properties() -> Mapping[str, Any]:
    """The contract's fields of a request, with their rules."""
    body = OPERATIONS["create_image"].body or {}
    return cast("Mapping[str, Any]", SCHEMAS[body["$ref"].rpartition("/")[2]]["properties"])


def _unknown(names: Iterable[str], what: str) -> str | None:
    known = [*properties(), "extra_body"]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            advice = f"did you mean {near[0]}?" if near else "what the contract does not know goes under extra_body"
            return f"{one_line(name, 60)}: no such {what}; {advice}"
    return None


_TRUE = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_CELLS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": lambda cell: _TRUE[cell.lower()],
    "string": str,
}


def _table(delimiter: str) -> Reader:
    def read(file: IO[bytes], name: str) -> Iterator[Row | BadLine]:
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            heads = [head.strip() for head in next(reader, list[str]())]
            columns = _columns(name, heads)
            for cells in reader:
                if any(cells):
                    yield _cells(reader.line_num, heads, columns, cells)
        except (csv.Error, UnicodeDecodeError) as error:
            yield BadLine(reader.line_num + 1, f"cannot be read, nor what follows: {one_line(str(error), 100)}")
        finally:
            text.detach()  # the file is its opener's to close

    return read


def _columns(name: str, heads: list[str]) -> dict[str, Callable[[str], Any]]:
    """How the cells of each column become values; other columns stay at home."""
    if "prompt" not in heads:
        raise ConfigurationError(f"{name}: the first line names no column 'prompt'; it is {one_line(repr(heads), 200)}")
    known = properties()
    for head in heads:
        near = difflib.get_close_matches(head.lower(), [*known, "id"], 1, 0.8)
        if near and head not in (*known, "id"):
            raise ConfigurationError(f"{name}: the column {one_line(head, 60)!r}: did you mean {near[0]!r}?")
    return {head: _CELLS[known[head].get("type", "string")] for head in heads if head in known}


def _cells(
    number: int, heads: list[str], columns: Mapping[str, Callable[[str], Any]], cells: list[str]
) -> Row | BadLine:
    if len(cells) > len(heads):
        return BadLine(number, f"has {len(cells)} cells, and the first line names {len(heads)} columns")
    fields: dict[str, Any] = {}
    identity = None
    for head, cell in zip(heads, cells, strict=False):
        if head == "id":
            identity = cell.strip() or None
        elif head in columns and cell.strip():
            try:
                fields[head] = columns[head](cell.strip())
            except (ValueError, KeyError):
                return BadLine(number, f"{head}: cannot be {one_line(repr(cell), 60)}")
    return Row(number, identity, fields)


def _parquet(file: IO[bytes], name: str) -> Iterator[Row | BadLine]:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigurationError(f"{name}: Parquet needs pyarrow: pip install pyarrow") from None
    table: Any = parquet.ParquetFile(file)
    heads: list[str] = list(table.schema_arrow.names)
    known = [head for head in heads if head in _columns(name, heads) or head == "id"]
    number = 0
    for batch in table.iter_batches(batch_size=2000, columns=known):
        documents: list[dict[str, Any]] = batch.to_pylist()
        for document in documents:
            number += 1
            yield row_of(number, {head: document[head] for head in known if document[head] is not None})


FORMATS: Mapping[str, Reader] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _table(","),
    ".tsv": _table("\t"),
    ".txt": _text,
    ".parquet": _parquet,
}
"""How a file of each suffix is read."""

"""Every request is looked at before the first is sent."""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flux_images._batch.files.folder import LEDGER
from flux_images._batch.input.prompts import STDIN, BadLine, read_prompts, row_of
from flux_images._batch.input.request import checked
from flux_images._batch.ledger.book import Ledger
from flux_images._errors import ConfigurationError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from flux_images._batch.input.request import Request
    from flux_images._batch.ledger.records import Loaded


class BadLinesError(ConfigurationError):
    """Some requests cannot be sent, so none was: ``lines`` names the first thousand, ``count`` is of all."""

    def __init__(self, lines: list[BadLine], count: int) -> None:
        shown = "; ".join(map(str, lines[:5]))
        super().__init__(f"{count} requests cannot be sent, so none was: {shown}; mend them, or skip the bad ones")
        self.lines = lines
        self.count = count


def plan(
    source: str | os.PathLike[str] | Iterable[Mapping[str, Any]],
    folder: str | os.PathLike[str],
    *,
    defaults: Mapping[str, Any],
    kind: str | None = None,
    skip_bad: bool = False,
) -> Loaded:
    """What a batch would do: requests and pictures to be sent. Nothing is sent, made or changed.

    Raises:
        BadLinesError: some requests cannot be sent.
    """
    path = Path(folder).expanduser() / LEDGER
    with tempfile.TemporaryDirectory() as elsewhere:
        ledger = Ledger(path if path.exists() else Path(elsewhere) / LEDGER)
        try:
            return load(ledger, source, defaults, kind=kind, skip_bad=skip_bad, dry=True)
        finally:
            ledger.close()


def load(
    ledger: Ledger,
    source: str | os.PathLike[str] | Iterable[Mapping[str, Any]],
    defaults: Mapping[str, Any],
    *,
    kind: str | None = None,
    skip_bad: bool = False,
    dry: bool = False,
) -> Loaded:
    """Check every request and take all into the ledger; a file that was loaded last is not looked at again.

    Raises:
        BadLinesError: some cannot be sent, and are not to be skipped: none was taken.
    """
    facts = {"input": _fingerprint(source, defaults, kind)}
    if facts["input"] and facts["input"] == ledger.meta("input") and not dry:
        return ledger.listed()
    loaded = ledger.load(_requests(source, defaults, kind), facts, skip_bad=skip_bad, dry=dry)
    if loaded.bad_count and not skip_bad:
        raise BadLinesError(loaded.bad, loaded.bad_count)
    return loaded


def _requests(
    source: str | os.PathLike[str] | Iterable[Mapping[str, Any]], defaults: Mapping[str, Any], kind: str | None
) -> Iterator[Request | BadLine]:
    rows = (
        read_prompts(str(source), kind)
        if isinstance(source, str | Path)
        else itertools.starmap(row_of, enumerate(source, 1))  # type: ignore[arg-type]  # of the union what is left
    )
    for row in rows:
        yield row if isinstance(row, BadLine) else checked(row, defaults)


def _fingerprint(source: object, defaults: Mapping[str, Any], kind: str | None) -> str:
    """Stands for the content of a file; empty where there is none to read twice."""
    if not isinstance(source, str | Path) or str(source) == STDIN or not Path(source).is_file():
        return ""
    with Path(source).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(repr((sorted(defaults.items()), kind, Path(source).suffix)).encode())
    return digest.hexdigest()

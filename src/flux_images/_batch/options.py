"""How a batch goes about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from flux_images._batch.files.folder import NAME
from flux_images._batch.input.prompts import STDIN
from flux_images._errors import ConfigurationError

if TYPE_CHECKING:
    from decimal import Decimal


class BatchOptions(TypedDict, total=False):
    """How a batch goes about it: arguments of ``FluxImages.batch``, each by its name."""

    format: str | None
    """Of the file of requests, where its suffix does not tell: jsonl, csv, tsv, txt or parquet."""
    concurrency: int
    """Calls at once, at most; inside that the batch finds what the gateway allows. 32, unless given."""
    rate: float | None
    """Calls a second, at most."""
    max_failures: int
    """Failures in a row after which the batch stops. 50, unless given."""
    max_images: int | None
    """Pictures that may be bought in this folder, over all runs: a hard cap."""
    max_cost: Decimal | None
    """The same in money; needs ``price``."""
    price: Decimal | None
    """Of one picture."""
    name: str
    """Of each file, such as "{id}-{index}.{ext}"; ``{no}`` is the request's number."""
    metadata: bool
    """Whether each picture carries its prompt, model, seed and request id (PNG and JPEG). True, unless given."""
    gallery: bool
    """Whether index.html in the folder shows the pictures, and is kept current. True, unless given."""
    skip_bad: bool
    """Whether to go on without the requests that cannot be sent."""
    resend_unknown: bool
    """Whether to send again what may have been billed, and so perhaps pay twice."""
    rebuy_expired: bool
    """Whether to buy again what was paid for and whose address gives nothing any more."""
    retry_refused: bool
    """Whether to send again what was refused before."""


class Settings(NamedTuple):
    """``BatchOptions``, all of them."""

    format: str | None = None
    concurrency: int = 32
    rate: float | None = None
    max_failures: int = 50
    max_images: int | None = None
    max_cost: Decimal | None = None
    price: Decimal | None = None
    name: str = NAME
    metadata: bool = True
    gallery: bool = True
    skip_bad: bool = False
    resend_unknown: bool = False
    rebuy_expired: bool = False
    retry_refused: bool = False


def check(settings: Settings, source: object) -> None:
    """Refuse what cannot be worked with, before anything is made.

    Raises:
        ConfigurationError: names the option, or the file that is not there.
    """
    if isinstance(source, str | Path) and str(source) != STDIN and not Path(source).is_file():
        raise ConfigurationError(f"{source}: no such file")
    for name, value in (("concurrency", settings.concurrency), ("max_failures", settings.max_failures)):
        if type(value) is not int or value < 1:
            raise ConfigurationError(f"{name}: expected a whole number, 1 or more, got {value!r}")
    if settings.rate is not None and not settings.rate > 0:
        raise ConfigurationError(f"rate: expected calls a second, more than 0, got {settings.rate!r}")

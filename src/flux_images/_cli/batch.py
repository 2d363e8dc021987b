"""`flux-images batch`: thousands of pictures into a folder, resumed by the same command."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flux_images import FluxImages
from flux_images._batch.files.folder import LEDGER, NAME, FolderInUseError
from flux_images._batch.gallery.keeper import write_gallery
from flux_images._batch.input.prompts import FORMATS
from flux_images._batch.ledger.book import Ledger
from flux_images._batch.ledger.states import FREE, SAVED, STATES
from flux_images._batch.load import BadLinesError, plan
from flux_images._batch.report import EXPORTS, export, verify
from flux_images._cli.fields import add_fields, given_fields
from flux_images._client.many import calls_a_second
from flux_images._client.shared import DEFAULT_MODEL
from flux_images._errors import AuthenticationError, ConfigurationError, PermissionDeniedError
from flux_images_api.contract import SERVER

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from flux_images._batch.job import Batch
    from flux_images._batch.options import BatchOptions
    from flux_images._cli.batch_display import Display

SOME_FAILED = 3
_STOPPED = {"account": 4, "cap": 5}
"""Exit codes of runs that ended before all was sent; of others 3."""
_IN_USE = 6
_INTERRUPTED = 130
_AGAIN = {"failed": "retry_refused", "unknown": "resend_unknown", "expired": "rebuy_expired"}

_EPILOG = """The same command again goes on where it ended. Exit codes: 0 all saved; 3 some failed; 4 stopped by quota
or key; 5 stopped by the cap; 6 the folder is in use; 130 stopped by Ctrl-C. Ctrl-C once finishes what is under way,
twice leaves it; both can be resumed."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse names no public type for it
    """Declare the commands."""
    what = "buy a picture for each line of a file, each once"
    command = commands.add_parser("batch", help=what, description=f"{what.capitalize()}.", epilog=_EPILOG)
    add = command.add_argument
    add("prompts", help="JSON Lines, CSV, TSV, text or Parquet; - reads standard input")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="the folder of the pictures and their ledger")
    add("--format", choices=[suffix[1:] for suffix in FORMATS], help="of the file, where its name does not tell it")
    add("--dry-run", action="store_true", help="check everything, say what it would cost, and send nothing")
    add("--skip-bad", action="store_true", help="go on without the lines that cannot be sent")
    add("--name", default=NAME, help="of each file, from {id} or {no}, {index} and {ext} (default: %(default)s)")
    add("--no-gallery", action="store_true", help="leave out DIR/index.html, the page that shows the pictures")
    add("--no-metadata", action="store_true", help="leave the pictures' bytes as they came")
    _add_run_options(command)
    add_fields(command)
    command.set_defaults(run=_run)
    for verb, text, fill in (
        ("status", "what has become of a batch", _add_nothing),
        ("retry", "send again what failed in a batch", _add_retry),
        ("export", "the requests and pictures of a batch as a table", _add_export),
        ("verify", "hold every file of a batch against its ledger", _add_nothing),
        ("gallery", "write the page of a batch anew", _add_nothing),
    ):
        sub = commands.add_parser(f"batch {verb}", help=text, description=f"{text.capitalize()}.")
        sub.add_argument("folder", type=Path, metavar="DIR")
        fill(sub)
        sub.set_defaults(run=_VERBS[verb])


def _add_nothing(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print one JSON object, for programs")


def _add_retry(command: argparse.ArgumentParser) -> None:
    for name, text in (
        ("failed", "what was refused, and cost nothing (unless another is given)"),
        ("unknown", "what may have been billed, and brought nothing: this can pay twice"),
        ("expired", "what was paid for, and can be fetched no more: this pays twice"),
    ):
        command.add_argument(f"--{name}", action="store_true", help=text)
    _add_run_options(command)


def _add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=EXPORTS, default="jsonl", help="(default: %(default)s)")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="(default: standard output)")
    command.set_defaults(json=False)


def _add_run_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--concurrency", type=int, default=32, metavar="N", help="calls at once, at most (default: %(default)s)")
    add("--rate", metavar="N/TIME", help="calls in a time, at most, such as 100/min")
    add("--max-images", type=int, metavar="N", help="never buy more for this folder, over all runs")
    add("--max-cost", type=_amount, metavar="MONEY", help="the same in money; needs --price")
    add("--price", type=_amount, metavar="MONEY", help="of one picture")
    add("--max-failures", type=int, default=50, metavar="N", help="stop after so many in a row (default: %(default)s)")
    add("--resend-unknown", action="store_true", help="send again what may have been billed: this can pay twice")
    add("--rebuy-expired", action="store_true", help="buy again what can be fetched no more: this pays twice")
    add("--base-url", help=f"the gateway's address (default: FLUX_BASE_URL, else {SERVER})")
    add("--allow-local-images", action="store_true", help="fetch pictures from this machine and its network too")
    add("--task-path", help='where tasks are asked for, such as "/v1/tasks/{task_id}"')
    add("--timeout", type=float, metavar="SECONDS", help="how long to wait for each answer")
    add("--json", action="store_true", help="print a JSON object for each result, for programs")


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"expected an amount such as 0.06, got {text!r}") from None


def _settings(options: argparse.Namespace) -> BatchOptions:
    return {
        "concurrency": options.concurrency,
        "rate": calls_a_second(options.rate),
        "max_failures": options.max_failures,
        "max_images": options.max_images,
        "max_cost": options.max_cost,
        "price": options.price,
        "resend_unknown": options.resend_unknown,
        "rebuy_expired": options.rebuy_expired,
    }


def _run(options: argparse.Namespace) -> int:
    defaults = given_fields(options)
    if options.dry_run:
        return _dry_run(options, defaults)
    settings: BatchOptions = {
        **_settings(options),
        "format": options.format,
        "name": options.name,
        "metadata": not options.no_metadata,
        "gallery": not options.no_gallery,
        "skip_bad": options.skip_bad,
    }
    return _buy(options, options.prompts, options.output, settings, defaults)


def _retry(options: argparse.Namespace) -> int:
    _ledger_of(options.folder).close()
    wanted = [name for name in _AGAIN if getattr(options, name)] or ["failed"]
    settings = {**_settings(options), **{_AGAIN[name]: True for name in wanted}}
    return _buy(options, None, options.folder, settings, {})  # type: ignore[arg-type]  # the names are those of its keys


def _buy(
    options: argparse.Namespace, source: str | None, folder: Path, settings: BatchOptions, defaults: dict[str, Any]
) -> int:
    from flux_images._cli.batch_display import Display, summary  # needs the extra, and --help does not

    display = Display(as_json=options.json)
    with FluxImages(
        base_url=options.base_url,
        timeout=options.timeout,
        allow_local_images=options.allow_local_images,
        task_path=options.task_path,
    ) as flux:
        try:
            batch = flux.batch(source, folder, defaults=defaults, on_progress=display.progress, **settings)
        except FolderInUseError as error:
            print(f"flux-images: {error}", file=sys.stderr)
            return _IN_USE
        except BadLinesError as error:
            return _bad_lines(error)
        with batch, _Signals(batch, display) as signals:
            display.begin(batch, settings.get("concurrency", 32))
            try:
                for result in batch:
                    display.result(result)
            except (AuthenticationError, PermissionDeniedError) as error:  # of the first question, which is free
                print(f"flux-images: {error}", file=sys.stderr)
                return _STOPPED["account"]
            finally:
                display.end()
            summary(batch, folder, as_json=options.json)
            if signals.interrupted:
                return _INTERRUPTED
            if batch.stopped:
                return _STOPPED.get(batch.stopped[0], SOME_FAILED)
            left = {state for state, count in batch.counts().items() if count}
            return 0 if left <= {SAVED} else SOME_FAILED


class _Signals:
    """Ctrl-C once finishes what is under way, twice leaves it; a request to end is a first Ctrl-C."""

    def __init__(self, batch: Batch, display: Display) -> None:
        self._batch = batch
        self._display = display
        self.interrupted = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> _Signals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.interrupted:
            self._batch.stop_now()
            return
        self.interrupted = True
        self._batch.stop(f"stopped by {'Ctrl-C' if number == signal.SIGINT else 'a request to end'}")
        self._display.note("finishing what is under way; Ctrl-C again leaves it, and it may be billed")


def _bad_lines(error: BadLinesError) -> int:
    for line in error.lines:
        print(f"flux-images: {line}", file=sys.stderr)
    if error.count > len(error.lines):
        print(f"flux-images: and {error.count - len(error.lines)} more", file=sys.stderr)
    print(
        f"flux-images: {error.count} requests cannot be sent, so none was; mend them, or add --skip-bad",
        file=sys.stderr,
    )
    return 2


def _dry_run(options: argparse.Namespace, defaults: dict[str, Any]) -> int:
    try:
        loaded = plan(
            options.prompts,
            options.output,
            defaults={"model": DEFAULT_MODEL, **defaults},
            kind=options.format,
            skip_bad=options.skip_bad,
        )
    except BadLinesError as error:
        return _bad_lines(error)
    cost = None if options.price is None else options.price * loaded.pictures
    if options.json:
        facts = {
            "requests": loaded.listed,
            "to_send": loaded.waiting,
            "pictures": loaded.pictures,
            "bad": loaded.bad_count,
            "cost": None if cost is None else str(cost),
        }
        print(json.dumps(facts))
        return 0
    print(f"{loaded.listed:,} requests, of which {loaded.waiting:,} are to be sent, for {loaded.pictures:,} pictures")
    if loaded.bad_count:
        print(f"{loaded.bad_count:,} lines are left out, as they cannot be sent")
    if cost is not None:
        print(f"at {options.price} a picture: {cost}")
    if rate := calls_a_second(options.rate):
        print(f"at {options.rate}: {loaded.waiting / rate / 60:,.1f} minutes or more")
    return 0


def _ledger_of(folder: Path) -> Ledger:
    path = folder / LEDGER
    if not path.is_file():
        raise ConfigurationError(f"{folder}: there is no batch here, as there is no {LEDGER}")
    return Ledger(path, read_only=True)


def _status(options: argparse.Namespace) -> int:
    from flux_images._cli.batch_display import counts  # as above

    ledger = _ledger_of(options.folder)
    states = {state: ledger.tally.get(state, (0, 0))[0] for state in STATES}
    reasons = ledger.reasons(10)
    if options.json:
        told = [{"state": state, "reason": reason, "count": count} for state, reason, count in reasons]
        print(json.dumps({"states": states, "spent_images": ledger.tally.spent, "reasons": told}, ensure_ascii=False))
    else:
        print(counts(states), f"{ledger.tally.spent:,} pictures were or may have been billed", sep="\n")
        for state, reason, count in reasons:
            print(f"  {count:,} {state}: {reason}")
    ledger.close()
    open_states = {state for state, count in states.items() if count} - {SAVED}
    return SOME_FAILED if open_states - FREE or states["refused"] else 0


def _export(options: argparse.Namespace) -> int:
    ledger = _ledger_of(options.folder)
    if options.output:
        with options.output.open("wb") as out:
            export(ledger, options.format, out)
    else:
        export(ledger, options.format, sys.stdout.buffer)
    ledger.close()
    return 0


def _verify(options: argparse.Namespace) -> int:
    ledger = _ledger_of(options.folder)
    whole, faults = verify(ledger, options.folder)
    ledger.close()
    if options.json:
        print(json.dumps({"whole": whole, "faults": [fault._asdict() for fault in faults]}, ensure_ascii=False))
    else:
        print(f"{whole:,} pictures are whole and as they were saved")
        for fault in faults:
            print(f"flux-images: {fault.id}: {fault.file} {fault.problem}", file=sys.stderr)
    return SOME_FAILED if faults else 0


def _gallery(options: argparse.Namespace) -> int:
    _ledger_of(options.folder).close()
    page = write_gallery(options.folder)
    print(json.dumps({"page": str(page)}) if options.json else page)
    return 0


_VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "status": _status,
    "retry": _retry,
    "export": _export,
    "verify": _verify,
    "gallery": _gallery,
}
VERBS = tuple(_VERBS)

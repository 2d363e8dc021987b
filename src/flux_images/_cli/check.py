"""`flux-images check`: whether a live gateway keeps the contract, spending nothing unless told to."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flux_images import FluxImages, __version__
from flux_images._errors import ConfigurationError
from flux_images._request.address import find_base_url
from flux_images_api.contract import SERVER

if TYPE_CHECKING:
    import argparse

    import httpx

    from flux_images._cli.promises import Allowance, Finding

_CANNOT_ASK = 3
"""Exit code where nothing could be asked."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse names no public type for it
    """Declare the command's options."""
    summary = "ask a live gateway whether it keeps the contract"
    command = commands.add_parser(
        "check",
        help=summary,
        description=f"{summary.capitalize()}. Without --allow-paid only what cannot cost anything "
        "is asked. Exit codes: 0 nothing is broken; 1 a promise is; 2 bad options; 3 nothing can be asked there.",
    )
    add = command.add_argument
    add("--base-url", help=f"the gateway's address (default: FLUX_BASE_URL, else {SERVER})")
    add("--api-key-env", default="FLUX_API_KEY", metavar="NAME", help="variable with the key (default: %(default)s)")
    add("--allow-paid", type=int, default=0, metavar="N", help="at most N calls that may cost money (default: none)")
    add("-n", "--workers", type=int, default=1, metavar="N", help="ask N promises at a time (default: %(default)s)")
    add("--junit", type=Path, metavar="FILE", help="write a report in JUnit's XML")
    add("--html", type=Path, metavar="FILE", help="write a page with the pictures that came")
    add("--json", action="store_true", help="print one JSON object, for programs")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from flux_images._cli import report
    from flux_images._cli.promises import KEPT, NOT_TESTED, Allowance

    for name in ("allow_paid", "workers"):
        if getattr(options, name) < (least := 1 if name == "workers" else 0):
            raise ConfigurationError(
                f"--{name.replace('_', '-')}: expected {least} or more, got {getattr(options, name)}"
            )
    allowance = Allowance(options.allow_paid)
    address = find_base_url(options.base_url, allow_insecure=False)
    findings = _findings(address, options.api_key_env, allowance, options.workers)
    if isinstance(findings, str):
        obstacle = f"{address} {findings}"
        print(json.dumps({"error": {"message": obstacle}}) if options.json else "", end="\n" * bool(options.json))
        print("" if options.json else f"flux-images: {obstacle}\n", end="", file=sys.stderr)
        return _CANNOT_ASK
    about = {"gateway": str(address), "date": datetime.now(UTC).isoformat(timespec="seconds"), "version": __version__}
    if options.junit:
        options.junit.write_text(report.as_junit(findings), "utf-8")
    if options.html:
        options.html.write_text(report.as_html(findings, about, allowance.spent), "utf-8")
    if options.json:
        print(report.as_json(findings, about, allowance.spent))
    else:
        print(*report.as_lines(findings, allowance.spent), sep="\n")
    verdicts = {found.verdict for found in findings}
    return 0 if verdicts <= {KEPT, NOT_TESTED} and KEPT in verdicts else 1


def _findings(address: httpx.URL, variable: str, allowance: Allowance, workers: int) -> list[Finding] | str:
    """What was found; or why nothing can be asked."""
    from flux_images._cli.promises import PROMISES, Gateway
    from flux_images._request.key import find_key

    if not (secret := os.environ.get(variable)):
        raise ConfigurationError(f"{variable}: there is no key in this variable; set it, or name another --api-key-env")
    with FluxImages(secret, base_url=str(address), max_retries=0) as flux:
        gateway = Gateway(address, find_key(secret), flux, allowance)
        try:
            if obstacle := gateway.obstacle():
                return obstacle
            with ThreadPoolExecutor(workers) as pool:
                waiting = [pool.submit(promise.find, gateway) for promise in PROMISES]
                return [future.result() for future in waiting]
        finally:
            gateway.close()

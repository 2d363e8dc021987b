"""Whether behaviour tells a changed contract apart: its client and its mock, each against the right other."""

from __future__ import annotations

import json
import logging
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from codegen.edits import EditError
from codegen.generate import GenerationError, generate
from contract_tests.checks import derived
from contract_tests.checks.check import Check, Subject, first_broken
from contract_tests.checks.client import Client
from contract_tests.checks.raw_http import exchange
from contract_tests.contract import document as contract
from flux_images_mock import MockServer

if TYPE_CHECKING:
    from contract_tests.mutants.mutate import Mutant


class Verdict(NamedTuple):
    """The check that told each side's mutant apart, or None if it survived there."""

    mutant: str
    side: str
    by_mock: str | None
    by_client: str | None

    @property
    def killed(self) -> bool:
        """Whether either side was told apart."""
        return self.by_mock is not None or self.by_client is not None


def quiet() -> None:
    """Keep the SDK's warnings out of the report."""
    logging.getLogger("flux_images").setLevel(logging.ERROR)


def judge(mutant: Mutant, *, both: bool = True) -> Verdict:
    """Judge a mutant; without `both` a mock that was told apart is enough."""
    with tempfile.TemporaryDirectory() as scratch:
        spec = Path(scratch) / "openapi.yaml"
        spec.write_text(json.dumps(mutant.document), "utf-8")  # JSON is YAML
        by_mock = _judge_mock(mutant, spec)
        by_client = _judge_client(mutant, spec, Path(scratch)) if both or by_mock is None else None
    return Verdict(mutant.name, mutant.side, by_mock, by_client)


def _judge_mock(mutant: Mutant, spec: Path) -> str | None:
    try:
        server = MockServer(spec)
    except ValueError as error:
        return f"no mock can be made: {_line(error)}"
    with server:
        subject = Subject(_right_client(), server, lambda request: exchange(server.url, request))
        return first_broken(subject, _ordered(mutant, "mock"))


def _judge_client(mutant: Mutant, spec: Path, scratch: Path) -> str | None:
    try:
        generate(spec, scratch / "flux_images_api")
    except (GenerationError, EditError) as error:
        return f"no client can be generated: {_line(error)}"
    server = _right_mock()
    try:
        with Client.of(scratch) as client:
            subject = Subject(client, server, lambda request: exchange(server.url, request))
            return first_broken(subject, _ordered(mutant, "client"))
    except ImportError as error:
        return f"the SDK does not import: {_line(error)}"


def _ordered(mutant: Mutant, side: str) -> list[Check]:
    """Every check of a side, those of the changed place first: most mutants are told apart there."""
    place = mutant.name.partition(": ")[0]
    checks = [check for check in _derived() if check.side in (side, "pair")]
    return sorted(checks, key=lambda check: not (check.rule.startswith(place) or place.startswith(check.rule)))


_derived = cache(derived)


@cache
def _right_client() -> Client:
    return Client()


@cache
def _right_mock() -> MockServer:
    server = MockServer(contract.PATH)
    server.start()  # for as long as the process lives
    return server


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]

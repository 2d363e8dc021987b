"""Compile and run the samples, each with four prompts, and print a table of how they did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlsplit

from codegen.samples.languages import LANGUAGES, Sample, write_samples
from codegen.samples.request import KEY, SampleRequest
from codegen.samples.run import swift
from codegen.samples.run.compare import USED_KEY, differences
from codegen.samples.run.recorder import Recorder
from codegen.samples.run.toolchain import TOOLCHAINS, WRAPPERS, Toolchain, missing
from flux_images_mock import MockServer

PROMPTS = {
    "quotes": "A \"medal\", 'silver',\nwith a second line and 雪夜里的灯塔",
    "templates": '$HOME ${x} `id` #{x} %n %s \\(y) \\n """ {{z}} $(id) \\',
    "emoji": "🏒\u2028after a line separator\ttab </script> é ÿ",
}
"""Besides the contract's own example: what a language could take for its own syntax."""

ENOUGH = 13
"""So many of the fifteen languages have to run in CI."""


class Run(NamedTuple):
    """How one sample did with one prompt; nothing in ``wrong`` is right."""

    sample: Sample
    prompt: str
    wrong: list[str]
    seconds: float


def run_all(committed: list[Sample], requests: Iterable[SampleRequest]) -> int:
    """Run what stands in docs/samples, and the same for the other prompts. Returns the exit code."""
    begun = monotonic()
    cases = [(sample, "example") for sample in committed]
    for name, prompt in PROMPTS.items():
        hostile = [request.with_prompt(prompt) for request in requests if "prompt" in (request.body or {})]
        cases += [(sample, name) for sample in write_samples(hostile)]
    absent = {language.name: missing(language.name) for language in LANGUAGES}
    runnable = [case for case in cases if absent[case[0].language.name] is None]
    with MockServer() as mock, ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = list(pool.map(partial(_run, mock.url), runnable))
    ran = _print_table(runs, absent)
    print(f"{ran} of {len(LANGUAGES)} languages ran, {len(runs)} runs, {monotonic() - begun:.0f} s")
    if os.environ.get("CI") == "true" and ran < ENOUGH:
        print(f"samples: in CI at least {ENOUGH} have to run", file=sys.stderr)
        return 1
    return 1 if any(run.wrong for run in runs) else 0


def _run(mock_url: str, case: tuple[Sample, str]) -> Run:
    sample, prompt = case
    begun = monotonic()
    if sample.language.name == "swift":
        wrong = swift.differences(sample.code, sample.request)
    else:
        with tempfile.TemporaryDirectory() as folder, Recorder(mock_url) as recorder:
            wrong = _execute(TOOLCHAINS[sample.language.name], sample, Path(folder), recorder.address)
            wrong = wrong or differences(recorder.received, sample.request)
    return Run(sample, prompt, wrong, monotonic() - begun)


def localise(sample: Sample, toolchain: Toolchain, address: str) -> str:
    """Return the sample as it is shown, but for a server on this machine without TLS."""
    server = sample.request.server
    code = sample.code.replace(server, f"http://{address}").replace(urlsplit(server).netloc, address)
    code = code.replace(KEY, USED_KEY)
    for shown, here in toolchain.local:
        code = code.replace(shown, here)
    if toolchain.wrapper:
        code = (WRAPPERS / toolchain.wrapper).read_text("utf-8").replace("@SAMPLE@", code)
    return code


def _execute(toolchain: Toolchain, sample: Sample, folder: Path, address: str) -> list[str]:
    (folder / toolchain.file).write_text(localise(sample, toolchain, address), "utf-8", newline="\n")
    packages = [{"name": "http", "rootUri": f"file://{WRAPPERS}/dart/", "packageUri": "lib/", "languageVersion": "3.0"}]
    (folder / "packages.json").write_text(json.dumps({"configVersion": 2, "packages": packages}))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "GOCACHE": os.environ.get("GOCACHE", str(Path.home() / ".cache" / "go-build")),
        "GO111MODULE": "off",
    }
    for command in toolchain.commands:
        words = command.format(file=toolchain.file, gcc=_gcc() if "{gcc}" in command else "").split()
        try:
            done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, timeout=60)  # noqa: S603 -- ours
        except subprocess.TimeoutExpired:
            return [f"{words[0]} hangs"]
        if done.returncode:
            told = (done.stderr or done.stdout).decode(errors="replace")[-600:]
            return [f"{words[0]} ends with {done.returncode}: {told}"]
    return []


def _gcc() -> str:
    """Return the folder in which GCC keeps the headers and the library of Objective-C."""
    found = subprocess.run(["gcc", "-print-file-name="], capture_output=True, text=True, check=True)  # noqa: S607 -- the one that compiles
    return found.stdout.strip().rstrip("/")


def _print_table(runs: list[Run], absent: dict[str, str | None]) -> int:
    ran = 0
    for language in LANGUAGES:
        own = [run for run in runs if run.sample.language is language]
        if needs := absent[language.name]:
            print(f"{language.label:12} not run; install {needs}")
            continue
        kind = "checked by syntax tree and literals" if language.name == "swift" else "ran"
        ran += kind == "ran"
        wrong = [run for run in own if run.wrong]
        seconds = sum(run.seconds for run in own)
        print(f"{language.label:12} {kind}, {len(own) - len(wrong)} of {len(own)} right, {seconds:.1f} s")
        for run in wrong:
            print(f"    {run.sample.file}, {run.prompt}: {'; '.join(run.wrong)}")
    return ran

"""What `flux-images check` found, for a terminal, for programs, for CI (JUnit XML) and as one HTML page."""

from __future__ import annotations

import base64
import json
from collections import Counter
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from flux_images._cli.promises import BROKEN, KEPT, NOT_TESTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flux_images._cli.promises import Finding

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .4rem .6rem; overflow-wrap: anywhere; }
th:nth-child(1) { width: 32%; } th:nth-child(2) { width: 6rem; }
tr { border-top: 1px solid #ccc; } .kept { color: #17672f; } .broken { color: #b3261e; font-weight: bold; }
img { max-width: 16rem; max-height: 12rem; display: block; margin-top: .4rem; }
h1 { overflow-wrap: anywhere; }
@media (max-width: 40rem) { td, th { display: block; width: auto !important; padding: .1rem .4rem; } }
"""


def as_lines(findings: Sequence[Finding], spent: int) -> Iterator[str]:
    """A line for each promise, and a last one that counts."""
    for found in findings:
        yield f"{found.verdict:<10}  {found.promise}"
        if found.verdict != KEPT:
            yield f"            {found.evidence}"
    counts = Counter(found.verdict for found in findings)
    yield (
        ", ".join(f"{counts[verdict]} {verdict}" for verdict in (KEPT, BROKEN, NOT_TESTED))
        + f"; calls that may have cost money: {spent}"
    )


def as_json(findings: Sequence[Finding], about: Mapping[str, str], spent: int) -> str:
    """One object."""
    promises = [
        {
            "promise": found.promise,
            "verdict": found.verdict,
            "evidence": found.evidence,
            "pictures": len(found.pictures),
        }
        for found in findings
    ]
    return json.dumps({**about, "promises": promises, "calls_that_may_cost": spent}, ensure_ascii=False)


def as_junit(findings: Sequence[Finding]) -> str:
    """A test suite with a case for each promise."""
    counts = Counter(found.verdict for found in findings)
    suite = ElementTree.Element(
        "testsuite",
        name="flux-images check",
        tests=str(len(findings)),
        failures=str(counts[BROKEN]),
        skipped=str(counts[NOT_TESTED]),
        errors="0",
    )
    for found in findings:
        case = ElementTree.SubElement(suite, "testcase", classname="contract", name=found.promise)
        if found.verdict == BROKEN:
            ElementTree.SubElement(case, "failure", message=found.evidence)
        elif found.verdict == NOT_TESTED:
            ElementTree.SubElement(case, "skipped", message=found.evidence)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def as_html(findings: Sequence[Finding], about: Mapping[str, str], spent: int) -> str:
    """A page that needs nothing else: the pictures that came are in it."""
    rows = "\n".join(_row(found) for found in findings)
    *_, counted = as_lines(findings, spent)
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>flux-images check</title>\n'
        f"<style>{_STYLE}</style>\n"
        f"<h1>{escape(about['gateway'])}</h1>\n<p>{escape(counted)}</p>\n"
        f"<p>{escape(about['date'])}, flux-images {escape(about['version'])}</p>\n"
        f"<table>\n<tr><th>Promise<th>Verdict<th>Evidence</tr>\n{rows}\n</table>\n</html>\n"
    )


def _row(found: Finding) -> str:
    pictures = "".join(
        f'<img alt="" src="data:{escape(seen.media_type)};base64,{base64.b64encode(seen.content).decode()}">'
        for seen in found.pictures
    )
    kind = found.verdict.replace(" ", "-")
    return (
        f'<tr><td>{escape(found.promise)}<td class="{kind}">{escape(found.verdict)}'
        f"<td>{escape(found.evidence)}{pictures}</tr>"
    )

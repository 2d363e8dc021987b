"""The tabs, in the order of the gateway's own page: who writes each sample, and what is repaired in it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from codegen.samples import fixes
from codegen.samples.python import with_the_sdk
from codegen.samples.request import SampleRequest

HERE = Path(__file__).parent


class Language(NamedTuple):
    """A tab. ``generator`` are the language and the variant, as postman-code-generators calls them."""

    name: str
    label: str
    suffix: str
    generator: tuple[str, str]
    fix: Callable[[str, SampleRequest], str] = fixes.none


LANGUAGES = (
    Language("shell", "Shell", "sh", ("curl", "cURL")),
    Language("javascript", "JavaScript", "js", ("javascript", "Fetch")),
    Language("java", "Java", "java", ("java", "OkHttp")),
    Language("swift", "Swift", "swift", ("swift", "URLSession")),
    Language("go", "Go", "go", ("go", "Native")),
    Language("php", "PHP", "php", ("php", "cURL")),
    Language("python", "Python", "py", ("python", "Requests")),
    Language("http", "HTTP", "http", ("http", "HTTP"), fixes.count_bytes),
    Language("c", "C", "c", ("c", "libcurl")),
    Language("csharp", "C#", "cs", ("csharp", "HttpClient"), fixes.escape_line_separators),
    Language("objective-c", "Objective-C", "m", ("objective-c", "NSURLSession")),
    Language("ruby", "Ruby", "rb", ("ruby", "Net::HTTP")),
    Language("ocaml", "OCaml", "ml", ("ocaml", "Cohttp")),
    Language("dart", "Dart", "dart", ("dart", "http"), fixes.escape_dollars),
    Language("r", "R", "r", ("r", "httr"), fixes.quote_body),
)


class Sample(NamedTuple):
    """A finished sample of a request. ``title`` tells two of one tab apart."""

    language: Language
    title: str
    request: SampleRequest
    code: str

    @property
    def file(self) -> str:
        """Where it stands in `docs/samples`."""
        name = f"{self.language.name}-{self.title}" if self.title else self.language.name
        return f"{self.request.operation}/{name}.{self.language.suffix}"


def write_samples(requests: Iterable[SampleRequest]) -> list[Sample]:
    """Write each request in each language, by one run of the generator."""
    pairs = [(request, language) for request in requests for language in LANGUAGES]
    asked = [
        {
            "language": language.generator[0],
            "variant": language.generator[1],
            "method": request.method,
            "url": request.server + request.path,
            "headers": request.headers,
            "body": request.text,
        }
        for request, language in pairs
    ]
    node = subprocess.run(  # noqa: S603 -- a fixed command; the requests go in as JSON
        ["node", str(HERE / "convert.js")],  # noqa: S607 -- Node is where PATH says
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    samples: list[Sample] = []
    for (request, language), code in zip(pairs, json.loads(node.stdout), strict=True):
        title = ""
        if language.name == "python" and (own := with_the_sdk(request)):
            samples.append(Sample(language, "", request, own))
            title = "requests"
        samples.append(Sample(language, title, request, f"{language.fix(code, request).strip()}\n"))
    return samples

"""The reference page as one file that asks nobody for anything."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name  # pyright: ignore[reportUnknownVariableType] -- its options

import flux_images
from codegen.document import Json, follow, operations
from codegen.reference.fields import fields
from codegen.reference.outcomes import errors_of, outcomes
from codegen.samples.languages import LANGUAGES
from codegen.samples.request import sample_requests
from flux_images._answer.classify import _ADVICE as ADVICE  # pyright: ignore[reportPrivateUsage] -- it is what users read

HERE = Path(__file__).parent
CURES = {
    "APIConnectionError": "look at the network and the base URL; ask the gateway for its bill before buying again",
    "APITimeoutError": "allow more time; ask the gateway for its bill before buying again",
    "APIStatusError": "read the gateway's message; ask it for its bill before buying again",
    "BadRequestError": "correct the field that the message names",
    "EmptyGenerationError": "ask the gateway for its bill, with the request's id",
    "ImageDownloadError": "fetch again with `generation.image.read()`; don't buy again",
    "InternalServerError": "ask the gateway for its bill before buying again",
    "PayloadTooLargeError": "send a shorter prompt",
    "PendingGenerationError": "ask for the task with `fetch_task`; don't buy again",
    "PermissionDeniedError": "ask the gateway's operator what the key may do",
    "UnexpectedResponseError": "check the base URL; ask the gateway for its bill before buying again",
}
"""What to do about an error whose message gives no advice."""
LEXERS = {"shell": "bash"}
"""Where Pygments calls a language otherwise."""


def render(contract: Path, samples: Path) -> str:
    """Write the page from the contract, the committed samples, and what the SDK does of each scenario."""
    text = contract.read_text("utf-8")
    document: Json = yaml.safe_load(text)
    provenance = dict(re.findall(r"(?m)^#   ([a-z-]+) {2,}(.+)$", text))
    chinese: dict[str, str] = json.loads((HERE / "chinese.json").read_text("utf-8"))

    def both(text: str) -> Markup:
        """Give a text in both languages; in English alone where it has no Chinese."""
        text = " ".join(text.split())
        if text not in chinese:
            return Markup('<span lang="en">{}</span>').format(_prose(text))
        return Markup('<span lang="en" class="en">{}</span><span lang="zh-CN" class="zh">{}</span>').format(
            _prose(text), _prose(chinese[text])
        )

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["both"] = both
    found = outcomes()
    return environment.get_template("page.html.jinja").render(
        info=document["info"],
        server=document["servers"][0]["url"],
        operations=[
            _operation(document, each, samples)
            for each in zip(operations(document), sample_requests(document), strict=True)
        ],
        security=document["components"]["securitySchemes"]["bearer"],
        errors=list(errors_of(found)),
        pictures=[each for each in found if not each.error],
        classes={name: _class(name) for name in sorted({each.error for each in found if each.error})},
        provenance=provenance,
        style=Markup((HERE / "page.css").read_text("utf-8")),  # noqa: S704 -- the highlighter escapes -- ours
        script=Markup((HERE / "page.js").read_text("utf-8")),  # noqa: S704 -- the highlighter escapes -- ours
    )


def _prose(text: str) -> Markup:
    """What stands between back quotes as code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def _class(name: str) -> dict[str, str]:
    kind: Any = getattr(flux_images, name)
    first = (inspect.getdoc(kind) or "").split("\n\n")[0]
    return {"meaning": first.replace("``", ""), "cure": ADVICE.get(kind) or CURES[name]}


def _operation(document: Json, pair: Any, samples: Path) -> Json:
    (path, method, declared), request = pair
    content = follow(document, declared.get("requestBody") or {}).get("content", {})
    answers: list[Json] = []
    for status, response in declared["responses"].items():
        response = follow(document, response)
        media = response.get("content", {}).get("application/json", {})
        answers.append(
            {
                "status": status,
                "description": response["description"],
                "fields": list(fields(document, media.get("schema", {}))),
                "examples": [
                    (name, each["summary"], json.dumps(each["value"], ensure_ascii=False, indent=2))
                    for name, each in media.get("examples", {}).items()
                ],
            }
        )
    return {
        "id": request.operation,
        "path": path,
        "method": method.upper(),
        "declared": declared,
        "body": request.text or "",
        "fields": list(fields(document, content.get("application/json", {}).get("schema", {}))),
        "answers": answers,
        "tabs": [(each.name, each.label, _codes(samples / request.operation, each.name)) for each in LANGUAGES],
    }


def _codes(folder: Path, language: str) -> list[Markup]:
    """The samples of a tab, coloured, the SDK's first."""
    formatter: HtmlFormatter[str] = HtmlFormatter(nowrap=True)
    lexer = get_lexer_by_name(LEXERS.get(language, language))
    files = sorted(
        folder.glob(f"{language}[.-]*"), key=lambda file: ("-" in file.stem.removeprefix(language), file.name)
    )
    return [Markup(highlight(file.read_text("utf-8"), lexer, formatter)) for file in files]  # noqa: S704 -- the highlighter escapes

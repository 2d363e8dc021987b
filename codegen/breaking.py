"""What a change of the contract breaks: `python -m codegen.breaking OLD NEW`, for callers and for servers.

No maintained tool of the kind installs from PyPI or npm without fetching a binary from elsewhere, so the rules stand
here, one for each keyword: a request that was allowed and no longer is breaks callers; an answer that was not allowed
and now is breaks callers too; the same the other way round breaks servers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from codegen.narrowed import alternatives, moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Json = dict[str, Any]

REQUEST, RESPONSE = "request", "response"
CALLERS, SERVERS = "breaking for callers", "breaking for servers"
COMPATIBLE = "compatible"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PROSE = {"description", "summary", "title", "example", "examples", "x-provenance", "externalDocs", "deprecated"}


_WRITTEN = ("style", "explode", "allowReserved", "content")
"""What says how a parameter is written."""


class Change(NamedTuple):
    """One difference: where it stands in the new contract (or stood in the old), what it is, whom it breaks."""

    pointer: str
    what: str
    breaks: frozenset[str]

    def __str__(self) -> str:
        return f"{', '.join(sorted(self.breaks)) or COMPATIBLE}: {self.pointer}: {self.what}"


def main(argv: Sequence[str] | None = None) -> int:
    """Compare two contracts. Exit codes: 0 nothing breaks or the changelog says so, 1 it does not, 2 unreadable."""
    parser = argparse.ArgumentParser(prog="python -m codegen.breaking", description=__doc__)
    parser.add_argument("old", type=Path, help="the contract before")
    parser.add_argument("new", type=Path, help="the contract after")
    parser.add_argument(
        "--changelog", type=Path, help="must name each operation or schema that a breaking change is in"
    )
    options = parser.parse_args(argv)
    try:
        old, new = (yaml.safe_load(path.read_text("utf-8")) for path in (options.old, options.new))
        changelog = options.changelog.read_text("utf-8") if options.changelog else ""
    except (OSError, yaml.YAMLError) as error:
        print(f"breaking: {error}", file=sys.stderr)
        return 2
    found = compare(old, new)
    print(*found, f"{len(found)} changes, {sum(bool(change.breaks) for change in found)} breaking", sep="\n")
    unsaid = [change for change in found if change.breaks and not mentioned(change, changelog)]
    for change in unsaid:
        print(
            f"breaking: say **Breaking:** and `{subject(change)}` under [Unreleased] in the changelog", file=sys.stderr
        )
    return 1 if unsaid else 0


def subject(change: Change) -> str:
    """The last name in a change's pointer: a field, a status, a path."""
    return change.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def mentioned(change: Change, changelog: str) -> bool:
    """Whether the unreleased part of a changelog has a line that says `Breaking` and names the change's subject."""
    unreleased = changelog.partition("## [Unreleased]")[2].partition("\n## ")[0]
    entries = unreleased.replace("\n  ", " ").splitlines()
    return any("Breaking" in entry and f"`{subject(change)}`" in entry for entry in entries)


def compare(old: Json, new: Json) -> list[Change]:
    """Every difference between two contracts, but for prose."""
    return list(dict.fromkeys(_Comparison(old, new).run()))


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new

    def run(self) -> Iterator[Change]:
        before, after = _operations(self._old), _operations(self._new)
        for pointer in before.keys() - after.keys():
            yield Change(pointer, "the operation is gone", frozenset({CALLERS}))
        for pointer in after.keys() - before.keys():
            yield Change(pointer, "a new operation", frozenset({SERVERS}))
        for pointer in sorted(before.keys() & after.keys()):
            yield from self._operation(pointer, before[pointer], after[pointer])
        refusals = [document.get("x-mock-errors", {}) for document in (self._old, self._new)]
        for kind in sorted(refusals[0].keys() | refusals[1].keys()):
            if refusals[0].get(kind) != refusals[1].get(kind):
                yield Change(f"/x-mock-errors/{kind}", "another refusal", frozenset({CALLERS}))
        urls = [[server["url"] for server in document.get("servers") or ()] for document in (self._old, self._new)]
        if urls[0] != urls[1]:
            yield Change("/servers", f"{urls[0]} became {urls[1]}", frozenset({CALLERS}))

    def _operation(self, pointer: str, old: Json, new: Json) -> Iterator[Change]:
        for name in ("operationId", "tags"):
            if old.get(name) != new.get(name):
                what = f"{old.get(name)} became {new.get(name)}: generated code has other names"
                yield Change(f"{pointer}/{name}", what, frozenset({CALLERS}))
        if self._security(self._old, old) != self._security(self._new, new):
            yield Change(f"{pointer}/security", "other credentials are asked for", frozenset({CALLERS, SERVERS}))
        if old.get("x-billed") != new.get("x-billed"):
            yield Change(f"{pointer}/x-billed", f"now {new.get('x-billed', False)}", frozenset({CALLERS}))
        yield from self._parameters(pointer, old, new)
        yield from self._body(f"{pointer}/requestBody", old.get("requestBody"), new.get("requestBody"))
        yield from self._responses(f"{pointer}/responses", old["responses"], new["responses"])

    def _security(self, document: Json, operation: Json) -> list[Any]:
        schemes = document.get("components", {}).get("securitySchemes", {})
        keys = ("type", "scheme", "in", "name")
        alternatives: Any = operation.get("security", document.get("security", []))
        return [sorted(str([schemes.get(name, {}).get(key) for key in keys]) for name in each) for each in alternatives]

    def _parameters(self, pointer: str, old: Json, new: Json) -> Iterator[Change]:
        before, after = (
            {
                (each["in"], each["name"]): each
                for each in (
                    _follow(document, item) for item in (*_shared(document, pointer), *owner.get("parameters", ()))
                )
            }
            for document, owner in ((self._old, old), (self._new, new))
        )
        for place, name in sorted(before.keys() | after.keys()):
            at = f"{pointer}/parameters/{name}"
            was, now = before.get((place, name)), after.get((place, name))
            if was is None or now is None:
                needed = (now or {}).get("required", False)
                yield Change(
                    at,
                    f"{place} parameter {'removed' if was else 'added'}",
                    _breaks(REQUEST, fewer=needed or bool(was), more=not needed),
                )
                continue
            if was.get("required", False) != now.get("required", False):
                yield Change(
                    at,
                    "required or not",
                    _breaks(REQUEST, fewer=bool(now.get("required")), more=not now.get("required")),
                )
            if any(was.get(key) != now.get(key) for key in _WRITTEN):
                yield Change(at, "written in another way", frozenset({CALLERS, SERVERS}))
            yield from self._schemas(at, was.get("schema", {}), now.get("schema", {}), REQUEST)

    def _body(self, pointer: str, old: Json | None, new: Json | None) -> Iterator[Change]:
        if old is None or new is None:
            if old is not new:
                yield Change(pointer, "added" if old is None else "removed", frozenset({CALLERS, SERVERS}))
            return
        was, now = _follow(self._old, old), _follow(self._new, new)
        if was.get("required", False) != now.get("required", False):
            yield Change(
                f"{pointer}/required",
                "required or not",
                _breaks(REQUEST, fewer=bool(now.get("required")), more=not now.get("required")),
            )
        yield from self._content(pointer, was, now, REQUEST)

    def _responses(self, pointer: str, old: Json, new: Json) -> Iterator[Change]:
        for status in sorted(old.keys() | new.keys()):
            at = f"{pointer}/{status}"
            if status not in new:
                yield Change(at, "the status is gone", frozenset({SERVERS}))
            elif status not in old:
                yield Change(at, "a new status", frozenset() if "default" in old else frozenset({CALLERS}))
            else:
                was, now = _follow(self._old, old[status]), _follow(self._new, new[status])
                yield from self._headers(f"{at}/headers", was.get("headers", {}), now.get("headers", {}))
                yield from self._content(at, was, now, RESPONSE)

    def _headers(self, pointer: str, old: Json, new: Json) -> Iterator[Change]:
        for name in sorted(old.keys() | new.keys()):
            at = f"{pointer}/{name}"
            if name not in new:
                yield Change(at, "the header is gone", frozenset({CALLERS}))
            elif name not in old:
                yield Change(at, "a new header", frozenset())
            else:
                at = new[name].get("$ref", f"#{at}").removeprefix("#")
                was, now = _follow(self._old, old[name]), _follow(self._new, new[name])
                if was.get("required", False) != now.get("required", False):
                    needed = bool(now.get("required"))
                    yield Change(f"{at}/required", f"now {needed}", _breaks(RESPONSE, fewer=needed, more=not needed))
                yield from self._schemas(f"{at}/schema", was.get("schema", {}), now.get("schema", {}), RESPONSE)

    def _content(self, pointer: str, old: Json, new: Json, direction: str) -> Iterator[Change]:
        was, now = old.get("content", {}), new.get("content", {})
        for media_type in sorted(was.keys() ^ now.keys()):
            gone = media_type in was
            yield Change(
                f"{pointer}/content/{_escape(media_type)}",
                "gone" if gone else "new",
                _breaks(direction, fewer=gone, more=not gone),
            )
        for media_type in was.keys() & now.keys():
            at = f"{pointer}/content/{_escape(media_type)}/schema"
            yield from self._schemas(
                at, was[media_type].get("schema", {}), now[media_type].get("schema", {}), direction
            )

    def _schemas(
        self, pointer: str, old: Json, new: Json, direction: str, seen: frozenset[str] = frozenset()
    ) -> Iterator[Change]:
        reference = f"{old.get('$ref')} {new.get('$ref')}"
        if "$ref" in new and reference in seen:
            return
        pointer = new["$ref"].removeprefix("#") if "$ref" in new else pointer
        was, now, seen = _follow(self._old, old), _follow(self._new, new), seen | {reference}
        for keyword in sorted(
            (was.keys() | now.keys()) - _PROSE - {"properties", "items", "anyOf", "allOf", "oneOf", "required"}
        ):
            if was.get(keyword) != now.get(keyword):
                fewer, more = moved(keyword, was.get(keyword), now.get(keyword))
                what = f"{was.get(keyword, 'nothing')} became {now.get(keyword, 'nothing')}"
                yield Change(f"{pointer}/{keyword}", what, _breaks(direction, fewer=fewer, more=more))
        for name in sorted(set(was.get("required", ())) ^ set(now.get("required", ()))):
            added = name in now.get("required", ())
            yield Change(
                f"{pointer}/required/{name}",
                "now required" if added else "no longer required",
                _breaks(direction, fewer=added, more=not added),
            )
        for name in sorted(was.get("properties", {}).keys() | now.get("properties", {}).keys()):
            at = f"{pointer}/properties/{_escape(name)}"
            if name not in now.get("properties", {}):
                yield Change(at, "the property is gone", frozenset({CALLERS}))
            elif name not in was.get("properties", {}):
                yield Change(at, "a new property", frozenset())
            else:
                yield from self._schemas(at, was["properties"][name], now["properties"][name], direction, seen)
        if "items" in was or "items" in now:
            yield from self._schemas(f"{pointer}/items", was.get("items", {}), now.get("items", {}), direction, seen)
        for keyword in ("anyOf", "allOf", "oneOf"):
            gone, added, pairs = alternatives(was.get(keyword, ()), now.get(keyword, ()))
            if gone or added:
                fewer, more = (added, gone) if keyword == "allOf" else (gone, added)
                yield Change(f"{pointer}/{keyword}", "other alternatives", _breaks(direction, fewer=fewer, more=more))
            for index, one, other in pairs:
                yield from self._schemas(f"{pointer}/{keyword}/{index}", one, other, direction, seen)


def _operations(document: Json) -> dict[str, Json]:
    paths: dict[str, Json] = document.get("paths") or {}
    return {
        f"/paths/{_escape(path)}/{method}": item[method]
        for path, item in paths.items()
        for method in METHODS
        if method in item
    }


def _shared(document: Json, pointer: str) -> list[Json]:
    """The parameters that stand beside an operation, for all of its path."""
    path = pointer.split("/")[2].replace("~1", "/").replace("~0", "~")
    shared: list[Json] = document["paths"][path].get("parameters", [])
    return shared


def _follow(document: Json, node: Json) -> Json:
    while "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _breaks(direction: str, *, fewer: bool, more: bool) -> frozenset[str]:
    """Whom it breaks that fewer values, or more values, travel in a direction: who sends, or who must understand."""
    narrowed, widened = (CALLERS, SERVERS) if direction == REQUEST else (SERVERS, CALLERS)
    return frozenset(who for who, moved in ((narrowed, fewer), (widened, more)) if moved)


if __name__ == "__main__":
    sys.exit(main())

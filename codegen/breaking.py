"""What a change of the contract breaks: `python -m codegen.breaking OLD NEW`, for callers and for servers.

A request that was allowed and no longer is breaks callers; an answer that was not allowed and now is breaks callers
too; the same the other way round breaks servers. The rules stand here, one for each keyword: of the 328 single-point
changes that the tests put to them api-schema-diff 1.0.4 sees 69, and other tools fetch a binary from elsewhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from codegen.document import PROSE, DanglingReferenceError, Json, follow, is_list, operations

REQUEST, RESPONSE = "request", "response"
CALLERS, SERVERS = "breaking for callers", "breaking for servers"
_NESTED = {"properties", "items", "anyOf", "allOf", "oneOf", "required"}
_LEAST = ("minimum", "minLength", "minItems", "minProperties", "exclusiveMinimum")
_MOST = ("maximum", "maxLength", "maxItems", "maxProperties", "exclusiveMaximum")
_WRITTEN = ("style", "explode", "allowReserved", "content")
"""What says how a parameter is written."""


class Change(NamedTuple):
    """One difference: where it stands in the new contract (or stood in the old), what it is, whom it breaks."""

    pointer: str
    what: str
    breaks: frozenset[str]

    def __str__(self) -> str:
        return f"{', '.join(sorted(self.breaks)) or 'compatible'}: {self.pointer}: {self.what}"


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
    try:
        found = compare(old, new)
    except DanglingReferenceError as error:
        print(f"breaking: {error}", file=sys.stderr)
        return 2
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
        before, after = (
            {f"{_escape(path)}/{method}": declared for path, method, declared in operations(document)}
            for document in (self._old, self._new)
        )
        for pointer, was, now in (
            yield from _members("/paths", before, after, "operation", gone=CALLERS, added=SERVERS)
        ):
            yield from self._operation(pointer, was, now)
        yield from _differing("/x-mock-errors", self._old.get("x-mock-errors", {}), self._new.get("x-mock-errors", {}))
        urls = [[server["url"] for server in document.get("servers") or ()] for document in (self._old, self._new)]
        yield from _differing("", {"servers": urls[0]}, {"servers": urls[1]})

    def _operation(self, pointer: str, old: Json, new: Json) -> Iterator[Change]:
        promised = ("operationId", "tags", "x-billed")
        yield from _differing(pointer, *({name: each.get(name) for name in promised} for each in (old, new)))
        if self._security(self._old, old) != self._security(self._new, new):
            yield Change(f"{pointer}/security", "other credentials are asked for", frozenset({CALLERS, SERVERS}))
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
            {(each["in"], each["name"]): each for each in (follow(document, node) for node in operation["parameters"])}
            for document, operation in ((self._old, old), (self._new, new))
        )
        for place, name in sorted(before.keys() | after.keys()):
            at = f"{pointer}/parameters/{name}"
            was, now = before.get((place, name)), after.get((place, name))
            if was is None or now is None:
                needed = bool((now or {}).get("required"))
                breaks = _breaks(REQUEST, fewer=needed or bool(was), more=not needed)
                yield Change(at, f"{place} parameter {'removed' if was else 'added'}", breaks)
                continue
            yield from _requirement(at, was, now, REQUEST)
            if any(was.get(key) != now.get(key) for key in _WRITTEN):
                yield Change(at, "written in another way", frozenset({CALLERS, SERVERS}))
            yield from self._schemas(at, was.get("schema", {}), now.get("schema", {}), REQUEST)

    def _body(self, pointer: str, old: Json | None, new: Json | None) -> Iterator[Change]:
        if old is None or new is None:
            if old is not new:
                yield Change(pointer, "added" if old is None else "removed", frozenset({CALLERS, SERVERS}))
            return
        was, now = self._follow(old, new)
        yield from _requirement(f"{pointer}/required", was, now, REQUEST)
        yield from self._content(pointer, was, now, REQUEST)

    def _responses(self, pointer: str, old: Json, new: Json) -> Iterator[Change]:
        added = None if "default" in old else CALLERS
        for at, *response in (yield from _members(pointer, old, new, "status", gone=SERVERS, added=added)):
            was, now = self._follow(*response)
            headers = _named(was, "headers"), _named(now, "headers")
            for name, *header in (yield from _members(f"{at}/headers", *headers, "header", gone=CALLERS)):
                place = header[1].get("$ref", f"#{name}").removeprefix("#")
                before, after = self._follow(*header)
                yield from _requirement(f"{place}/required", before, after, RESPONSE)
                yield from self._schemas(f"{place}/schema", before.get("schema", {}), after.get("schema", {}), RESPONSE)
            yield from self._content(at, was, now, RESPONSE)

    def _content(self, pointer: str, old: Json, new: Json, direction: str) -> Iterator[Change]:
        gone, added = (CALLERS, SERVERS) if direction == REQUEST else (SERVERS, CALLERS)
        media = _named(old, "content"), _named(new, "content")
        for at, was, now in (yield from _members(f"{pointer}/content", *media, "media type", gone=gone, added=added)):
            yield from self._schemas(f"{at}/schema", was.get("schema", {}), now.get("schema", {}), direction)

    def _schemas(
        self, pointer: str, old: Json, new: Json, direction: str, seen: frozenset[str] = frozenset()
    ) -> Iterator[Change]:
        reference = f"{old.get('$ref')} {new.get('$ref')}"
        if "$ref" in new and reference in seen:
            return
        pointer = new["$ref"].removeprefix("#") if "$ref" in new else pointer
        (was, now), seen = self._follow(old, new), seen | {reference}
        for keyword in sorted((was.keys() | now.keys()) - PROSE - _NESTED - {"description"}):
            if was.get(keyword) != now.get(keyword):
                fewer, more = _moved(keyword, was.get(keyword), now.get(keyword))
                what = f"{was.get(keyword, 'nothing')} became {now.get(keyword, 'nothing')}"
                yield Change(f"{pointer}/{keyword}", what, _breaks(direction, fewer=fewer, more=more))
        for name in sorted(set(was.get("required", ())) ^ set(now.get("required", ()))):
            added = name in now.get("required", ())
            what = "now required" if added else "no longer required"
            yield Change(f"{pointer}/required/{name}", what, _breaks(direction, fewer=added, more=not added))
        properties = _named(was, "properties"), _named(now, "properties")
        for at, one, other in (yield from _members(f"{pointer}/properties", *properties, "property", gone=CALLERS)):
            yield from self._schemas(at, one, other, direction, seen)
        if "items" in was or "items" in now:
            yield from self._schemas(f"{pointer}/items", was.get("items", {}), now.get("items", {}), direction, seen)
        for keyword in ("anyOf", "allOf", "oneOf"):
            gone, added, pairs = _alternatives(was.get(keyword, ()), now.get(keyword, ()))
            if gone or added:
                fewer, more = (added, gone) if keyword == "allOf" else (gone, added)
                yield Change(f"{pointer}/{keyword}", "other alternatives", _breaks(direction, fewer=fewer, more=more))
            for index, one, other in pairs:
                yield from self._schemas(f"{pointer}/{keyword}/{index}", one, other, direction, seen)

    def _follow(self, old: Json, new: Json) -> tuple[Json, Json]:
        return follow(self._old, old), follow(self._new, new)


def _members(
    pointer: str, old: Json, new: Json, what: str, *, gone: str, added: str | None = None
) -> Generator[Change, None, list[tuple[str, Json, Json]]]:
    """The members that only one side has, as changes that break `gone` or `added`; returns those that both have."""
    for name in sorted(old.keys() ^ new.keys()):
        said, breaks = (f"the {what} is gone", gone) if name in old else (f"a new {what}", added)
        yield Change(f"{pointer}/{name}", said, frozenset({breaks} if breaks else ()))
    return [(f"{pointer}/{name}", old[name], new[name]) for name in sorted(old.keys() & new.keys())]


def _named(node: Json, key: str) -> Json:
    """What stands under a key of a node, by names as a pointer has them."""
    return {_escape(name): value for name, value in node.get(key, {}).items()}


def _differing(pointer: str, old: Json, new: Json) -> Iterator[Change]:
    """The members that differ, where any difference breaks callers."""
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            what = f"{old.get(name, 'nothing')} became {new.get(name, 'nothing')}"
            yield Change(f"{pointer}/{name}", what, frozenset({CALLERS}))


def _requirement(pointer: str, old: Json, new: Json, direction: str) -> Iterator[Change]:
    needed = bool(new.get("required"))
    if bool(old.get("required")) != needed:
        what = "now required" if needed else "no longer required"
        yield Change(pointer, what, _breaks(direction, fewer=needed, more=not needed))


def _breaks(direction: str, *, fewer: bool, more: bool) -> frozenset[str]:
    """Whom it breaks that fewer values, or more values, travel in a direction: who sends, or who must understand."""
    narrowed, widened = (CALLERS, SERVERS) if direction == REQUEST else (SERVERS, CALLERS)
    return frozenset(who for who, moved in ((narrowed, fewer), (widened, more)) if moved)


def _moved(keyword: str, old: Any, new: Any) -> tuple[bool, bool]:
    """Whether a changed keyword allows fewer values than before, and whether it allows more."""
    if old is None or new is None:
        loose = (True,) if keyword == "additionalProperties" else ()
        return (new is not None and new not in loose, old is not None and old not in loose)
    if keyword in _LEAST:
        return new > old, new < old
    if keyword in _MOST:
        return new < old, new > old
    if keyword in ("enum", "type"):
        before, after = _kinds(old), _kinds(new)
        return bool(before - after), bool(after - before)
    if keyword == "x-ratio-range":
        (low, high), (lowest, highest) = _range(old), _range(new)
        return lowest > low or highest < high, lowest < low or highest > high
    if keyword == "additionalProperties" and isinstance(old, bool) and isinstance(new, bool):
        return old and not new, new and not old
    return True, True


def _alternatives(old: Sequence[Json], new: Sequence[Json]) -> tuple[bool, bool, list[tuple[int, Json, Json]]]:
    """Whether alternatives are gone, whether there are new ones, and pairs of those that may have changed.

    Their order says nothing: those that are alike are passed over, the rest are paired as they stand.
    """
    before = [branch for branch in old if branch not in new]
    after = [(index, branch) for index, branch in enumerate(new) if branch not in old or "$ref" in branch]
    shared = [(index, branch, branch) for index, branch in after if branch in old]
    fresh = [(index, branch) for index, branch in after if branch not in old]
    pairs = [(index, one, other) for one, (index, other) in zip(before, fresh, strict=False)]
    return len(before) > len(fresh), len(fresh) > len(before), [*shared, *pairs]


def _kinds(value: Any) -> set[str]:
    found = {str(member) for member in (value if is_list(value) else [value])}
    return found | {"integer"} if "number" in found else found


def _range(bounds: list[str]) -> list[Fraction]:
    return sorted(Fraction(*map(int, bound.split(":"))) for bound in bounds)


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


if __name__ == "__main__":
    sys.exit(main())

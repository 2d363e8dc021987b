"""Find the operation that a request's path and method name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, TypeVar
from urllib.parse import unquote

from flux_images_mock._request.parameters import RawPairs

T = TypeVar("T")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class Routes(Generic[T]):
    """What stands under each path and method; a concrete path wins over a templated one."""

    def __init__(self, entries: Iterable[tuple[str, str, T]]) -> None:
        self._fixed: dict[str, dict[str, T]] = {}
        templated: dict[str, tuple[_Template, dict[str, T]]] = {}
        for path, method, entry in entries:
            if "{" in path:
                methods = templated.setdefault(path, (_Template(path), {}))[1]
            else:
                methods = self._fixed.setdefault(path, {})
            methods[method] = entry
        self._templated = sorted(templated.values(), key=lambda entry: entry[0].rank)

    def find(self, path: str) -> tuple[dict[str, T], RawPairs]:
        """Return the methods of a path as it was sent, none if it is unknown, and its parameters still encoded."""
        methods = self._fixed.get(path)
        if methods is not None:
            return methods, []
        segments = path.split("/")
        for template, methods in self._templated:
            values = template.match(segments)
            if values is not None:
                return methods, values
        if "%" in path:
            plain = "/".join(segment if "%2f" in segment.lower() else unquote(segment) for segment in segments)
            return self._fixed.get(plain, {}), []
        return {}, []


class _Template:
    """A path with placeholders, matched segment by segment."""

    def __init__(self, path: str) -> None:
        self._names = _PLACEHOLDER.findall(path)
        self._segments = [_segment(part) for part in path.split("/")]
        self.rank = tuple(not isinstance(segment, str) for segment in self._segments)

    def match(self, segments: list[str]) -> RawPairs | None:
        if len(segments) != len(self._segments):
            return None
        values: list[str] = []
        for segment, expected in zip(segments, self._segments, strict=True):
            if isinstance(expected, str):
                if segment != expected and unquote(segment) != expected:
                    return None
                continue
            found = _found(segment, expected)
            if found is None:
                return None
            values += found
        return list(zip(self._names, values, strict=True))


def _segment(part: str) -> str | list[str]:
    """Return a fixed segment as it is, of another the texts around its placeholders."""
    return part if "{" not in part else _PLACEHOLDER.split(part)[::2]


def _found(segment: str, around: list[str]) -> list[str] | None:
    """Return what stands for the placeholders, each as short as can be; nothing is looked at twice."""
    first, *between, last = around
    end = len(segment) - len(last)
    if not segment.startswith(first) or not segment.endswith(last):
        return None
    values: list[str] = []
    at = len(first)
    for text in between:
        found = segment.find(text, at + 1, end) if text else at + 1
        if found < 0 or found > end:
            return None
        values.append(segment[at:found])
        at = found + len(text)
    return [*values, segment[at:end]] if at < end else None

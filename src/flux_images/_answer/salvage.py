"""Every picture that a decoded answer holds, whatever surrounds it, and where the answer differs from the contract."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any, cast

from flux_images._answer.shapes import ADDRESS, CONTRACT, INLINE, PLACES
from flux_images._answer.split import decoded
from flux_images._errors import Deviation
from flux_images._picture.check import PictureError, check_picture, is_known
from flux_images._picture.generation import Part
from flux_images._text import is_list, is_object, one_line
from flux_images_api.api.images import create_image
from flux_images_api.errors import InvalidBody
from flux_images_api.models import ImagesResponse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flux_images._answer.split import Base64
    from flux_images._picture.store import Kept

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(?!png|jpe?g|webp|gif|avif)[a-z]{2,}(:\d+)?/", re.IGNORECASE)
"""How an address begins that lacks its scheme, as against one that is relative to the gateway."""
_MOST = 100
"""Deviations after which no more of an answer is typed."""


class Salvage:
    """Looks for pictures in one answer.

    Args:
        document: the decoded answer. Pictures that stand in it as text give way to placeholders.
        taken: the pictures that were taken out of it before, by their placeholders.
        gateway: where addresses without a host lead, with a slash at its end.
    """

    def __init__(self, document: Any, taken: Mapping[str, Base64], gateway: str) -> None:
        self.document = document
        self.deviations: list[Deviation] = []
        self._taken = taken
        self._gateway = gateway

    def parts(self) -> list[Part]:
        """What stands at the first place of the table that holds any picture."""
        for place in PLACES:
            parts = [part for where, value in _at(self.document, place.path) for part in self._parts(value, where)]
            if parts:
                if place is not CONTRACT:
                    self._differs("", "pictures at /data", f"pictures at /{'/'.join(place.path)}")
                return parts
        return []

    def typed(self) -> ImagesResponse:
        """The answer as the contract's type; what is not of its type is told, and left out."""
        document = self.document
        for _ in range(_MOST):
            try:
                return cast("ImagesResponse", create_image.parse_json(200, document))
            except InvalidBody as error:
                problem = error.problem
                self._differs(problem.where, problem.expected, problem.got)
                if not problem.where:
                    break
                document = copy.deepcopy(document) if document is self.document else document
                _unset(document, problem.where.split("/")[1:])
        return ImagesResponse()

    def _parts(self, value: Any, where: str) -> Iterator[Part]:
        """The pictures of an entry, or of a list of them."""
        if is_list(value):
            for index, entry in enumerate(value):
                yield from self._parts(entry, f"{where}/{index}")
        elif isinstance(value, str):
            if source := self._source(value, where):
                yield Part(None, source, None) if not isinstance(source, str) else Part(source, None, None)
        elif is_object(value):
            yield from self._of_entry(value, where)

    def _of_entry(self, entry: dict[str, Any], where: str) -> Iterator[Part]:
        files: list[Kept] = []
        addresses: list[str] = []
        for name in (*INLINE, *ADDRESS):
            value = entry.get(name)
            if is_object(value):
                yield from self._parts(value, f"{where}/{name}")
                continue
            for text in value if is_list(value) else [value]:
                if not isinstance(text, str) or not text:
                    continue
                source = self._source(text, f"{where}/{name}", name)
                if source and name not in (INLINE[0], ADDRESS[0]):
                    self._differs(f"{where}/{name}", f"{ADDRESS[0]} or {INLINE[0]}", name)
                if isinstance(source, str):
                    addresses.append(source)
                elif source:
                    files.append(source)
                    if text is value:
                        entry[name] = f"<{source.size} bytes>"
        prompt = entry.get("revised_prompt")
        prompt = prompt if isinstance(prompt, str) and prompt else None
        if files and addresses and not is_known(files[0].start()):
            self._differs(where, "a picture", "something else, beside an address")
            files = []
        for index in range(max(len(files), 1 if files else len(addresses))):
            url = addresses[index] if index < len(addresses) else None
            yield Part(url, files[index] if index < len(files) else None, prompt)

    def _source(self, text: str, where: str, name: str = "") -> Kept | str | None:
        """The picture, or the address, that a text is; a bare one, without a field's name, may be anything else."""
        bare = text.strip()
        if bare in self._taken:
            if name not in INLINE:
                self._differs(where, "an address", "the picture itself")
            return self._usable(self._taken[bare], where)
        if bare[:5].lower() == "data:":
            if name not in INLINE:
                self._differs(where, "an address", "the picture itself")
            return self._usable(decoded(bare), where)
        if _SCHEME.match(bare):
            address = bare
        elif bare.startswith("//"):
            address = "https:" + bare
        elif name in INLINE:
            return self._usable(decoded(bare), where)
        elif not (found := decoded(bare)).problem and is_known(found.kept.start()):
            self._differs(where, "an address", "the picture itself")
            return found.kept
        elif _HOST.match(bare):
            address = "https://" + bare
        elif name:
            address = self._gateway + bare.lstrip("/")
        else:
            return None
        if "\N{REPLACEMENT CHARACTER}" in address:
            self._differs(where, "an address", "bytes that are not UTF-8")
            return None
        if address != text:
            self._differs(where, "an address with its scheme and host", text)
        return address

    def _usable(self, found: Base64, where: str) -> Kept | None:
        problem = found.problem
        if not problem and found.cut:
            try:
                with found.kept.open() as file:
                    whole = check_picture(file)
                problem = None if whole.check == "whole" else "a picture whose end is missing"
            except PictureError as error:
                problem = str(error)
        if problem:
            self._differs(where, "a picture in base64", problem)
            return None
        return found.kept if found.kept.size else None

    def _differs(self, where: str, expected: str, got: str) -> None:
        self.deviations.append(Deviation(one_line(where, 100), expected, one_line(got, 100)))


def _at(value: Any, path: tuple[str, ...], where: str = "") -> Iterator[tuple[str, Any]]:
    """The values at a path, each with its JSON pointer; lists, and JSON inside a string, are gone through."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return
    if not path:
        yield where, value
    elif is_list(value):
        for index, entry in enumerate(value):
            yield from _at(entry, path, f"{where}/{index}")
    elif is_object(value) and path[0] in value:
        yield from _at(value[path[0]], path[1:], f"{where}/{path[0]}")


def _unset(document: Any, path: list[str]) -> None:
    """Take a value out of its object; in a list an empty object stays in its place, or the whole list goes."""
    *way, last = (step.replace("~1", "/").replace("~0", "~") for step in path)
    parent = document
    for step in way:
        parent = parent[int(step)] if is_list(parent) else parent[step]
    if is_object(parent):
        parent.pop(last, None)
    elif parent[int(last)] == {}:
        _unset(document, path[:-1])
    else:
        parent[int(last)] = {}

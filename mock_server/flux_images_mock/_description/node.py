"""Read an OpenAPI description, one file or several, and walk it across its references."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import orjson
import yaml

JsonObject = dict[str, Any]

_EXTENSIBLE = ("paths", "responses")
_POINTER_CHARACTERS = "/~!$&'()*+,;=:@"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class SpecError(ValueError):
    """The description can't be served: what is wrong, and where as file and JSON pointer."""


class _Loader(yaml.CSafeLoader):
    """YAML as JSON reads it: `no` and `2024-01-01` are strings, and a key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(  # pyright: ignore[reportUnknownMemberType]  # untyped in the stubs
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"
)


def is_object(value: Any) -> TypeGuard[JsonObject]:
    """Return whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Return whether a JSON value is an array."""
    return isinstance(value, list)


def default_path() -> Path:
    """Return the contract that came with this package, or the repository's own in an editable install."""
    packaged = Path(__file__).parents[1] / "openapi.yaml"
    return packaged if packaged.exists() else Path(__file__).parents[3] / "openapi.yaml"


def read_tree(path: Path) -> Any:
    """Return the content of a YAML or JSON file as plain JSON values; raises `SpecError` in one line."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SpecError(f"cannot read {path}: {error.strerror}") from error
    try:
        if path.suffix == ".json":
            return orjson.loads(text)
        loaded = yaml.load(text, _Loader)  # noqa: S506 -- a subclass of the safe loader
        # Through JSON and back: no shared or cyclic parts, no dates, status codes as strings.
        return orjson.loads(orjson.dumps(loaded, option=orjson.OPT_NON_STR_KEYS))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).replace(' in "<byte string>",', " in").split())
        raise SpecError(f"cannot parse {path}: {reason}") from error


def escape(token: str) -> str:
    """Return `token` as one step of a JSON pointer."""
    return token.replace("~", "~0").replace("/", "~1")


def look_up(tree: Any, pointer: str) -> Any:
    """Return what stands in `tree` at a JSON pointer; raises `LookupError`."""
    value: Any = tree
    for step in pointer.split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if is_array(value):
            if not key.isdecimal():
                raise KeyError(key)
            value = value[int(key)]
        elif is_object(value):
            value = value[key]
        else:
            raise KeyError(key)
    return value


class Files(dict[str, Any]):
    """The files of one description as plain JSON values, by `file:` URI; read when a reference first leads there."""

    def __missing__(self, uri: str) -> Any:
        parts = urlsplit(uri)
        if parts.scheme != "file":
            raise SpecError(f"{uri} is no local file; the mock fetches nothing: keep the description's files together")
        tree = self[uri] = read_tree(Path(url2pathname(parts.path)))
        return tree


@dataclass(frozen=True, slots=True)
class Node:
    """One place in a description: its value, and where it stands."""

    files: Files
    uri: str
    pointer: str
    value: Any

    @property
    def location(self) -> str:
        """Where this stands, for people: file name and JSON pointer."""
        return f"{self.uri.rpartition('/')[2]}#{self.pointer}"

    def error(self, message: str) -> SpecError:
        """Return an error that names this place."""
        return SpecError(f"{self.location}: {message}")

    def child(self, key: str | int) -> Node:
        """Return what stands under `key`, a reference unfollowed."""
        return Node(self.files, self.uri, f"{self.pointer}/{escape(str(key))}", self.value[key])

    def follow(self) -> Node:
        """Return what this place refers to, or itself if it refers to nothing."""
        node, seen = self, {(self.uri, self.pointer)}
        while (target := node.target()) is not None:
            if (target.uri, target.pointer) in seen:
                raise self.error("the reference leads back to itself")
            seen.add((target.uri, target.pointer))
            node = target
        return node

    def target(self) -> Node | None:
        """Return what this place's `$ref` points at; nothing if it has none, or one by `$anchor`."""
        reference = self.value.get("$ref") if is_object(self.value) else None
        if not isinstance(reference, str):
            return None
        uri, pointer = urldefrag(urljoin(self.uri, reference))
        if pointer and not pointer.startswith("/"):
            return None
        try:
            return Node(self.files, uri, pointer, look_up(self.files[uri], pointer))
        except LookupError as error:
            raise self.error(f"the reference {reference} leads nowhere") from error

    @property
    def reference(self) -> str:
        """A reference to this place, as a URI."""
        return f"{self.uri}#{quote(self.pointer, safe=_POINTER_CHARACTERS)}"

    def get(self, key: str) -> Node | None:
        """Return what stands under `key`, references followed; nothing if there is no such key."""
        return self.child(key).follow() if key in self.mapping() else None

    def text(self, key: str, default: str = "") -> str:
        """Return the string under `key`."""
        value = self.mapping().get(key, default)
        if not isinstance(value, str):
            raise self.child(key).error(f"expected a string, got {value!r}")
        return value

    def mapping(self) -> JsonObject:
        """Return the value, which must be an object."""
        if not is_object(self.value):
            raise self.error(f"expected an object, got {type(self.value).__name__}")
        return self.value

    def items(self, key: str | None = None) -> Iterator[tuple[str, Node]]:
        """Yield each member (of the object under `key`, if given), references followed."""
        node = self if key is None else self.get(key)
        if node is not None:
            names = (name for name in node.mapping() if not (key in _EXTENSIBLE and name.startswith("x-")))
            yield from ((name, node.child(name).follow()) for name in names)

    def elements(self, key: str) -> Iterator[Node]:
        """Yield each element of the array under `key`, references followed."""
        node = self.get(key)
        if node is None:
            return
        if not is_array(node.value):
            raise node.error(f"expected an array, got {type(node.value).__name__}")
        yield from (node.child(index).follow() for index in range(len(node.value)))


def load(path: str | Path | None = None) -> Node:
    """Return the root of the description at `path`, or of the project's own contract.

    Raises `SpecError` where the file can't be read or isn't OpenAPI 3.0 or 3.1.
    """
    file = Path(path) if path is not None else default_path()
    files = Files()
    uri = file.absolute().as_uri()
    root = Node(files, uri, "", files[uri])
    version = root.text("openapi") if isinstance(root.value, dict) else ""
    if not version.startswith(("3.0.", "3.1.")):
        got = f"version {version}" if version else "something else"
        raise SpecError(f"{file}: expected an OpenAPI 3.0 or 3.1 description, got {got}")
    return root

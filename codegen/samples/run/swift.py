"""A Swift sample cannot run here: its syntax tree has no error, and its string literals are what it has to send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import tree_sitter_swift
from tree_sitter import Language, Node, Parser

from codegen.samples.request import SampleRequest

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,8})\}|(.))", re.DOTALL)


def differences(code: str, request: SampleRequest) -> list[str]:
    """Say what is wrong with a sample."""
    language = Language(tree_sitter_swift.language())  # pyright: ignore[reportDeprecated] -- a capsule, though typed int
    tree = Parser(language).parse(code.encode())
    if tree.root_node.has_error:
        return ["is not Swift"]
    literals = [_value(node) for node in _literals(tree.root_node)]
    wanted = [
        request.server + request.path,
        request.method,
        *(item for pair in request.headers.items() for item in pair),
    ]
    wrong = [f"has no literal {each!r}" for each in wanted if each not in literals]
    bodies = [json.loads(each) for each in literals if each and each.startswith("{")]
    if bodies != ([] if request.body is None else [request.body]):
        wrong.append(f"sends {bodies!r}")
    return wrong


def _literals(node: Node) -> Iterator[Node]:
    if node.type == "line_string_literal":
        yield node
    for child in node.children:
        yield from _literals(child)


def _value(node: Node) -> str | None:
    """What a literal stands for; nothing where it reads a variable or breaks a line."""
    text = (node.text or b"").decode()[1:-1]
    if any(child.type.startswith("interpol") for child in node.children) or "\n" in text:
        return None
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPES[match[2]], text)

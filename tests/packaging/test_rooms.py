"""The rooms of each package: no circle between its files, no folder that holds too much."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ["mock_server/flux_images_mock"]
MOST_MODULES = 15


def modules(package: Path) -> dict[str, Path]:
    """Return the files of a package by the names under which they are imported."""
    found: dict[str, Path] = {}
    for file in sorted(package.rglob("*.py")):
        name = ".".join(file.relative_to(package.parent).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = file
    return found


def imported(file: Path, name: str) -> Iterator[str]:
    """Yield the dotted names that a file imports, wherever in it, for type checkers only or not."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def graph(package: Path) -> dict[str, set[str]]:
    """Return for each file of a package those of its files that it imports."""
    files = modules(package)
    edges: dict[str, set[str]] = {}
    for name, file in files.items():
        # `from a.b import c` imports the module a.b.c if there is one, else c from a.b.
        targets = ((target, target.rpartition(".")[0]) for target in imported(file, name))
        edges[name] = {next((each for each in pair if each in files), name) for pair in targets} - {name}
    return edges


@pytest.mark.parametrize("package", PACKAGES)
def test_no_files_import_each_other(package: str) -> None:
    """In a circle nobody could say which comes first; imports for types alone count."""
    try:
        TopologicalSorter(graph(ROOT / package)).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_holds_too_much(package: str) -> None:
    """A folder can be taken in at a glance."""
    sizes = Counter(file.parent for file in modules(ROOT / package).values() if file.name != "__init__.py")
    assert [(str(folder), size) for folder, size in sizes.items() if size > MOST_MODULES] == []


def test_a_circle_would_be_found(tmp_path: Path) -> None:
    """Of imports in full, relative ones, ones within functions, and ones for type checkers."""
    package = tmp_path / "house"
    (package / "room").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "room" / "__init__.py").write_text("")
    (package / "hall.py").write_text("if TYPE_CHECKING:\n    from .room import bed\n")
    (package / "room" / "bed.py").write_text("def sleep():\n    import house.room.lamp\n")
    (package / "room" / "lamp.py").write_text("from ..hall import light\n")
    with pytest.raises(CycleError) as caught:
        TopologicalSorter(graph(package)).prepare()
    assert set(caught.value.args[1]) == {"house.hall", "house.room.bed", "house.room.lamp"}

"""Draw docs/imports.svg: who imports whom, from the code itself, so that it cannot lie.

    python docs/imports.py

A box is a package of ``playground/``, or a module beside them; those in a row import only from
rows below. A line is one import or more. An import that a type checker alone follows counts too,
one inside a function does not: it is there to keep a start quick.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PICTURE: Final = ROOT / "docs" / "imports.svg"
WIDTH: Final = 1200
ROW: Final = 78
BOX: Final = 30

Graph = dict[str, set[str]]


def module(path: Path) -> str:
    """The dotted name of a file below the root."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name: str, depth: int) -> str:
    """The package or module that ``name`` stands in, so many names deep."""
    return ".".join(name.split(".")[: depth + 1])


def imported(path: Path, known: set[str]) -> set[str]:
    """The modules of ours that a file imports when it is loaded."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            full = {f"{node.module}.{one.name}" for one in node.names}
            found |= {name if name in known else node.module for name in full}
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found & known


def imports(folder: str = "playground") -> Graph:
    """Each module below ``folder``, and which others of the program it imports."""
    files = {module(path): path for path in sorted((ROOT / "playground").rglob("*.py"))}
    inside = {name: path for name, path in files.items() if f"{name}.".startswith(f"{folder}.")}
    return {name: imported(path, set(files)) - {name} for name, path in inside.items()}


def rooms(graph: Graph, depth: int) -> Graph:
    """The same between packages; a facade that gathers them (``__init__``) is left out."""
    found: Graph = defaultdict(set)
    for name, others in graph.items():
        if name.count(".") < depth:
            continue
        here = room(name, depth)
        found[here] |= {
            room(other, depth)
            for other in others
            if other.count(".") >= depth and room(other, depth) != here
        }
    return {name: others & set(found) for name, others in found.items()}


def upward(graph: Graph) -> set[tuple[str, str]]:
    """Imports to leave out, so that no packages import each other: none, if all is well."""
    left = {name: set(others) for name, others in graph.items()}
    found: set[tuple[str, str]] = set()
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as circle:
            importing = pairwise(reversed(circle.args[1]))
            name, other = min(importing, key=lambda pair: (len(left[pair[0]]), pair))
            left[name].discard(other)
            found.add((name, other))
        else:
            return found


def levels(graph: Graph) -> list[list[str]]:
    """The rows from the bottom: each imports from those before it only.

    Raises:
        CycleError: some import each other.
    """
    level: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        level[name] = 1 + max((level[other] for other in graph[name]), default=-1)
    rows: list[list[str]] = [[] for _level in range(1 + max(level.values()))]
    for name in sorted(level):
        rows[level[name]].append(name)
    return rows


def straight(graph: Graph) -> Graph:
    """Without the imports that run upward."""
    wrong = upward(graph)
    return {
        name: {other for other in others if (name, other) not in wrong}
        for name, others in graph.items()
    }


def figures(graph: Graph) -> str:
    """How many packages on how many levels, and how many imports between them."""
    count = sum(map(len, graph.values()))
    rows = len(levels(straight(graph)))
    wrong = len(upward(graph))
    return f"{len(graph)} packages and modules, {rows} levels, {count} imports, {wrong} upward"


def drawn(graph: Graph) -> str:
    """The picture, as SVG that needs nothing else."""
    rows = levels(straight(graph))
    height = ROW * len(rows) + 20
    place: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        for n, name in enumerate(row):
            place[name] = (
                WIDTH * (n + 0.5) / len(row),
                height - ROW * (number + 0.5) - 10 - (n % 2) * 14,
            )
    lines = [
        f'<line x1="{place[name][0]:.0f}" y1="{place[name][1] + BOX / 2:.0f}" '
        f'x2="{place[other][0]:.0f}" y2="{place[other][1] - BOX / 2:.0f}"/>'
        for name in sorted(graph)
        for other in sorted(graph[name])
    ]
    boxes = []
    for name in sorted(place):
        x, y = place[name]
        label = name.removeprefix("playground.")
        half = 4.2 * len(label) + 8
        boxes.append(
            f'<rect x="{x - half:.0f}" y="{y - BOX / 2:.0f}" width="{2 * half:.0f}" '
            f'height="{BOX}" rx="5"/>\n<text x="{x:.0f}" y="{y + 5:.0f}">{escape(label)}</text>'
        )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
            "<style>rect{fill:#eef3f5;stroke:#1f6f8b}line{stroke:#7f93a3;stroke-width:.7}"
            "text{font:14px sans-serif;text-anchor:middle;fill:#1c2b33}</style>",
            f'<rect width="{WIDTH}" height="{height}" style="fill:#fff;stroke:none"/>',
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


def main() -> None:
    """Write the picture, and print the figures of the whole and of ``ui/``."""
    whole = rooms(imports(), 1)
    PICTURE.write_text(drawn(whole), "utf-8")
    print("playground/:", figures(whole))
    print("playground/ui/:", figures(rooms(imports("playground.ui"), 2)))


if __name__ == "__main__":
    main()

"""What holds of the code as a whole: who imports whom; nothing is there for its tests alone.

Ruff holds the rest, see pyproject.toml: who may import Streamlit, unused arguments, how branched a
function may be.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final

from playground.projects import NAMES

ROOT: Final = Path(__file__).parent.parent
LATER_PARTS: Final = {f"playground.{name}" for name in ("models", "losses", "optimizers")}
LATER_PARTS.add("playground.training")


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file, packages by the name of their folder."""
    found = {}
    for path in sorted((ROOT / "playground").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """What a module imports of the project while it is imported itself."""
    todo: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules() else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)


@cache
def graph() -> dict[str, set[str]]:
    return {
        name: {one for one in imported(path) if one in modules()} - {name}
        for name, path in modules().items()
    }


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter(graph()).prepare()  # raises CycleError, which names the circle


def test_the_data_need_no_other_part_of_the_lecture() -> None:
    reached: set[str] = set()
    projects = {f"playground.projects.{name}.data" for name in NAMES}
    todo = [name for name in graph() if name.startswith("playground.data")]
    todo += sorted(projects)
    assert projects <= set(graph())
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += graph()[name]
    assert "playground.limits" in reached  # so that this looks beyond the folder
    assert sorted(reached & LATER_PARTS) == []


# --- Nothing for the tests alone --------------------------------------------------------------

# What others call: Alembic, torch, ast.NodeVisitor; and what is there for projects to come, see
# docs/architecture.md: test_new_project.py makes one of it.
CALLED_BY_OTHERS: Final = {"revision", "down_revision", "upgrade", "downgrade", "extra_repr"}
FOR_ANOTHER_PROJECT: Final = {"RealTable"}


def own_names(tree: ast.Module) -> Iterator[str]:
    """What a module defines at its top, and the methods of its classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        if isinstance(node, ast.ClassDef):
            yield from (part.name for part in node.body if isinstance(part, ast.FunctionDef))


def used_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


def test_nothing_is_there_for_its_tests_alone() -> None:
    defined: dict[str, str] = {}
    used: Counter[str] = Counter()
    for path in [*modules().values(), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]:
        tree = ast.parse(path.read_text("utf-8"))
        used.update(used_names(tree))
        if path.is_relative_to(ROOT / "playground"):
            defined |= {name: str(path.relative_to(ROOT)) for name in own_names(tree)}
    template = (ROOT / "playground/export/run.py.jinja").read_text("utf-8")
    dead = {
        name: path
        for name, path in defined.items()
        if not used[name]
        and name not in CALLED_BY_OTHERS | FOR_ANOTHER_PROJECT
        and not name.startswith(("__", "visit_"))
        and name not in template
    }
    assert dead == {}
    # An exception that is needed no more goes.
    assert not [name for name in FOR_ANOTHER_PROJECT if name not in defined or used[name]]


# --- Tests look at what is public -------------------------------------------------------------

MOST_PRIVATE: Final = 48  # lines; fewer is better


def is_private(node: ast.AST) -> bool:
    """Does an expression reach into what belongs to another?"""
    return (
        isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and ast.unparse(node.value) not in ("self", "cls")
    )


def test_tests_reach_into_few_privates() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if is_private(node)
    }
    assert len(found) <= MOST_PRIVATE, sorted(found)

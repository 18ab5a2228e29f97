"""A project is one folder, one page and one line: nobody else knows it by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from playground.projects import NAMES, PROJECTS
from playground.projects.base import Project

ROOT: Final = Path(__file__).parent.parent
CODE: Final = sorted(
    [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "playground").rglob("*.py")]
)
OTHER: Final = sorted(
    path for ending in ("jinja", "js", "css") for path in (ROOT / "playground").rglob(f"*.{ending}")
)
LIST: Final = "playground/projects/__init__.py"
# Who may know which, and why.
ALLOWED: Final = {
    # What only the game's page shows; Streamlit may not be imported in the project's folder.
    "playground/ui/project/rps_game.py": {"rps"},
    "playground/ui/shell/served/browser.js": {"rps"},
    # The predictors that one plays against, made from the project's simulated players.
    "playground/rps_opponent/games.py": {"rps"},
    "playground/rps_opponent/make_weights.py": {"rps"},
    "playground/rps_opponent/match.py": {"rps"},
    "playground/rps_opponent/opponent.py": {"rps"},
    # Lessons that explain something by a project's examples.
    "pages/loss.py": {"coffee", "shapes"},
    "playground/lesson/batches.py": {"coffee"},
    "playground/lesson/convolution.py": {"shapes"},
}


def named(tree: ast.Module) -> Iterator[str]:
    """The projects that a module names: as a string, in a session's key, or by an import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = [node.value.partition(".")[0]]
        elif isinstance(node, ast.ImportFrom) and node.module:
            words = [*node.module.split("."), *(one.name for one in node.names)]
            words = words if node.module.startswith("playground.projects") else []
        elif isinstance(node, ast.Import):
            words = [
                word
                for one in node.names
                if one.name.startswith("playground.projects")
                for word in one.name.split(".")
            ]
        else:
            continue
        yield from (word for word in words if word in NAMES)


def at_home(path: Path) -> set[str]:
    """The projects whose folder or page ``path`` is in."""
    place = path.relative_to(ROOT)
    if place.parts[0] == "pages":
        return {place.stem}
    return {place.parts[2]} if place.parts[:2] == ("playground", "projects") else set()


def allowed(path: Path) -> set[str]:
    return at_home(path) | ALLOWED.get(path.relative_to(ROOT).as_posix(), set())


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_code_knows_a_project_by_name(path: Path) -> None:
    if path.relative_to(ROOT).as_posix() != LIST:
        found = set(named(ast.parse(path.read_text("utf-8"))))
        assert sorted(found - allowed(path)) == []


@pytest.mark.parametrize("path", OTHER, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_template_and_no_style_knows_one_either(path: Path) -> None:
    words = set(re.findall(r"[a-z]+", path.read_text("utf-8")))
    assert sorted(words & set(NAMES) - allowed(path)) == []


def test_nobody_may_know_more_than_they_do() -> None:
    """An exception that is needed no more goes."""
    for place, names in ALLOWED.items():
        text = (ROOT / place).read_text("utf-8")
        known = named(ast.parse(text)) if place.endswith(".py") else re.findall(r"[a-z]+", text)
        assert names <= set(known), place


@pytest.mark.parametrize("kind", PROJECTS.values(), ids=PROJECTS.keys())
def test_a_project_has_its_folder_and_its_page(kind: Project) -> None:
    assert kind.folder == ROOT / "playground" / "projects" / kind.name
    assert (ROOT / "pages" / f"{kind.name}.py").exists()
    assert sorted(path.name for path in kind.folder.glob("*.md")) == ["en.md", "pl.md"]
    assert kind.recipe(**kind.tiny).epochs <= 2


def test_the_strict_reading_sees_strings_keys_and_imports() -> None:
    found = named(
        ast.parse(
            'x = {"coffee": 1}; key = "rps.game"; digits = len("digits of pi")\n'
            "from playground.projects.movies import data\n"
            "from playground.projects import weekday\n"
            "import playground.projects.shapes.data\n"
        )
    )
    assert sorted(found) == ["coffee", "movies", "rps", "shapes", "weekday"]

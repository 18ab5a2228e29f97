"""The projects of the lesson. Each is a folder here and a page; this is the list of them."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from playground.projects.base import Project
from playground.recipe import Recipe, unknown

# In the lecture's order.
NAMES: Final = ("coffee", "weekday", "shapes", "rps", "movies", "digits")
PROJECTS: Final[dict[str, Project]] = {
    name: import_module(f"{__name__}.{name}").PROJECT for name in NAMES
}
FIRST: Final = "digits"
"""The one that a class begins with: what a page of several shows until another is chosen."""


def project(name: str) -> Project:
    """The project called ``name``.

    Raises:
        RecipeError: there is none; the error names the nearest.
    """
    if not isinstance(name, str) or name not in PROJECTS:
        raise unknown(name, PROJECTS)
    return PROJECTS[name]


def opened(text: str) -> Recipe:
    """The recipe that was written down as JSON, in this version of the program or before.

    Raises:
        RecipeError, FieldError: as :meth:`Recipe.from_json` and :meth:`Project.opened`.
    """
    recipe = Recipe.from_json(text)
    return project(recipe.project).opened(recipe)

"""The six projects of the lesson, in the lecture's order."""

from __future__ import annotations

from typing import Final

from playground.projects.base import Project
from playground.projects.coffee import Coffee
from playground.projects.digits import Digits
from playground.projects.movies import Movies
from playground.projects.rps import Rps
from playground.projects.shapes import Shapes
from playground.projects.weekday import Weekday
from playground.recipe import Recipe, unknown

PROJECTS: Final[dict[str, Project]] = {
    kind.name: kind for kind in (Coffee(), Weekday(), Shapes(), Rps(), Movies(), Digits())
}


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

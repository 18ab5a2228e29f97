"""A project for tests that has no page, no files and no script."""

from __future__ import annotations

from collections.abc import Sequence

from playground.data.dataset import Examples
from playground.data.messages import Problem
from playground.projects.base import Exported, Project
from playground.recipe import Recipe


class Bare(Project):
    """What a test does not ask about."""

    icon = "circle"

    @staticmethod
    def thumbnail() -> str:
        return ""

    def exported(self, recipe: Recipe) -> Exported:
        raise NotImplementedError

    def read(self, raw: bytes, name: str, recipe: Recipe) -> tuple[Examples, Sequence[Problem]]:
        raise NotImplementedError

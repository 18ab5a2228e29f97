"""A playground for neural networks: real PyTorch, small enough to read.

    import playground

    run = playground.train("digits", epochs=2, seed=0)
    run.history.series("validation", "accuracy")
    run.predict("seven.jpg").label
    run.save("digits.safetensors")

Read the five parts in the order of the lecture: ``data``, ``models``, ``losses``,
``optimizers``, ``training``.
"""

from __future__ import annotations

import os

# Torch's helper threads spin while they wait for each other, for a millisecond and more,
# and where a browser or another student's run needs that core, a step takes several times
# as long. Not to spin at all costs half the speed of a run that is alone. So: spin briefly.
# GNU's OpenMP reads this once, so it stands before torch's first import.
os.environ.setdefault("GOMP_SPINCOUNT", "30000")

from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.facade.library import Trained, fetch, load, run, table, train
from playground.history import History
from playground.projects import PROJECTS, project
from playground.projects.base import Answer, Project
from playground.recipe import Recipe
from playground.rps_opponent import Opponent
from playground.training import evaluate

__version__ = "0.3"

__all__ = [
    "PROJECTS",
    "Answer",
    "Examples",
    "History",
    "Opponent",
    "PlaygroundError",
    "Project",
    "Recipe",
    "Trained",
    "evaluate",
    "fetch",
    "load",
    "project",
    "run",
    "table",
    "train",
]

"""How long the runs page takes to draw itself with a full table.

    python benchmarks/runs_page.py [--n 20]

200 kept runs of all six projects, each with a history of 20 epochs and 2,200 steps as
training leaves it, ten of them ticked (the most that are drawn). The page's script runs in
Streamlit's own AppTest, without a browser. *rerun*: the whole page. *tick*: the same, with one
run more or less ticked. *export*: CSV and JSON of all 200.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from pathlib import Path

from common import conditions, spread
from streamlit.testing.v1 import AppTest

from playground.desks.run_list import MAX_RUNS, RunEntry, RunList, to_csv, to_json
from playground.history import EpochRow, History
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.runtime.run import Snapshot

ROOT = Path(__file__).parent.parent
EPOCHS, STEPS = 20, 110


def recipes(project: Project, n: int) -> list[Recipe]:
    """``n`` different recipes, as a student's experiments differ."""
    return [
        project.recipe(
            hidden=(8 + index, 16)[: 1 + index % 2],
            learning_rate=1e-3 * (1 + index % 9),
            batch_size=2 ** (3 + index % 6),
            epochs=EPOCHS,
            seed=index,
        )
        for index in range(n)
    ]


def history(project: Project, seed: int) -> History:
    """A falling loss of the usual length, with the figures of the project's task."""
    name = "mae" if project.task == "regression" else "accuracy"
    losses = [math.exp(-step / 500) + 0.01 * (step * (seed + 7) % 13) for step in range(2200)]
    rows = []
    for epoch in range(1, EPOCHS + 1):
        value = losses[epoch * STEPS - 1]
        figures = {"loss": value, name: 1 - value / 2}
        rows.append(
            EpochRow(epoch, epoch * STEPS, dict(figures), dict(figures), 0.2 * epoch, 0.2 * epoch)
        )
    data = {"source": "generated", "train": 7000, "validation": 1500, "test": 1500, "own": 0}
    figures = {name: [1 - loss / 2 for loss in losses]}
    return History(data, losses, figures, rows, [], 4.0, 4.0, "finished")


def full_list() -> list[RunEntry]:
    found = []
    projects = list(PROJECTS.values())
    each = {project.name: recipes(project, MAX_RUNS // len(projects) + 1) for project in projects}
    for number in range(MAX_RUNS):
        project = projects[number % len(projects)]
        recipe = each[project.name][number // len(projects)].with_(threads=1)
        done = history(project, number)
        snapshot = Snapshot("finished", recipe, done, done.steps)
        kept = RunEntry(
            number + 1, snapshot, shown=number >= MAX_RUNS - 10, parameters=5000 + number
        )
        found.append(kept)
    return found


def timed(app: AppTest) -> float:
    begun = time.perf_counter()
    app.run()
    seconds = time.perf_counter() - begun
    assert not app.exception, app.exception
    return seconds


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--n", type=int, default=20)
    n = options.parse_args().n
    logging.disable(logging.WARNING)  # AppTest has no script context, and says so each time
    print(conditions())
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.switch_page("pages/runs.py")
    app.query_params["lang"] = "pl"
    timed(app)
    listed: RunList = app.session_state["desk"].kept
    listed.runs = full_list()
    listed.count = MAX_RUNS
    print(f"{len(listed.runs)} runs, first: {timed(app):.3f} s")
    print(f"rerun: {spread([timed(app) for _ in range(n)], 3)} s")
    ticks = []
    for turn in range(n):
        listed.runs[-1].shown = bool(turn % 2)
        ticks.append(timed(app))
    print(f"tick: {spread(ticks, 3)} s")
    named = [(f"Run {kept.number}", kept) for kept in listed.runs]
    for name, write in (("CSV", to_csv), ("JSON", to_json)):
        begun = time.perf_counter()
        size = len(write(named)) / 1e6
        print(f"export of all as {name}: {time.perf_counter() - begun:.3f} s, {size:.1f} MB")


if __name__ == "__main__":
    main()

"""What it costs a training run that somebody looks inside the network meanwhile.

    python benchmarks/inside.py [--n 5] [--threads 2] [--projects digits shapes movies]

A run trains in the service, to its end, while a viewer thread does what a page does: every
half second a snapshot of the run and an answer of the network, as the workbench. *With* the
inside view it also does, as often as the tab's own fragment runs (see
``playground.ui.project.inside.tab``), all that the view does: take the weights, compute under its
pace, and build the charts (Streamlit without a browser: what is drawn goes nowhere). With and
without take turns, after one of each to warm up; the time is that of the run, from its first
step to its last. Every view of the tab is measured on its own.

On a busy machine the times say little, so the processor time of one look is printed too.
"""

from __future__ import annotations

from common import conditions, spread  # before torch, which it prepares

# isort: split
import argparse
import logging
import statistics
import threading
import time
from collections.abc import Callable

import streamlit as st

from playground.projects import project
from playground.recipe import Recipe
from playground.runtime.run import Run
from playground.runtime.service import RunService
from playground.ui.project.inside.session import Network
from playground.ui.project.inside.tab import DRAWN, SLOWER

REFRESH = 0.5  # seconds, as a page alone on the machine
PROJECTS = {
    "digits": ("gauges", "network", "pixels"),
    "shapes": ("gauges", "network", "pixels"),
    "movies": ("gauges", "network"),
}
# Long enough for several looks, short enough for several rounds.
CHANGES = {
    "digits": {"epochs": 40, "data": {"european": False}},
    "shapes": {"epochs": 12},
    "movies": {"epochs": 300},
}


def watch(run: Run, service: RunService, inside: Callable[[], None] | None) -> list[float]:
    """What a viewer does until the run is over; processor seconds of each look inside."""
    looks: list[float] = []
    due = 0.0
    example = run.dataset().validation.inputs[:1]
    while run.active:
        begun = time.monotonic()
        service.look(run)
        run.predictor().ask(example)
        if inside is not None and begun >= due:
            used = time.thread_time()
            inside()
            looks.append(time.thread_time() - used)
            due = begun + SLOWER * REFRESH
        time.sleep(max(0.0, REFRESH - (time.monotonic() - begun)))
    return looks


def seconds(recipe: Recipe, view: str | None) -> tuple[float, list[float]]:
    """How long the run trains, with or without somebody inside, and what each look took."""
    st.session_state.clear()
    service = RunService()
    run = Run(project(recipe.project), recipe)
    run.dataset()

    def inside() -> None:
        DRAWN[view or ""](Network.of(run, run.dataset()))

    looks: list[float] = []
    viewer = threading.Thread(
        target=lambda: looks.extend(watch(run, service, inside if view else None))
    )
    service.start(run)
    viewer.start()
    viewer.join()
    service.close()
    assert run.state == "finished", run.error
    return run.snapshot().history.wall, looks


def main() -> None:
    for name in ("streamlit", "streamlit.runtime"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("streamlit"):  # it warns that there is no browser
            logging.getLogger(name).disabled = True
    options = argparse.ArgumentParser()
    options.add_argument("--n", type=int, default=5)
    options.add_argument("--threads", type=int, default=0, help="of a run; 0: all cores")
    options.add_argument("--projects", nargs="*", default=list(PROJECTS))
    chosen = options.parse_args()
    print(conditions())
    for name in chosen.projects:
        recipe = project(name).recipe(**CHANGES[name], threads=chosen.threads)
        for view in PROJECTS[name]:
            without, inside, looks = [], [], [0.0]
            for turn in range(chosen.n + 1):
                alone, _none = seconds(recipe, None)
                watched, looks = seconds(recipe, view)
                if turn:  # the first round warms up
                    without.append(alone)
                    inside.append(watched)
            ratio = statistics.median(inside) / statistics.median(without)
            pairs = [b / a for a, b in zip(without, inside, strict=True)]
            print(
                f"{name}, {view}: without {spread(without, 2)} s, with {spread(inside, 2)} s, "
                f"{len(looks)} looks of {1000 * statistics.mean(looks):.0f} ms processor time; "
                f"ratio of the medians {ratio:.3f}, pair by pair {spread(pairs, 3)}"
            )
    print(conditions())


if __name__ == "__main__":
    main()

"""Coffee, weekday and movies against the best that any model could do; a CSV's parsing time.

    python benchmarks/tables.py [--seeds 5]

Default recipes. Figures are of the network on its own test split, beside the limit that
the generator's truth gives, and on 100,000 fresh rows, where sampling noise is small.
"""

from __future__ import annotations

import argparse
import time
from typing import cast

from common import conditions, spread

import playground
from playground.data import tables
from playground.projects.table import GeneratedTable
from playground.training import evaluate


def project_figures(name: str, seeds: int) -> None:
    kind = cast(GeneratedTable, playground.project(name))
    recipe = kind.recipe()
    noise = cast(float, recipe.data["noise"])
    figure = "mae" if kind.task == "regression" else "accuracy"
    limit = kind.limit(noise)[figure]
    fresh = kind.generate(100_000, noise, 12345)
    test, anew, seconds = [], [], []
    for seed in range(seeds):
        run = playground.train(name, seed=seed)
        seconds.append(run.history.training)
        test.append(run.test()[figure] / limit)
        anew.append(evaluate(run.model, fresh, run.dataset, run.recipe)[figure] / limit)
    print(f"{name}: {figure} / limit ({limit:.4f})")
    print(f"  test split {spread(test)}, 100,000 fresh rows {spread(anew)}")
    print(f"  training {spread(seconds, 2)} s")


def csv_figures() -> None:
    """10,000 rows, one cell wrong in every tenth."""
    kind = cast(GeneratedTable, playground.project("coffee"))
    fields = (*kind.encoder.columns, kind.encoder.target)
    lines = tables.to_csv(kind.encoder.rows(kind.generate(10_000, 0.5, 0)), fields).splitlines()
    for row in range(1, 10_001, 10):
        lines[row] = lines[row].replace(lines[row].split(",")[1], "lots", 1)
    raw = "\n".join(lines).encode()
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        table = tables.parse(raw, fields)
        text = [problem.text() for problem in table.problems]
        seconds.append(time.perf_counter() - begun)
    print(f"CSV, {table.total} rows, {len(text)} problems written out: {spread(seconds, 3)} s")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--seeds", type=int, default=5)
    seeds = options.parse_args().seeds
    print(conditions())
    for name in ("coffee", "weekday", "movies"):
        project_figures(name, seeds)
    csv_figures()


if __name__ == "__main__":
    main()

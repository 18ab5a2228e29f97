"""People's drawings of circles, squares and triangles, by networks trained on generated ones.

    python benchmarks/shapes.py DRAWINGS.npz [--seeds 3]

The file holds ``X`` (n, h, w) uint8, dark ink on white, and ``y`` (n,): 0 circle, 1 square,
2 triangle. The default recipe; nothing of the file is trained on.
"""

from __future__ import annotations

from common import conditions, spread  # before torch, which it prepares

# isort: split
import argparse
import time
from pathlib import Path

import numpy as np
import torch

import playground
from playground.projects.base import Predictor
from playground.projects.shapes import data as shapes


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("drawings", type=Path)
    options.add_argument("--seeds", type=int, default=3)
    chosen = options.parse_args()
    people = np.load(chosen.drawings)
    pictures = torch.stack([shapes.encode(drawing) for drawing in people["X"]])
    answers = torch.from_numpy(people["y"].astype(np.int64))
    print(conditions())
    whole: list[float] = []
    classes: list[list[float]] = [[], [], []]
    test, training, seconds = [], [], []
    for seed in range(chosen.seeds):
        begun = time.perf_counter()
        run = playground.train("shapes", seed=seed)
        seconds.append(time.perf_counter() - begun)
        training.append(run.history.training)
        kind = playground.project("shapes")
        ask = Predictor(kind, run.recipe, run.model, run.dataset.scaler).ask
        right = torch.cat([ask(part).argmax(dim=1) for part in pictures.split(500)]) == answers
        whole.append(100 * right.float().mean().item())
        for number, shares in enumerate(classes):
            shares.append(100 * right[answers == number].float().mean().item())
        test.append(100 * run.test()["accuracy"])
    print(f"{len(answers)} drawings of people: {spread(whole, 2)} %")
    for name, shares in zip(shapes.LABELS, classes, strict=True):
        print(f"  {name}: {spread(shares, 2)} %")
    print(f"generated test pictures: {spread(test, 2)} %")
    print(f"training {spread(training, 1)} s, with drawing the pictures {spread(seconds, 1)} s")


if __name__ == "__main__":
    main()

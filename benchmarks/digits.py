"""Digits: test accuracy, and people's pen digits, for the recipes that the page offers.

    python benchmarks/digits.py [PEN_DIGITS.json.gz] [--seeds 5] [--only default best offline]

``default``: the default recipe on full MNIST (in ``PLAYGROUND_DATA``). ``best``: the preset
*best result*. ``offline``: the default recipe on the 5,000 digits that need no download.
Pen digits are drawn anew for each seed.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from common import conditions, spread
from people import pen_digits

import playground
from playground.data import drawings

RUNS = {
    "default": {"data": {"source": "full"}},
    "best": {"preset": "best", "data": {"source": "full"}},
    "offline": {"data": {"source": "small"}},
}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("pen", nargs="?", type=Path)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--only", nargs="*", choices=list(RUNS), default=list(RUNS))
    chosen = options.parse_args()
    print(conditions())
    for name in chosen.only:
        test, people, ones, seconds = [], [], [], []
        for seed in range(chosen.seeds):
            begun = time.perf_counter()
            run = playground.train("digits", seed=seed, **RUNS[name])
            seconds.append(time.perf_counter() - begun)
            test.append(100 * run.test()["accuracy"])
            if chosen.pen:
                canvases, labels = pen_digits(chosen.pen, seed)
                right = [run.predict(c).label == t for c, t in zip(canvases, labels, strict=True)]
                people.append(100 * sum(right) / len(right))
                first = [ok for ok, label in zip(right, labels, strict=True) if label == "1"]
                ones.append(100 * sum(first) / len(first))
        print(f"{name}: {run.recipe.to_json()}")
        print(f"  test accuracy {spread(test, 2)} %, data and training {spread(seconds, 1)} s")
        if people:
            print(f"  people's pen digits {spread(people, 2)} %, ones {spread(ones, 1)} %")
    print(f"preparation: {drawings.__name__}.prepare")


if __name__ == "__main__":
    main()

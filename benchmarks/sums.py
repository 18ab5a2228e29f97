"""Whether the sums on the lesson pages add up with the digits that stand there.

    python benchmarks/sums.py [--states 2000] [--seed 0] [--only loss neuron]

Each view of each lesson page is set to random states, half of them in Polish; a reader of
LaTeX that knows nothing of how the pages make it does every sum again with the digits shown.
Prints how many were done, how many claim to be only about equal, and how many do not add up.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "pages")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--states", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLAYGROUND_DATA"] = folder
        measure(options.states, options.seed, options.only)


def measure(states: int, seed: int, only: list[str]) -> None:
    import adding_up

    pages = {stem: views for stem, views in adding_up.VIEWS.items() if not only or stem in only}
    each = -(-states // (2 * sum(map(len, pages.values()))))  # states of a view in a language
    total: Counter[str] = Counter()
    for stem in pages:
        count: Counter[str] = Counter()
        for language in ("en", "pl"):
            for _view, checks in adding_up.wander(stem, language, each, seed):
                count["states"] += 1
                count["sums"] += len(checks)
                count["about"] += sum(not check.equal for check in checks)
                wrong = [check for check in checks if not check.right]
                count["wrong"] += len(wrong)
                for check in wrong:
                    print(f"  {stem} ({language}): {check.shown}   gives {check.calculated}")
        print(f"{stem:16}", *(f"{count[name]:6} {name}" for name in NAMES), flush=True)
        total += count
    print(f"{'all':16}", *(f"{total[name]:6} {name}" for name in NAMES))


NAMES = ("states", "sums", "about", "wrong")

if __name__ == "__main__":
    main()

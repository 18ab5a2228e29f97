"""Replay recorded games of people through the predictors and print mean accuracy per player.

    python benchmarks/rps.py PATH/TO/rps.csv.gz

The file has columns game_id, player_id, round, player_move, opponent_move. Each predictor
says what it expects, then sees the round; nothing is trained on the file.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import statistics
import time
from collections.abc import Callable
from itertools import groupby

from common import conditions

from playground.rps_opponent import Frequency, Markov, Opponent, Predictor, Random

KINDS: dict[str, Callable[[], Predictor]] = {
    "Opponent": Opponent,
    "Markov(1)": Markov,
    "Markov(2)": lambda: Markov(2),
    "Frequency": Frequency,
    "Random": Random,
}


def replay(predictor: Predictor, rounds: list[dict[str, str]]) -> list[bool]:
    """Whether the likeliest move was the one thrown, round after round."""
    hits = []
    for row in rounds:
        expected = predictor.expect()
        hits.append(max(expected, key=expected.__getitem__) == row["player_move"])
        predictor.see(row["player_move"], row["opponent_move"])
    return hits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="CSV of games, gzipped or not")
    path = parser.parse_args().path
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    games = [list(game) for _, game in groupby(rows, key=lambda row: row["game_id"])]
    print(conditions())
    print(f"{len(games)} games, {len(rows)} rounds")
    for name, kind in KINDS.items():
        started = time.perf_counter()
        scores = [statistics.fmean(replay(kind(), game)) for game in games]
        ms = 1000 * (time.perf_counter() - started) / len(rows)
        error = statistics.stdev(scores) / len(scores) ** 0.5
        halves = statistics.fmean(scores[::2]), statistics.fmean(scores[1::2])
        print(
            f"{name:10} {statistics.fmean(scores):.4f} ± {error:.4f} (standard error),"
            f" even/odd games {halves[0]:.4f} / {halves[1]:.4f}, {ms:.2f} ms a round"
        )


if __name__ == "__main__":
    main()

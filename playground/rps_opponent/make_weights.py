"""Make ``weights.npz``: train the Weigher on simulated players, and on nobody else.

    python -m playground.rps_opponent.make_weights

Same machine, same versions: same file. Other ones may round sums in another order, which
changes the weights a little and the predictor's accuracy hardly.
"""

from __future__ import annotations

import argparse
import math
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.projects.rps.data import Game, simulate
from playground.rps_opponent.network import WIDTH, Weigher
from playground.rps_opponent.opponent import WEIGHTS
from playground.rps_opponent.tables import FEATURES, Tables

ROUNDS: Final = 300
BATCH: Final = 32
PEAK_RATE: Final = 3e-3

# The crowd: (value, share) of each option of the simulation. Most meet bots with fixed
# patterns and learn to exploit them; some are steady, some noisy, some change their habits.
OPPONENTS: Final = (("pattern", 0.6), ("mixed", 0.4))
NOISE: Final = ((0.0, 0.3), (0.03, 0.35), (0.1, 0.25), (0.25, 0.1))
CHANGE: Final = ((0.0, 0.6), (0.004, 0.4))
LEARNERS: Final = 0.9
# Beside them a few who learn nothing and have one habit: (habit, noise, share).
STEADY: Final = (
    ("sequence", 0.0, 0.03),
    ("sequence", 0.1, 0.03),
    ("bias", 0.1, 0.03),
    ("markov", 0.1, 0.03),
)


def crowd(players: int, seed: int) -> list[Game]:
    """About ``players`` games of simulated people of all kinds, kind after kind."""
    kinds: list[tuple[float, dict[str, Any]]] = [
        (a * b * c, {"opponent": o, "noise": n, "change": ch, "learners": LEARNERS})
        for (o, a), (n, b), (ch, c) in product(OPPONENTS, NOISE, CHANGE)
    ]
    kinds += [(share, {"habit": h, "noise": n, "learners": 0}) for h, n, share in STEADY]
    games: list[Game] = []
    for number, (share, options) in enumerate(kinds):
        games += simulate(round(players * share), ROUNDS, seed=1000 * seed + number, **options)
    return games


def featurise(games: list[Game]) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    """Games -> what the network reads (n, rounds, FEATURES), and the answers (n, rounds).

    The answers are relative to the player's last move, as the tables' guesses are.
    float16, as 2,000 games are 270 MB even so.
    """
    player = np.stack([game.player for game in games])
    opponent = np.stack([game.opponent for game in games])
    read = np.empty((*player.shape, FEATURES), dtype=np.float16)
    answers = np.empty_like(player)
    for start in range(0, len(games), 500):  # the tables of 500 games fit into memory
        part = slice(start, start + 500)
        tables = Tables(len(player[part]))
        for t in range(player.shape[1]):
            read[part, t] = tables.features()
            answers[part, t] = (player[part, t] - tables.past.own[0]) % 3
            tables.see(player[part, t], opponent[part, t])
    return read, answers


def rate(step: int, steps: int) -> float:
    """Learning rate: up over the first 15 % of the steps, then down to 0 along a cosine."""
    warm = max(1, round(0.15 * steps))
    if step < warm:
        return PEAK_RATE * (step + 1) / warm
    return PEAK_RATE * (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2


def train(games: list[Game], epochs: int, seed: int) -> Weigher:
    """A Weigher trained on ``games`` of one length, printing the mean loss of each epoch.

    A batch is BATCH whole games, since the recurrent layer must learn to remember; those
    left over at the end of an epoch wait for the next one.
    """
    source = torch.Generator().manual_seed(seed)
    read, answers = featurise(games)
    model = Weigher()
    with torch.no_grad():
        for weights in model.parameters():
            weights.uniform_(-(WIDTH**-0.5), WIDTH**-0.5, generator=source)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-3)
    batches = len(read) // BATCH
    for epoch in range(epochs):
        order = torch.randperm(len(read), generator=source)
        total = 0.0
        for number, batch in enumerate(order.split(BATCH)[:batches]):
            for group in optimizer.param_groups:
                group["lr"] = rate(epoch * batches + number, epochs * batches)
            loss = step(model, optimizer, read[batch.numpy()], answers[batch.numpy()])
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs}: loss {total / batches:.4f}", flush=True)
    return model


def step(
    model: Weigher,
    optimizer: torch.optim.Optimizer,
    read: NDArray[np.float16],
    answers: NDArray[np.int64],
) -> Tensor:
    """One optimisation step over whole games: cross entropy of every round's next move."""
    logits, _ = model(torch.from_numpy(read.astype(np.float32)))
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(answers).flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.detach()


def main() -> None:
    """Train on simulated players and write the arrays down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--players", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = train(crowd(options.players, options.seed), options.epochs, options.seed)
    arrays = {
        name: tensor.numpy().astype(np.float16) for name, tensor in model.state_dict().items()
    }
    np.savez(options.out, **arrays)
    print(f"{options.out}: {options.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

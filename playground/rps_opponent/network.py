"""The network behind the trained predictor: weighs the tables, and adds what it has learned."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground.rps_opponent.tables import FEATURES, TABLES

WIDTH = 64


class Weigher(nn.Module):
    """Tables' guesses over the rounds -> the player's next move, relative to its last.

    A recurrent layer (GRU) reads the features of each round and remembers what kind of
    player this is. It says how much to believe each table: a share for each (softmax, in
    which a table's recent loss counts against it) times how sure to be altogether. The
    tables' log chances are added with these weights (a product of experts, Hinton 2002),
    and so is the network's own opinion.
    """

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Linear(FEATURES, WIDTH)
        self.remember = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.share = nn.Linear(2 * WIDTH, len(TABLES))
        self.sure = nn.Linear(2 * WIDTH, 1)
        self.add = nn.Linear(2 * WIDTH, 3)

    def forward(self, features: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, rounds, FEATURES), memory (1, n, WIDTH) or None -> logits (n, rounds, 3), memory."""
        k = len(TABLES)
        read = torch.relu(self.read(features))
        remembered, memory = self.remember(read, memory)
        known = torch.cat([read, remembered], dim=2)
        guesses = features[..., : 3 * k].unflatten(2, (k, 3))
        losses = features[..., 3 * k : 4 * k]
        # 4: after some ten rounds, a table that loses 1 nat a round more has e^-4 the share.
        shares = (self.share(known) - 4 * losses).softmax(dim=2)
        belief = 2 * nn.functional.softplus(self.sure(known)) * shares
        return (belief[..., None] * guesses).sum(dim=2) + self.add(known), memory

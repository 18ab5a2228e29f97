"""A copy of a network's weights, to go back to."""

from __future__ import annotations

import torch
from torch import nn


class Checkpoint:
    """A copy of the weights to go back to."""

    def __init__(self, model: nn.Module) -> None:
        self.weights = list(model.parameters())
        self.copies = [weight.detach().clone() for weight in self.weights]

    @torch.no_grad()
    def save(self) -> None:
        for copy, weight in zip(self.copies, self.weights, strict=True):
            copy.copy_(weight)

    @torch.no_grad()
    def restore(self) -> None:
        for copy, weight in zip(self.copies, self.weights, strict=True):
            weight.copy_(copy)

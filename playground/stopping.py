"""When to end before the last epoch: early stopping, and a target to reach."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import nn

from playground.recipe import Recipe

Rule = Literal["patience", "target"]


class WeightsCopy:
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


class StopRules:
    """The recipe's two rules, both judged on the validation set after each epoch.

    *Patience*: end after so many epochs without a lower validation loss, since the network
    has begun to learn its training examples by heart; and go back to the best epoch's
    weights. *Target*: end as soon as the accuracy is reached. 0 switches a rule off.
    Source: Prechelt, Early Stopping - But When?, 1998.
    """

    def __init__(self, recipe: Recipe, model: nn.Module) -> None:
        self.patience, self.target = recipe.patience, recipe.target
        self.best = WeightsCopy(model)
        self.lowest = math.inf  # validation loss so far
        self.waited = 0  # epochs since then

    def broken(self, validation: Mapping[str, float]) -> Rule | None:
        """Which rule ends the run after an epoch with these validation figures, if any."""
        if self.target and validation.get("accuracy", 0.0) >= self.target:
            return "target"
        if validation["loss"] < self.lowest:
            self.lowest, self.waited = validation["loss"], 0
            self.best.save()
        else:
            self.waited += 1
        if self.patience and self.waited >= self.patience:
            self.keep_best()
            return "patience"
        return None

    def keep_best(self) -> None:
        """With patience, a network leaves with the weights of its best epoch."""
        if self.patience:
            self.best.restore()

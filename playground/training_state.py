"""Everything that training moves: saved after an epoch, it goes on later with the same numbers."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from playground import models, optimizers
from playground.recipe import Recipe
from playground.seeds import generator
from playground.stopping import Rule, StopRules

RULES: Final[tuple[Rule | None, ...]] = (None, "patience", "target")


class TrainingState:
    """How far a run is: weights, optimizer, generators, stop rules, epoch and step.

    ``training.fit`` moves it. Whoever holds it may :meth:`save` it at an ``Epoch`` event,
    and give ``fit`` a fresh one later into which that was loaded.
    """

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self.model = model
        self.optimizer = optimizers.build(recipe, model.parameters())
        self.rules = StopRules(recipe, model)
        self.shuffle = generator(recipe.seed, "shuffle")
        self.jitter = generator(recipe.seed, "augment")
        self.epoch = 0  # epochs that are done
        self.step = 0  # steps that are done
        self.rule: Rule | None = None  # which stop rule has ended the run

    def save(self) -> dict[str, Tensor]:
        """A copy of all of it as named tensors.

        Raises:
            TypeError: the optimizer remembers something that is no tensor.
        """
        found = {f"model.{name}": one for name, one in self.model.state_dict().items()}
        for place, values in self.optimizer.state_dict()["state"].items():
            for name, one in values.items():
                if not isinstance(one, Tensor):  # left out, a run would go on with other numbers
                    raise TypeError(f"the optimizer's {name} is {type(one).__name__}, no tensor")
                found[f"optimizer.{place}.{name}"] = one
        found |= {f"best.{n}": one for n, one in enumerate(self.rules.best.copies)}
        found |= {f"random.{name}": one.get_state() for name, one in self._generators().items()}
        where = (self.epoch, self.step, self.rules.waited, RULES.index(self.rule))
        found["where"] = torch.tensor(where)
        found["lowest"] = torch.tensor(self.rules.lowest, dtype=torch.float64)
        # Not clone(), which keeps a CNN's channels_last: a file wants the usual order.
        return {
            name: one.detach().clone(memory_format=torch.contiguous_format)
            for name, one in found.items()
        }

    def load(self, saved: dict[str, Tensor]) -> None:
        """Go back to what :meth:`save` gave, for a network of the same recipe.

        Raises:
            KeyError, RuntimeError, ValueError: it is not of this recipe.
        """
        self.model.load_state_dict(below(saved, "model."))
        self._load_optimizer(below(saved, "optimizer."))
        with torch.no_grad():
            for n, copy in enumerate(self.rules.best.copies):
                copy.copy_(saved[f"best.{n}"])
        for name, one in self._generators().items():
            one.set_state(saved[f"random.{name}"])
        self.epoch, self.step, self.rules.waited, rule = saved["where"].tolist()
        self.rule, self.rules.lowest = RULES[rule], saved["lowest"].item()
        if math.isnan(self.rules.lowest):
            raise ValueError("the lowest loss is no number")

    def _load_optimizer(self, saved: dict[str, Tensor]) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        weights = [one for group in self.optimizer.param_groups for one in group["params"]]
        for key, value in saved.items():
            place, name = key.split(".", 1)
            weight = weights[int(place)]
            if value.shape == weight.shape:  # in memory as the weight is: fused steps count on it
                value = torch.empty_like(weight).copy_(value)
            state.setdefault(int(place), {})[name] = value.detach()
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})

    def _generators(self) -> dict[str, torch.Generator]:
        """All that draw random numbers under way; a network's dropout layers share one."""
        found = {"shuffle": self.shuffle, "augment": self.jitter}
        for layer in self.model.modules():
            if isinstance(layer, models.Dropout):
                found["dropout"] = layer.generator
        return found


def below(saved: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """What stands under ``prefix``, without it."""
    return {
        name.removeprefix(prefix): one for name, one in saved.items() if name.startswith(prefix)
    }

"""Part 3 of 5, the loss: one number that says how wrong the network is.

Classification and regression differ. A classifier puts out one *logit* a class, and
cross entropy asks how little probability softmax gives to the right one; a regression
puts out a value, and the loss is its distance from the true one.

Softmax lives *inside* the loss while training: ``nn.CrossEntropyLoss`` takes logits,
because log(softmax(x)) computed in one piece never takes the logarithm of a rounded
zero. Outside, :func:`answer` applies it once, when predicting. Applying it twice would
squeeze all probabilities towards equal shares and starve the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from playground.data.dataset import Task
from playground.recipe import Recipe

Loss = Callable[[Tensor, Tensor], Tensor]
"""(outputs (n, k), targets (n,)) -> a scalar, the mean over the batch."""

CHOICES: Final[dict[Task, tuple[str, ...]]] = {
    "classification": ("cross_entropy", "mse_one_hot"),
    "binary": ("bce",),
    "regression": ("mse", "l1", "huber"),
}


def build(recipe: Recipe) -> Loss:
    """The recipe's loss function."""
    match recipe.loss:
        case "cross_entropy":
            return nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
        case "mse_one_hot":
            return mse_one_hot
        case "bce":
            return _single(nn.BCEWithLogitsLoss())
        case "mse":
            return _single(nn.MSELoss())
        case "l1":
            return _single(nn.L1Loss())
        case "huber":
            return _single(nn.HuberLoss(delta=recipe.huber_delta))
    raise ValueError(recipe.loss)


def mse_one_hot(outputs: Tensor, targets: Tensor) -> Tensor:
    """Squared distance between softmax(outputs) and the one-hot answer, as for a regression.

    For comparison: its gradient vanishes where the network is confidently wrong, which is
    why classifiers use cross entropy.
    """
    wanted = functional.one_hot(targets, outputs.shape[1]).to(outputs.dtype)
    return functional.mse_loss(outputs.softmax(dim=1), wanted)


def _single(loss: Loss) -> Loss:
    """A loss for networks with one output: (n, 1) and (n,) would silently broadcast to (n, n)."""
    return lambda outputs, targets: loss(outputs.squeeze(1), targets)


def answer(task: Task, outputs: Tensor) -> Tensor:
    """What outputs (n, k) mean: probabilities (n, k), of a yes (n,), or values (n,)."""
    if task == "classification":
        return outputs.softmax(dim=1)
    return torch.sigmoid(outputs.squeeze(1)) if task == "binary" else outputs.squeeze(1)

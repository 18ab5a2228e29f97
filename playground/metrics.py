"""Figures that people read: accuracy, mean error. The loss is for the optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from torch import Tensor

from playground.data.dataset import Task
from playground.i18n import N_


@dataclass(frozen=True)
class Metric:
    """A figure that people read: what it is called, and which way is better.

    ``label`` is a gettext id, and ``limit`` that of the best that any model could reach. A
    ``share`` is 0..1 and written in percent; else it has the unit of what is predicted.
    """

    name: str
    label: str
    limit: str
    higher_is_better: bool
    share: bool


ACCURACY: Final = Metric("accuracy", N_("Accuracy"), N_("Bayes limit"), True, True)
MAE: Final = Metric("mae", N_("Mean error"), N_("noise floor"), False, False)
PRIMARY: Final[Mapping[Task, Metric]] = {
    "classification": ACCURACY,
    "binary": ACCURACY,
    "regression": MAE,
}
"""By which metric networks for a kind of question are compared."""


def is_share(figure: str) -> bool:
    """Is the figure of that name 0..1 and written in percent?"""
    return figure == ACCURACY.name


def figures(task: Task, outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Means over a batch of outputs (n, k) against targets (n,).

    "accuracy" (share right, 0..1) for a classification and a yes-no question; "mae" (mean
    absolute error) and "mse" for a regression, in the target's own unit and its square.
    """
    if task == "regression":
        # In double, since the square of a diverging network's error is soon beyond a float.
        error = (outputs.squeeze(1) - targets).double()
        return {"mae": error.abs().mean().item(), "mse": error.square().mean().item()}
    chosen = outputs.argmax(dim=1) if task == "classification" else (outputs.squeeze(1) > 0)
    return {"accuracy": (chosen == targets).float().mean().item()}


@dataclass
class Average:
    """Mean of each figure over batches, each batch weighted by its number of examples."""

    examples: int = 0
    totals: dict[str, float] = field(default_factory=dict)

    def add(self, examples: int, values: dict[str, float]) -> None:
        self.examples += examples
        for name, value in values.items():
            self.totals[name] = self.totals.get(name, 0.0) + value * examples

    def means(self) -> dict[str, float]:
        return {name: total / self.examples for name, total in self.totals.items()}


def interval(right: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval for a share: where the true accuracy lies with ``confidence``."""
    from scipy.stats import binomtest  # slow to import, and needed once a run

    found = binomtest(right, total).proportion_ci(confidence_level=confidence, method="wilson")
    return float(found.low), float(found.high)

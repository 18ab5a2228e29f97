"""Figures that people read: accuracy, mean error. The loss is for the optimizer."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from playground.data.dataset import Task


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

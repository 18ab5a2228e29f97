"""What simple methods get on the same split, as a line for the network to beat.

Three from scikit-learn for each kind of question: one that ignores the inputs, one that
draws straight lines, and a decision tree. They see exactly the training examples of the
network and are judged on the same held-out examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from playground.data.dataset import Examples, Task
from playground.i18n import N_

FEW: Final = 2000
"""Pictures a baseline learns from: enough for a line on the chart, in seconds, not minutes."""
WIDE: Final = 100
"""From this many inputs an example counts as a picture."""


@dataclass(frozen=True)
class Baseline:
    """A simple method's figures on held-out examples.

    ``name`` is a gettext id. ``figures`` holds "mae" and "mse" for a regression, in the
    target's unit and its square; "accuracy" (0..1) and "log_loss" (nats) otherwise.
    ``examples`` is how many training examples it learned from.
    """

    name: str
    figures: dict[str, float]
    examples: int


def baselines(train: Examples, held_out: Examples, task: Task) -> list[Baseline]:
    """Fit the baselines for ``task`` on ``train`` and judge them on ``held_out``.

    Pictures are flattened, and of more than :data:`FEW` only that many, drawn at random
    with a fixed seed, are learned from. Logistic regression needs two classes and is left
    out where ``train`` has one. No examples on either side: no baselines.
    """
    # scikit-learn takes a second to import, so a page that shows no baselines never does.
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
    from threadpoolctl import threadpool_limits

    if not len(train) or not len(held_out):
        return []
    if train.inputs[0].numel() >= WIDE and len(train) > FEW:
        chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:FEW]
        train = Examples(*train[chosen])

    methods: list[tuple[str, Any]]
    # A leaf of a tree answers with the mean of its examples: one alone would only be noise.
    leaf = max(1, min(20, len(train) // 20))
    if task == "regression":
        methods = [
            (N_("Mean"), DummyRegressor()),
            (N_("Linear regression"), LinearRegression()),
            (N_("Decision tree"), DecisionTreeRegressor(min_samples_leaf=leaf, random_state=0)),
        ]
    else:
        # "prior" answers with the most frequent class and the classes' shares.
        methods = [(N_("Most frequent class"), DummyClassifier(strategy="prior"))]
        if len(train.targets.unique()) > 1:
            logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
            methods.append((N_("Logistic regression"), logistic))
        tree = DecisionTreeClassifier(min_samples_leaf=leaf, random_state=0)
        methods.append((N_("Decision tree"), tree))

    inputs, targets = _numpy(train, task)
    found = []
    for name, method in methods:
        with threadpool_limits(1, user_api="blas"):  # somebody's network trains on the others
            method.fit(inputs, targets)
        judge = _errors if task == "regression" else _chances
        found.append(Baseline(name, judge(method, *_numpy(held_out, task)), len(train)))
    return found


def _numpy(examples: Examples, task: Task) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Inputs (n, values of one example) and targets (n,): values, or whole class numbers."""
    targets = examples.targets.double() if task == "regression" else examples.targets.long()
    return examples.inputs.flatten(1).double().numpy(), targets.numpy()


def _errors(method: Any, inputs: NDArray[np.float64], targets: NDArray[Any]) -> dict[str, float]:
    error = method.predict(inputs) - targets
    return {"mae": float(np.abs(error).mean()), "mse": float((error**2).mean())}


def _chances(method: Any, inputs: NDArray[np.float64], targets: NDArray[Any]) -> dict[str, float]:
    """Accuracy and log loss; a class that training never saw has no probability."""
    chances = method.predict_proba(inputs)
    right = method.classes_[chances.argmax(axis=1)] == targets
    true = (chances * (method.classes_ == targets[:, None])).sum(axis=1)
    # A tree may be certain and wrong, an infinite loss: the clip makes that 16 nats.
    return {
        "accuracy": float(right.mean()),
        "log_loss": float(-np.log(true.clip(min=1e-7)).mean()),
    }

"""What a network is compared with: the best possible where it is known, and simple methods."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import blake2b
from typing import Any

import streamlit as st

from playground.data.dataset import Dataset, Examples
from playground.errors import PlaygroundError
from playground.experiments.baselines import Baseline, baselines
from playground.metrics import figures, is_share
from playground.projects import project
from playground.recipe import Recipe
from playground.runtime.run import Run
from playground.ui.charts.vega import Line
from playground.ui.project.evaluation import Tested
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.shell.once import once
from playground.ui.shell.parts import part
from playground.ui.shell.server import TURNS
from playground.ui.widgets.recipe_words import unit_of


@once
def _worker() -> ThreadPoolExecutor:
    """One thread for all: baselines of pictures take seconds, and no page waits for them."""
    return ThreadPoolExecutor(1, "baselines")


@st.cache_resource(max_entries=64, show_spinner=False)
def _fitted(
    depends_on: tuple[Hashable, ...],  # noqa: ARG001 (the cache's key)
    split: str,
    _dataset: Dataset,
) -> Future[list[Baseline]]:
    """The baselines on a run's own split; cached by everything that the split depends on."""
    held_out = getattr(_dataset, split)
    return _worker().submit(baselines, _dataset.train, held_out, _dataset.task)


def fitted(run: Run, split: str) -> Future[list[Baseline]]:
    """Baselines that learn from the run's training split and are measured on ``split``.

    Raises:
        PlaygroundError: data that cannot be had.
    """
    options = tuple(sorted(run.recipe.data.items()))
    dataset = run.dataset()
    depends_on = (
        run.project.name,
        options,
        run.recipe.seed,
        dataset.source,  # MNIST may have been fetched since
        fingerprint(run.own),
    )
    return _fitted(depends_on, split, dataset)


def fingerprint(own: Examples | None) -> bytes:
    """What tells a student's own examples from all others: the inputs, *and* the answers.

    In a class that fills in one template, the inputs are everybody's.
    """
    found = blake2b(digest_size=16)
    for values in () if own is None else (own.inputs, own.targets):
        found.update(f"{values.dtype}{tuple(values.shape)}".encode())
        found.update(values.numpy().tobytes())
    return found.digest()


@st.cache_data(max_entries=64, show_spinner=False)
def _best(recipe: str, split: str) -> Mapping[str, float]:
    read = Recipe.from_json(recipe)
    return project(read.project).best(read, split)


def best(recipe: Recipe, split: str) -> Mapping[str, float]:
    """The best figures that any model could reach on ``split``; empty where nobody knows."""
    return _best(recipe.to_json(), split)


def lines(run: Run) -> dict[str, Sequence[Line]]:
    """The best possible, and the baselines, as lines on the charts of the validation split."""
    found: dict[str, list[Line]] = {}
    if not run.loaded:
        return dict(found)
    metric = run.project.metric
    for figure, value in best(run.recipe, "validation").items():
        name = "loss" if figure in ("log_loss", "mse") else figure
        label = _(metric.limit)
        if name != "loss" or is_limit_of(run.recipe):
            found.setdefault(name, []).append(Line(label, value, best=True))
    try:
        fitting = fitted(run, "validation")
    except PlaygroundError:
        return dict(found)  # the page says it where the data is shown
    if fitting.done():
        for row in fitting.result():
            line = Line(_(row.name), row.figures[metric.name])
            found.setdefault(metric.name, []).append(line)
    return dict(found)


def is_limit_of(recipe: Recipe) -> bool:
    """Is the best log loss (or MSE) also the least that the recipe's own loss could be?"""
    if recipe.loss == "cross_entropy":
        return not recipe.label_smoothing  # which asks for something else than the truth
    return recipe.loss in ("bce", "mse")


def comparison(result: Tested) -> None:
    """The network beside the baselines and the best possible, all on the test split."""
    with part(_("Comparison")):
        _comparison(result)


def _comparison(result: Tested) -> None:
    run = result.run
    task = run.project.task
    own_figures = figures(task, result.outputs, result.dataset.test.targets)
    shown = ("mae", "mse") if task == "regression" else ("accuracy",)
    rows: list[tuple[str, Mapping[str, float]]] = [(_("this network"), own_figures)]
    with st.spinner(_("Measuring …")), TURNS.released():
        rows += [(_(row.name), row.figures) for row in fitted(run, "test").result()]
    limit = best(run.recipe, "test")
    if limit:
        rows.append((_("the best any model could do"), limit))
    unit = unit_of(run.project)
    titles = {
        "mae": _("Mean error") + (f" [{unit}]" if unit else ""),
        "mse": _("MSE") + (f" [{unit}²]" if unit else ""),
        "accuracy": _("Accuracy"),
    }
    table: dict[str, list[Any]] = {_("On the test set"): [name for name, row in rows]}
    for figure in shown:
        values = [row[figure] for name, row in rows]
        written = language.percent if is_share(figure) else _three_digits
        table[titles[figure]] = [written(value) for value in values]
    st.dataframe(table, hide_index=True)


def _three_digits(value: float) -> str:
    return language.number(value, 3)

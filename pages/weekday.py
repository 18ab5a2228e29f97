"""Weekday: a classification with seven classes, some of which nobody can tell apart."""

from collections.abc import Mapping
from typing import cast

import streamlit as st
import torch

from playground.fields import Value
from playground.projects import project
from playground.projects.base import Predictor
from playground.projects.table import TableProject
from playground.projects.weekday import data as weekday
from playground.runtime.run import Run
from playground.ui.charts import vega
from playground.ui.project import evaluation, table_page
from playground.ui.project.baselines import comparison
from playground.ui.project.page import begin, project_page
from playground.ui.project.verdict import guessing
from playground.ui.project.workbench import predictor_or_message
from playground.ui.shell import browser, language
from playground.ui.shell.language import _
from playground.ui.shell.widget_state import bind
from playground.ui.widgets.controls import Panel

WEEKDAY = cast(TableProject, project("weekday"))
begin(WEEKDAY)
own = table_page.OwnTable(WEEKDAY)
NAMES = {day: _(name) for day, name in WEEKDAY.label_names.items()}


def try_it(run: Run) -> None:
    row = table_page.ask(WEEKDAY, places=2)
    predictor = predictor_or_message(run)
    if predictor is None:
        return
    answer = predictor.answer(WEEKDAY.encoder.encode(row))  # of more than 24 hours too
    total = sum(cast(float, hours) for hours in row.values())
    if total > 24:
        st.caption(
            ":material/info: "
            + _(
                "That makes {n} hours, more than a day has. The network will answer anyway.",
                n=language.number(total, 1),
            )
        )
    assert answer.label is not None
    assert answer.probabilities is not None
    vega.probability_bars(answer.probabilities, NAMES, "weekday.bars")
    browser.say_answer(NAMES[answer.label], answer.probabilities[answer.label])
    guessing(run)
    sweep(predictor, row)


def sweep(predictor: Predictor, row: Mapping[str, Value]) -> None:
    """What changes the answer: one column goes through its range, the others are held."""
    columns = {column.name: column for column in WEEKDAY.encoder.columns}
    name = st.selectbox(
        _("What changes the answer?"),
        list(columns),
        format_func={name: _(column.label) for name, column in columns.items()}.__getitem__,
        **bind("weekday.sweep", "morning"),
        help=_(
            "This input runs from its lowest to its highest value; the others stay as you set them."
        ),
    )
    steps = torch.linspace(columns[name].low, columns[name].high, 49)
    inputs = WEEKDAY.encoder.encode(row).repeat(len(steps), 1)
    inputs[:, list(columns).index(name)] = steps
    vega.shares_over(
        steps.tolist(),
        predictor.ask(inputs).tolist(),
        [NAMES[day] for day in weekday.DAYS],
        x_title=f"{_(columns[name].label)} [h]",
        marked=cast(float, row[name]),
        key="weekday.shares",
    )


def data(panel: Panel, run: Run) -> None:
    language.prose("weekday", "data")
    table_page.data(panel, run, own)


def evaluate(run: Run) -> None:
    result = evaluation.tested(run)
    if result is not None:
        evaluation.classification(result, list(NAMES.values()))
        comparison(result)


project_page(
    WEEKDAY,
    try_it=try_it,
    data=data,
    evaluate=evaluate,
    own=own.examples,
)

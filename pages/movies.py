"""Movies: a yes-no question, whose answer is a probability."""

from typing import cast

import streamlit as st
import torch

from playground.projects import project
from playground.projects.movies import data as movies
from playground.projects.table import GeneratedTable
from playground.runtime.run import Run
from playground.ui.charts import vega
from playground.ui.project import evaluation, table_page
from playground.ui.project.baselines import comparison
from playground.ui.project.page import begin, project_page
from playground.ui.project.verdict import guessing
from playground.ui.project.workbench import predictor_or_message
from playground.ui.shell import browser, language
from playground.ui.shell.language import _
from playground.ui.widgets.controls import Panel

MOVIES = cast(GeneratedTable, project("movies"))
begin(MOVIES)
own = table_page.OwnTable(MOVIES)
AGES = range(8, 91, 4)


def try_it(run: Run) -> None:
    row = table_page.ask(MOVIES, places=2)
    predictor = predictor_or_message(run)
    if predictor is None:
        return
    answer = predictor.predict(row)
    assert answer.probabilities is not None
    likes = language.percent(answer.probabilities["yes"], 0)
    st.metric(_("Probability of liking it"), likes)
    browser.say(_("Probability of liking it") + f": {likes}", "answer")
    guessing(run)
    vega.probability_bars(
        answer.probabilities,
        {label: _(name) for label, name in MOVIES.label_names.items()},
        "movies.bars",
    )


def taste(run: Run) -> None:
    """Age × genre, learned beside true, at the duration and popularity that are set."""
    predictor = predictor_or_message(run)
    if predictor is None:
        return
    known = MOVIES.knows_truth(run.recipe)
    title = _("Who likes what? Age × genre, learned and true")
    if not known:
        title = _("Who likes what? Age × genre, as the network learned it from your rows")
    st.markdown(f"**{title}**")
    held = {name: st.session_state[f"movies.ask.{name}"] for name in ("duration", "popularity")}
    rows = [{"age": age, "genre": genre, **held} for genre in movies.GENRES for age in AGES]
    inputs = MOVIES.encoder.encode_rows(rows)
    learned = predictor.ask(inputs)
    truth = movies.probability(inputs, table_page.noise_of(run))
    names = [_(movies.COLUMNS[1].choice_labels[genre]) for genre in movies.GENRES]
    left, right = st.columns(2, gap="medium")
    shape = (len(movies.GENRES), len(AGES))
    maps = [(left, _("learned"), learned), *([(right, _("true"), truth)] if known else [])]
    for place, title, shares in maps:
        with place:
            vega.heat_map(
                torch.reshape(shares, shape).tolist(),
                list(AGES),
                names,
                title,
                _("Age") + f" [{_('years')}]",
                _("genre"),
                f"movies.heat.{title}",
            )
    st.caption(
        _(
            "For movies of {minutes} minutes and popularity {popularity}, as set above.",
            minutes=held["duration"],
            popularity=held["popularity"],
        )
    )


def data(panel: Panel, run: Run) -> None:
    language.prose("movies", "data")
    table_page.data(panel, run, own)


def evaluate(run: Run) -> None:
    taste(run)
    result = evaluation.tested(run)
    if result is not None:
        evaluation.binary(result)
        comparison(result)


project_page(
    MOVIES,
    try_it=try_it,
    data=data,
    evaluate=evaluate,
    own=own.examples,
)

"""Coffee price: a regression. Three questions in, one price out."""

from typing import cast

import streamlit as st

from playground.projects import project
from playground.projects.coffee import data as coffee
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

COFFEE = cast(GeneratedTable, project("coffee"))
begin(COFFEE)
own = table_page.OwnTable(COFFEE)


def try_it(run: Run) -> None:
    row = table_page.ask(COFFEE)
    predictor = predictor_or_message(run)
    if predictor is None:
        return
    price = predictor.predict(row).value
    assert price is not None
    said = f"{language.number(price, 2)} zł"
    st.metric(_("The network's price"), said)
    browser.say_answer(said)
    guessing(run)
    known = COFFEE.knows_truth(run.recipe)
    menu = coffee.menu()
    learned = predictor.ask(COFFEE.encoder.encode_rows(menu)).tolist()
    truth = coffee.price(COFFEE.encoder.encode_rows(menu)).tolist()
    sizes = coffee.COLUMNS[0].choice_labels
    vega.compare_lines(
        [
            {
                "x": item["extras"],
                "line": _(sizes[str(item["size"])]),
                "learned": said,
                **({"true": right} if known else {}),
            }
            for item, said, right in zip(menu, learned, truth, strict=True)
            if item["takeaway"] == row["takeaway"]
        ],
        x_title=_("extras"),
        y_title=_("price [zł]"),
        names=[_(label) for label in sizes.values()],
        key="coffee.curves",
    )
    if known:
        st.caption(_("Lines: the network's answers. Crosses: the true rule, without noise."))
    else:
        st.caption(_("Lines: the network's answers. Nobody knows the rule behind your own rows."))


def data(panel: Panel, run: Run) -> None:
    language.prose("coffee", "data")
    table_page.data(panel, run, own)


def evaluate(run: Run) -> None:
    result = evaluation.tested(run)
    if result is not None:
        evaluation.regression(result)
        comparison(result)


project_page(
    COFFEE,
    try_it=try_it,
    data=data,
    evaluate=evaluate,
    own=own.examples,
)

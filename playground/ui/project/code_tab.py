"""The run as code: shown beside the sliders, to take away as a script or a notebook."""

from __future__ import annotations

import difflib
from typing import Final

import streamlit as st

from playground import prose
from playground.data.dataset import Examples
from playground.export.notebook import notebook
from playground.export.script import Part, parts, text
from playground.i18n import N_
from playground.recipe import Recipe
from playground.runtime.run import Run
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.widgets import code_view
from playground.ui.widgets.code_view import Row

LONGEST: Final = 60  # lines of one part on the page; own data may have thousands


def code(run: Run, recipe: Recipe, own: Examples | None) -> None:
    """The script of ``run``, or of the sliders' ``recipe`` once they say something else."""
    snapshot = run.snapshot()
    begun = snapshot.state != "ready"
    name = run.project.name
    of_run = parts(run.recipe, snapshot.history, run.own) if begun else None
    moved = recipe.with_(threads=run.recipe.threads) != run.recipe
    now = parts(recipe, None, own) if of_run is None or moved else of_run
    before = _before(name, now) if of_run is None or not moved else of_run
    language.prose("export", "intro")
    with st.container(horizontal=True):
        kept = of_run or now
        st.download_button(
            _("Python script"),
            text(kept),
            f"{name}.py",
            "text/x-python",
            icon=":material/download:",
            key=f"{name}.export.script",
            on_click="ignore",
        )
        st.download_button(
            _("Notebook"),
            notebook(kept, _prose()),
            f"{name}.ipynb",
            "application/x-ipynb+json",
            icon=":material/download:",
            key=f"{name}.export.notebook",
            on_click="ignore",
        )
    if of_run is not None and moved:
        st.caption(
            _(
                "Below is the code for the sliders as they are now. Marked lines differ from the "
                "run that you started. The files hold the run that you started."
            )
        )
    _show(now, before)


def _before(name: str, now: list[Part]) -> list[Part]:
    """What stood here before the last change; both are kept in the session."""
    key = f"{name}.export.shown"
    before, shown = st.session_state.get(key, (now, now))
    if shown != now:
        before, shown = shown, now
    st.session_state[key] = before, shown
    return list(before)


TITLES: Final = {
    "data": N_("Data"),
    "model": N_("Model"),
    "loss": N_("Loss function"),
    "optimizer": N_("Optimizer"),
    "training": N_("Training loop"),
    "ask": N_("Ask it"),
}
"""The parts of a script, as the lecture calls them."""


def _show(now: list[Part], before: list[Part]) -> None:
    """The five parts of the lecture, line by line; the gathered source can be opened."""
    code_view.style()
    old = {part.name: part.code for part in before}
    head, helpers, *lecture = now
    left, right = st.columns(2, gap="medium")
    for number, part in enumerate(lecture, 1):
        with right if part.name in ("training", "ask") else left:
            st.markdown(f"**{number}. {_(TITLES[part.name])}**")
            code_view.show(changed_rows(part.code, old[part.name]))
    with st.expander(
        _(
            "Playground code that it uses: {n} lines",
            n=language.number(len(helpers.code.splitlines())),
        )
    ):
        st.code(f"{head.code}\n\n\n{helpers.code}", "python", height=420)


def changed_rows(now: str, before: str) -> list[Row]:
    """The first lines of ``now``, those that are not in ``before`` marked.

    Cut before they are compared: of thousands of own rows, many alike, that would take minutes.
    """
    lines, old = now.splitlines(), before.splitlines()[: 2 * LONGEST]
    hidden = len(lines) - LONGEST if len(lines) > LONGEST + 1 else 0
    if hidden:
        lines = lines[:LONGEST]
    rows = []
    matcher = difflib.SequenceMatcher(None, old, lines, autojunk=False)
    for kind, _from, _to, start, end in matcher.get_opcodes():
        rows += [Row(line, new=kind != "equal") for line in lines[start:end]]
    if hidden:
        rows.append(Row(language.counted("# … {n} more line", "# … {n} more lines", hidden)))
    return rows


def _prose() -> dict[str, str]:
    """What the notebook says before each part, in the reader's language."""
    sections = prose.sections("export", language.current())
    return {name: text for name, text in sections.items() if name != "intro"}

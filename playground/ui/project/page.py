"""The page of a project, in the lecture's order: every project uses this one frame."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground import models
from playground.data.dataset import Examples
from playground.experiments import permalink
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.runtime.run import Run
from playground.ui.project import baselines, code_tab, keep_tab
from playground.ui.project.inside.tab import inside
from playground.ui.project.workbench import current_run, workbench
from playground.ui.shell import frame, language
from playground.ui.shell.language import _
from playground.ui.shell.parts import part
from playground.ui.shell.widget_state import bind, tabs_by_icon
from playground.ui.widgets import share_link
from playground.ui.widgets.controls import MAIN, MORE, Panel


def project_page(
    project: Project,
    *,
    try_it: Callable[[Run], None],
    data: Callable[[Panel, Run], None],
    evaluate: Callable[[Run], None],
    own: Callable[[Recipe], Examples | None] = lambda _recipe: None,
) -> None:
    """Settings (left), training (middle), trying (right); below: data, model, evaluation.

    The page gives what differs: ``try_it`` draws the right column and ``data`` and
    ``evaluate`` the tabs of these names; ``own`` gives the student's own examples for a
    recipe.
    """
    panel = Panel(project)
    # In the order of a phone, where they stand below each other and where the keyboard and a screen
    # reader follow it; on a wide screen style.css turns the row round.
    bench, settings = st.columns([3.6, 1], gap="medium")
    with settings, st.container(key="settings"), part(_("Settings")):
        if panel.shows(permalink.PRESET):
            _presets(panel)
        panel.show(*MAIN)
        if panel.chosen:
            panel.show(*MORE)
            share_link.note(panel)
        else:
            # Drawn when somebody opens it: a score of widgets is a third of the page's work.
            more = st.expander(
                _("More settings"),
                icon=":material/tune:",
                key=f"{project.name}.more",
                on_change="rerun",
            )
            if more.open:
                with more:
                    panel.show(*MORE)
    recipe = panel.recipe()
    examples = None
    with part(_("Your own data")):
        examples = own(recipe)
    run = current_run(panel, recipe, examples)
    with bench:
        workbench(panel, recipe, examples, try_it, baselines.lines)
    parts: dict[str, tuple[str, Callable[[], None]]] = {
        "dataset": (_("Data"), lambda: data(panel, run)),
        "hub": (_("Model"), lambda: model_table(run)),
        "visibility": (_("Inside"), lambda: inside(run)),
        "verified": (_("Test"), lambda: evaluate(run)),
        "code": (_("Code"), lambda: code_tab.code(run, recipe, examples)),
        "save": (_("Save"), lambda: keep_tab.offer(run, panel, own)),
    }
    titles = {icon: title for icon, (title, _draw) in parts.items()}
    places = tabs_by_icon(titles, f"{project.name}.tabs")
    for place, (title, draw) in zip(places, parts.values(), strict=True):
        if place.open:
            with place, part(title):
                draw()


def _presets(panel: Panel) -> None:
    """A choice of recipes worth trying; choosing one moves the sliders and trains nothing."""
    presets = {preset.name: preset for preset in panel.project.presets}
    key = panel.key("preset")

    def choose() -> None:
        name = st.session_state[key]
        if name is not None:
            panel.apply(panel.project.preset(name))

    if presets:
        st.selectbox(
            _("Preset"),
            list(presets),
            index=None,
            format_func={name: _(preset.label) for name, preset in presets.items()}.__getitem__,
            **bind(key, then=choose),
            placeholder=_("Choose settings worth trying"),
        )
        if st.session_state.get(key) in presets:
            st.caption(_(presets[st.session_state[key]].sentence))


def model_table(run: Run) -> None:
    """What each layer of the real module puts out, and how many numbers training may change."""
    network = run.project.build(run.recipe)
    rows = models.layers(network, run.project.input_shape(run.recipe))
    language.prose("project", "model")
    st.dataframe(
        {
            _("Layer"): [row.name for row in rows],
            _("Output shape"): [" × ".join(map(str, row.shape)) for row in rows],
            _("Weights and biases"): [language.number(row.parameters) for row in rows],
        },
        hide_index=True,
        alt=_("Layers of the network"),
    )
    total = models.parameters(network)
    st.markdown(_("**{n}** weights and biases in all.", n=language.number(total)))
    if run.project.task == "classification":
        language.prose("project", "softmax")


def begin(project: Project) -> None:
    """The page's frame, before anything else may go wrong."""
    frame.page(project.title, project.purpose)

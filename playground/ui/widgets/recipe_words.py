"""A recipe in the reader's words: what its settings are called and how their values are written."""

from __future__ import annotations

from typing import cast

import streamlit as st

from playground.desks.run_list import RunEntry
from playground.experiments import compare
from playground.fields import Field, Value
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.recipe import FIELDS, Recipe
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.widgets.controls import Panel

RESTORED = "restored"


def field_of(name: str) -> Field | None:
    """The field behind a name of :func:`compare.values`; None for the project itself."""
    if name.startswith(compare.OPTION):
        project, option = name.removeprefix(compare.OPTION).split(".", 1)
        return next(one for one in PROJECTS[project].data_fields if one.name == option)
    return FIELDS.get(name)


def unit_of(project: Project) -> str:
    """The unit of what a regression predicts."""
    return _(project.unit) if project.unit else ""


def title(name: str) -> str:
    """What a setting is called."""
    field = field_of(name)
    return _("Project") if field is None else _(field.label)


def value(name: str, found: Value | None) -> str:
    """A setting's value in words and with its unit; a dash where there is none."""
    if found is None:
        return "–"
    field = field_of(name)
    if field is None:
        return _(PROJECTS[str(found)].title)
    return written(field, found)


def written(field: Field, found: Value) -> str:
    """``found`` as the reader writes it, with the field's unit."""
    if isinstance(found, bool):
        return _("yes") if found else _("no")
    if field.name == "threads" and not found:
        return _("chosen at the start")
    if isinstance(found, tuple):
        return " · ".join(map(str, found))
    if isinstance(found, str):
        return _(field.choice_labels.get(found, found))
    unit = f" {_(field.unit)}" if field.unit else ""
    return exact(found) + unit


def layers(neurons: tuple[int, ...]) -> str:
    """Hidden layers in words: 16 is not to be taken for so many layers."""
    if len(neurons) == 1:
        return language.counted("Hidden layer: {n} neuron", "Hidden layer: {n} neurons", neurons[0])
    count = language.counted("{n} hidden layer", "{n} hidden layers", len(neurons))
    return f"{count}: {', '.join(map(str, neurons))}"


def exact(number: float) -> str:
    """All digits that ``number`` has, up to ten places: 0.00949, 0.1, 256."""
    digits = len(f"{number:.10f}".rstrip("0").partition(".")[2])
    return language.number(number, digits)


def changes(kept: RunEntry) -> str:
    """What a run differs in from its project's usual settings, in one line."""
    recipe = kept.recipe
    project = PROJECTS[recipe.project]
    said = [
        f"{title(name)} {value(name, own)} ({value(name, usual)})"
        for name, (usual, own) in compare.changed(recipe, project.recipe()).items()
    ]
    moved = sum(one.name != "threads" for one in kept.history.changes)
    if moved:
        said.append(
            language.counted("{n} change while training", "{n} changes while training", moved)
        )
    own_examples = kept.history.data.get("own")
    if own_examples:
        said.append(_("your own examples: {n}", n=language.number(cast(int, own_examples))))
    return ", ".join(said) or _("nothing")


def restore(recipe: Recipe) -> None:
    """Put ``recipe`` on its project's sliders, and let the page say so. Not for a callback."""
    Panel(PROJECTS[recipe.project]).apply(recipe)
    st.session_state[RESTORED] = recipe.project


def restored() -> None:
    """After :func:`restore`: say it, with the way to the project's page."""
    name = st.session_state.get(RESTORED)
    if name is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(
            ":material/check: "
            + _(
                "The sliders of **{project}** have these settings now.",
                project=_(PROJECTS[name].title),
            ),
            width="content",
        )
        st.page_link(
            f"pages/{name}.py",
            label=_("Open {project}", project=_(PROJECTS[name].title)),
            icon=":material/arrow_forward:",
        )

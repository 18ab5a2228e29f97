"""Change a copy of the network by hand, and see what that does to its validation figure."""

from __future__ import annotations

from typing import Final

import streamlit as st
from torch import nn

from playground.data.dataset import Examples
from playground.insight import surgery
from playground.insight.anatomy import Stage, examined, sources, stages, weights
from playground.insight.surgery import Edit, Off, SetWeight
from playground.training import evaluate
from playground.ui.charts import changed
from playground.ui.project.inside.session import Network, column_names, output_names, stage_names
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.shell.widget_state import bind

MAX_EXAMPLES: Final = 1000  # validation examples that a change is measured on
NAMED: Final = 40  # weights of a neuron that are offered by name
STOPS: Final = 41  # of the slider, around zero


def view(network: Network) -> None:
    """What to change (left), what that does (middle), what was changed (right).

    Nothing here moves by itself: the changes are made to the network as it was before the
    first of them.
    """
    look = network.look
    if look.patient is None or not look.edits:
        look.patient = network
    present, network = network.subject, look.patient
    model = network.model
    parts = stages(model)
    names = stage_names(parts)
    left, middle, right = st.columns([1.1, 1, 1.1], gap="medium")
    with left:
        language.prose("inside", "surgery")
        stage, unit = _choose(network, parts, names)
        _switch(network, parts, stage, unit)
        _one_weight(network, stage, unit)
    with middle:
        _effect(network)
    with right:
        st.markdown("**" + _("Your changes") + "**")
        with st.container(horizontal=True):
            st.button(
                _("Undo"),
                icon=":material/undo:",
                key=f"{network.name}.undo",
                disabled=not look.edits,
                on_click=lambda: setattr(look, "edits", look.edits[:-1]),
            )
            st.button(
                _("Undo all"),
                icon=":material/restart_alt:",
                key=f"{network.name}.undo-all",
                disabled=not look.edits,
                on_click=lambda: setattr(look, "edits", ()),
            )
            st.button(
                _("Use the current weights"),
                icon=":material/refresh:",
                key=f"{network.name}.patient",
                disabled=present is network.subject,
                help=_(
                    "The network has trained further since this copy was made. Press to copy "
                    "it again. Your changes stay."
                ),
                on_click=lambda: setattr(look, "patient", Network.of(network.run, network.dataset)),
            )
        if not look.edits:
            st.caption(_("None yet: the copy is the same as the network."))
        lines = [f"{n}. {_words(network, parts, edit)}" for n, edit in enumerate(look.edits, 1)]
        st.markdown("\n".join(lines))
        st.caption(_("You are working on a copy. The real network is not affected."))


def _choose(network: Network, parts: list[Stage], names: list[str]) -> tuple[Stage, int]:
    """A layer, and one of its neurons (counted from 0)."""
    layers = {str(place): name for place, name in enumerate(names)}
    key = f"{network.name}.cut.layer"
    if st.session_state.get(key, "0") not in layers:
        st.session_state[key] = "0"
    st.selectbox(_("Layer"), list(layers), format_func=layers.__getitem__, **bind(key, "0"))
    stage = parts[int(st.session_state[key])]
    # A key of its own for each width, so that no number is left that the layer does not have.
    unit = f"{network.name}.cut.unit.{stage.number}.{stage.units}"
    st.number_input(
        _("Channel, from 1 to {n}", n=stage.units)
        if stage.kind == "conv"
        else _("Neuron, from 1 to {n}", n=stage.units),
        1,
        stage.units,
        **bind(unit, 1),
    )
    return stage, st.session_state[unit] - 1


def _switch(network: Network, parts: list[Stage], stage: Stage, unit: int) -> None:
    """A switch for a hidden neuron."""
    look = network.look
    edit = Off(stage.number, unit)
    key = f"{network.name}.cut.off"
    st.session_state[key] = edit in look.edits

    def flip() -> None:
        others = tuple(one for one in look.edits if one != edit)
        look.edits = (*others, edit) if st.session_state[key] else others

    st.toggle(
        _("Switched off"),
        disabled=stage is parts[-1],
        help=_(
            "A switched-off neuron always gives 0. You cannot switch off the output layer: "
            "its neurons are the answer."
        ),
        **bind(key, False, then=flip),
    )


def _one_weight(network: Network, stage: Stage, unit: int) -> None:
    """One of the neuron's weights, and a slider for its value."""
    model, look = network.model, network.look
    total = surgery.count(model, stage)
    key = f"{network.name}.cut.weight.{stage.number}.{total}"
    if total <= NAMED:
        named = {str(n): _weight(network, stage, n) for n in range(total)}
        st.selectbox(_("Weight"), list(named), format_func=named.__getitem__, **bind(key, "0"))
        weight = int(st.session_state[key])
    else:
        st.number_input(_("Weight, from 1 to {n}", n=total), 1, total, **bind(key, 1))
        weight = st.session_state[key] - 1
        st.caption(_weight(network, stage, weight))
    was = surgery.value(model, stage, unit, weight)
    mine = [
        one.value
        for one in look.edits
        if isinstance(one, SetWeight)
        and (one.stage, one.unit, one.weight) == (stage.number, unit, weight)
    ]
    now = mine[-1] if mine else was
    reach = 2 * float(weights(model, stage).detach().abs().max()) or 1.0
    grid = [reach * (n - STOPS // 2) / (STOPS // 2) for n in range(STOPS)]
    grid = sorted({*grid, was, now})
    slider = f"{network.name}.cut.value"
    st.session_state[slider] = now

    def set_weight() -> None:
        new = SetWeight(stage.number, unit, weight, st.session_state[slider])
        look.edits = surgery.with_edit(look.edits, new)

    st.select_slider(
        _("Its value (the network has {value})", value=language.number(was, 3)),
        grid,
        format_func={value: language.number(value, 3) for value in grid}.__getitem__,
        **bind(slider, then=set_weight),
    )


def _effect(network: Network) -> None:
    """The validation figure before and after."""
    edits, metric = network.look.edits, network.run.project.metric
    (before, after, count), step = network.paced("surgery", edits, lambda: compare(network, edits))
    st.markdown("**" + _("Before and after") + "**")
    title = _(metric.label)
    was, now = before[metric.name], after[metric.name]
    if metric.share:
        shown = [language.percent(value) for value in (was, now)]
        change = _("{n} percentage points", n=language.number(100 * (now - was), 1))
    else:
        shown = [language.number(value, 3) for value in (was, now)]
        change = language.number(now - was, 3)
    one, two = st.columns(2)
    one.metric(title + " · " + _("the network"), shown[0])
    changed.metric(
        two,
        title + " · " + _("your copy"),
        shown[1],
        change if now != was else None,
        less_is_better=not metric.higher_is_better,
    )
    one.metric(_("Loss") + " · " + _("the network"), language.number(before["loss"], 4))
    changed.metric(
        two,
        _("Loss") + " · " + _("your copy"),
        language.number(after["loss"], 4),
        language.number(after["loss"] - before["loss"], 4) if after != before else None,
        less_is_better=True,
    )
    st.caption(
        _(
            "On {n} validation examples, with the weights after step {step}.",
            n=language.number(count),
            step=language.number(step),
        )
    )


def compare(
    network: Network, edits: tuple[Edit, ...]
) -> tuple[dict[str, float], dict[str, float], int]:
    """Figures of the network and of a copy with ``edits``, and on how many examples."""
    examples: Examples = examined(network.model, network.dataset, MAX_EXAMPLES)

    def measured(model: nn.Sequential) -> dict[str, float]:
        return evaluate(model, examples, network.dataset, network.run.recipe)

    before = measured(network.model)
    after = measured(surgery.operated(network.model, edits)) if edits else before
    return before, after, len(examples)


def _words(network: Network, parts: list[Stage], edit: Edit) -> str:
    """One line of the list of changes."""
    stage = parts[edit.stage - 1]
    layer = stage_names(parts)[edit.stage - 1]
    who = _("no. {n}", n=edit.unit + 1)
    if stage is parts[-1]:
        who = output_names(network.run)[edit.unit]
    if isinstance(edit, Off):
        return _("{layer}, {unit}: switched off", layer=layer, unit=who)
    return _(
        "{layer}, {unit}: weight {weight} = {value}",
        layer=layer,
        unit=who,
        weight=_weight(network, stage, edit.weight),
        value=language.number(edit.value, 3),
    )


def _weight(network: Network, stage: Stage, weight: int) -> str:
    """Where a weight's signal comes from."""
    matrix = weights(network.model, stage)
    piece, place = divmod(weight, matrix[0].numel())
    pictures = network.run.project.pictures
    came_from = sources(network.model, pictures)[stage.number - 1]
    source, inside = divmod(place, matrix[0].numel() // came_from)
    spots = matrix[0].numel() // came_from  # of one source: kernel places, or pixels
    if stage.kind == "conv" or (stage.number == 1 and pictures):
        side = matrix.shape[-1] if stage.kind == "conv" else network.dataset.train.inputs.shape[-1]
        row, column = divmod(inside, side)
        text = _("row {row}, column {column}", row=row + 1, column=column + 1)
        if came_from > 1:
            text = _("channel {n}", n=source + 1) + ", " + text
    elif stage.number == 1:
        text = column_names(network.run)[source]
    elif spots > 1:
        text = _("channel {n}", n=source + 1) + ", " + _("place {n}", n=inside + 1)
    else:
        text = _("from neuron {n}", n=source + 1)
    return _("line {n}", n=piece + 1) + ", " + text if stage.pieces > 1 else text

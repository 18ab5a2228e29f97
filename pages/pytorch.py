"""PyTorch in five parts: code that follows the choices, line by line, and runs as shown."""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Final

import streamlit as st

from playground.i18n import N_
from playground.lesson import five_parts, five_parts_exchange, five_parts_run
from playground.lesson.five_parts import FIELDS, Choices, Program
from playground.lesson.five_parts_run import Outcome
from playground.ui.charts import curves, heatmap_2d, ticks, vega
from playground.ui.lesson import page as lesson
from playground.ui.shell import language, palette
from playground.ui.shell.language import _
from playground.ui.shell.server import TURNS
from playground.ui.widgets import code_view
from playground.ui.widgets.controls import short

# Part -> its fields.
PARTS: Final = {
    "start": ("seed",),
    "data": ("data",),
    "model": ("activation", "layers", "neurons"),
    "loss": ("class_loss", "value_loss"),
    "optimizer": ("optimizer", "learning_rate"),
    "loop": ("batch_size", "epochs"),
}
# The first field of a part carries its name, so that its choice stands beside its code.
LABELS: Final = {
    "data": N_("**1 · Data**"),
    "activation": N_("**2 · Model**: activation"),
    "class_loss": N_("**3 · Loss**"),
    "value_loss": N_("**3 · Loss**"),
    "optimizer": N_("**4 · Optimizer**"),
}
NOW: Final = "pytorch.now"  # in the session: the choices on the screen
BEFORE: Final = "pytorch.before"  # and those before the last change
RUN: Final = "pytorch.outcome"  # what the last run gave
EARLIER: Final = "pytorch.earlier"  # and the one before it, to compare with


dials = lesson.begin(
    "pytorch",
    N_("What is a PyTorch program made of, and what changes when you swap one part?"),
    [replace(field, label=LABELS.get(name, field.label)) for name, field in FIELDS.items()],
)


def remember(choices: Choices) -> Choices | None:
    """The choices before the last change."""
    if st.session_state.get(NOW) != choices:
        st.session_state[BEFORE] = st.session_state.get(NOW)
        st.session_state[NOW] = choices
    before: Choices | None = st.session_state[BEFORE]
    return before


def written(name: str, value: object) -> str:
    """A field's value as a person reads it."""
    if isinstance(value, str):
        label = FIELDS[name].choice_labels[value]
        return _(label)
    assert isinstance(value, int | float)
    return short(value)


def what_changed(before: Choices | None, choices: Choices) -> None:
    """What the last exchange means; before the first one, how to use the page."""
    change = before and five_parts_exchange.exchange(before, choices)
    with st.container(key="pytorch_change" if change else "pytorch_how"):
        if not change:
            language.prose("pytorch", "how")
            return
        label = FIELDS[change.field].label
        old, new = written(change.field, change.before), written(change.field, change.now)
        st.markdown(f"**{_(label)}: {old} → {new}.** {_(change.sentence)}")


def options(part: str, choices: Choices) -> None:
    """The widgets of one part."""
    if part == "loop":
        st.markdown(_("**5 · Training loop**"))
    hidden = {"class_loss", "value_loss"} - {choices.loss_field}
    names = [name for name in PARTS[part] if name not in hidden]
    if len(names) % 2:
        dials.show(names.pop(0))
    if names:
        for column, name in zip(
            st.columns(2, gap="small", vertical_alignment="bottom"), names, strict=True
        ):
            with column:
                dials.show(name)


def parts(program: Program, before: Choices | None) -> None:
    """Each part's choices beside its code; what the last change altered is marked."""
    current = language.current()
    new, gone = five_parts.altered(five_parts.write(before or program.choices, current), program)
    place, number = 0, 1
    for part, lines in program.parts.items():
        rows = [
            code_view.Row(
                line.text,
                _(line.why, **line.values) if line.why else "",
                place + n in new,
                place + n in gone,
            )
            for n, line in enumerate(lines)
        ]
        choose, code = st.columns([1, 2.3], gap="small")
        with choose, st.container(gap="xsmall"):
            options(part, program.choices)
        with code:
            code_view.show(rows, number)
        place, number = place + len(rows), number + len(rows) + 1  # an empty line between parts


def buttons(program: Program) -> None:
    """Run what is shown, or take it home: the same text in all three places."""
    run, take = st.columns(2, gap="small")
    if run.button(
        _("Run"), icon=":material/play_arrow:", type="primary", key="pytorch.run", width="stretch"
    ):
        with st.spinner(_("Running …")), TURNS.released():
            outcome = five_parts_run.run(program)
        last: Outcome | None = st.session_state.get(RUN)
        if last is not None and last.choices != outcome.choices:
            st.session_state[EARLIER] = last
        st.session_state[RUN] = outcome
    take.download_button(
        _("Download .py"),
        program.source,
        file_name=five_parts_run.FILE_NAME,
        mime="text/x-python",
        icon=":material/download:",
        key="pytorch.download",
        help=_("This code as a file. It needs nothing but PyTorch: python five_parts.py"),
        on_click="ignore",
        width="stretch",
    )


def figure(outcome: Outcome) -> str:
    """The final figure of a run in words."""
    assert outcome.figure is not None
    if outcome.choices.classes:
        return _("accuracy {share}", share=language.percent(outcome.figure))
    if not math.isfinite(outcome.figure):
        return _("mean error: infinite")
    unit = " zł" if outcome.choices.data == "price" else ""
    return _(
        "mean error {error}",
        error=language.number(outcome.figure, 3 if outcome.figure < 1e4 else 0) + unit,
    )


def result(program: Program) -> None:
    """The picture, the loss over the epochs, and the printed lines."""
    last: Outcome | None = st.session_state.get(RUN)
    earlier: Outcome | None = st.session_state.get(EARLIER)
    trained = last if last is not None and last.choices == program.choices else None
    outcome = trained or five_parts_run.untrained(program)
    if trained is None:
        title = _("**Not trained yet**: these are the answers of random weights.")
    else:
        title = _("**Trained.** On the validation data: {figure}.", figure=figure(trained))
    compared = last if trained is None else earlier
    # A price's error says nothing beside an accuracy, nor do other data.
    if compared is not None and compared.choices.data == program.choices.data:
        title += " " + _("Previous run: {figure}.", figure=figure(compared))
    with st.container(key="pytorch_title"):
        st.markdown(title)
    if program.choices.classes:
        regions(outcome)
    else:
        curve(outcome)
    if last is None:
        language.prose("pytorch", "before")
        return
    fell = losses(last, earlier)
    if trained is None:
        st.caption(_("The code has changed since the last run. Press Run to compare."))
        return
    if not fell:
        st.warning(
            _("The loss has not gone down: the steps are too large. Try a smaller learning rate."),
            icon=":material/trending_up:",
        )
    st.code("\n".join(trained.lines), language=None, height=130)


def regions(outcome: Outcome) -> None:
    """Which class the network sees where; the points it is to learn from."""
    x, y = five_parts_run.SPANS[outcome.choices.data]
    points = [
        heatmap_2d.Dot(x1, x2, heatmap_2d.CLASS_COLORS[int(target)], size=34)
        for (x1, x2), target in zip(outcome.inputs.tolist(), outcome.targets.tolist(), strict=True)
    ]
    heatmap_2d.plane(
        outcome.answers.nan_to_num(0.5),
        x,
        y,
        "x₁",
        "x₂",
        "pytorch.regions",
        _("The network's answer at each place: class 0 orange, class 1 blue; points: the data"),
        points,
        height=290,
    )


def curve(outcome: Outcome) -> None:
    """The network's value over its one input, and the points."""
    x, y = five_parts_run.SPANS[outcome.choices.data]
    price = outcome.choices.data == "price"
    x_title = _("size of the cup [100 ml]") if price else "x"
    y_title = _("price [zł]") if price else "y"
    steps = len(outcome.answers) - 1
    rows = [
        {"kind": "line", "x": x[0] + (x[1] - x[0]) * n / steps, "y": value}
        for n, value in enumerate(outcome.answers.tolist())
        if abs(value) < 1e6
    ]
    rows += [
        {"kind": "point", "x": px, "y": py}
        for px, py in zip(outcome.inputs.flatten().tolist(), outcome.targets.tolist(), strict=True)
    ]
    encoding = {
        "x": {
            "field": "x",
            "type": "quantitative",
            "title": x_title,
            "scale": {"domain": x, "nice": False},
        },
        "y": {
            "field": "y",
            "type": "quantitative",
            "title": y_title,
            "scale": {"domain": y, "nice": False},
        },
    }
    layers = [
        {
            "mark": {"type": "point", "filled": True, "size": 22, "opacity": 0.8, "clip": True},
            "transform": [{"filter": "datum.kind === 'point'"}],
            "encoding": {**encoding, "color": {"value": palette.CLASSES[4]}},
        },
        {
            "mark": {"type": "line", "strokeWidth": 3, "clip": True},
            "transform": [{"filter": "datum.kind === 'line'"}],
            "encoding": {**encoding, "color": {"value": palette.CLASSES[5]}},
        },
    ]
    alt = _("The network's output against its input, as a line; points: the data")
    vega.show(rows, {"layer": layers}, 290, "pytorch.curve", alt)


def losses(last: Outcome, earlier: Outcome | None) -> bool:
    """The loss over the epochs, beside that of the run before; whether it has gone down."""

    def same(field: str) -> bool:
        return earlier is not None and getattr(earlier.choices, field) == getattr(
            last.choices, field
        )

    lines: dict[str, Sequence[float]] = {_("last run"): last.losses}
    # Losses of another kind, or on other data, are not to be compared.
    if earlier is not None and same("data") and same("loss"):
        lines[_("previous run")] = earlier.losses
    drawn = {
        name: [(n, loss) for n, loss in enumerate(values, start=1) if loss < 1e30]
        for name, values in lines.items()
    }
    values = [loss for line in drawn.values() for _epoch, loss in line] or [1.0]
    # A first loss of a hundred must not press the others to the floor: what is far above is cut.
    top = min(max(values), 12 * median(values)) * 1.05 or 1.0
    end = [
        curves.Mark(n, loss, color=palette.TRAIN)
        for n, loss in drawn[_("last run")][-1:]  # of a single epoch there is no line to see
    ]
    curves.curves(
        {
            name: ([epoch for epoch, _loss in line], [loss for _epoch, loss in line])
            for name, line in drawn.items()
        },
        _("epoch"),
        _("Loss"),
        "pytorch.losses",
        _("Loss by epoch; in the last one {loss}", loss=ticks.written(last.losses[-1])),
        (1, max(2, *(len(values) for values in lines.values()))),
        (0, top),
        points=end,
        colors={_("last run"): palette.TRAIN, _("previous run"): palette.LIMIT},
        dashed=[_("previous run")],
        height=150,
    )
    return all(map(math.isfinite, last.losses)) and last.losses[-1] <= last.losses[0]


code_view.style()
choices = Choices(**{name: dials[name] for name in FIELDS})
program = five_parts.write(choices, language.current())
before = remember(choices)
what_changed(before, choices)
left, right = st.columns([2.25, 1], gap="medium")
with left, st.container(gap="xsmall"):
    parts(program, before)
with right:
    buttons(program)
    result(program)
lesson.finish("pytorch", dials)

"""Backpropagation: the chain rule from the loss back, factor by factor, on the small network."""

from __future__ import annotations

import streamlit as st

from playground.fields import Field
from playground.i18n import N_
from playground.insight import backprop, tiny
from playground.insight.backprop import Factor
from playground.ui import charts, formula, language, lesson, lesson_charts, network_drawing, palette
from playground.ui import tiny_network as drawn
from playground.ui.language import _

CURVE = 61  # points of a curve
DIGITS = drawn.DIGITS
GRADIENT = 4  # digits of a gradient
SPAN = 3.0  # of a parameter, to both sides
FIELDS = (
    Field(
        "view",
        "choice",
        "chain",
        N_("What to look at"),
        choices=("chain", "nudge", "step"),
        choice_labels={
            "chain": N_("The chain rule, factor by factor"),
            "nudge": N_("What a gradient promises"),
            "step": N_("One gradient step"),
        },
    ),
    Field(
        "parameter",
        "choice",
        "w11",
        N_("Weight or bias"),
        N_("The one whose gradient is looked for."),
        choices=tiny.PARAMETERS,
        choice_labels={name: drawn.written(name) for name in tiny.PARAMETERS},
    ),
    *drawn.FIELDS,
    Field(
        "target", "number", 1.0, N_("Target t"), N_("The right answer."), low=-1, high=1, step=0.1
    ),
    Field("step", "integer", 1, N_("Step"), low=0, high=5),
    Field("nudge", "number", 0.1, N_("Nudge Δ"), low=-2, high=2, step=0.1),
    Field(
        "learning_rate",
        "number",
        0.5,
        N_("Learning rate"),
        low=0,
        high=10,
        step=0.1,
    ),
)

dials = lesson.begin(
    "backpropagation", N_("How does each weight learn its share of the error?"), FIELDS
)
view = lesson.views(dials, "view")
shown = ("parameter", "activation") if view != "step" else ("activation",)
for place, name in zip(st.columns(3), shown, strict=False):
    with place:
        dials.show(name)

weights, inputs = drawn.parameters(dials), drawn.inputs(dials)
activation, target = dials["activation"], dials["target"]
setting = (weights, activation, inputs, target)
parameter = dials["parameter"]
trace = tiny.trace(tiny.build(weights, activation), inputs)
loss = backprop.loss(*setting)


def partial(of: str, by: str) -> str:
    return rf"\frac{{\partial {drawn.tex(of)}}}{{\partial {drawn.tex(by)}}}"


def partial_text(of: str, by: str) -> str:
    return f"∂{drawn.written(of)}/∂{drawn.written(by)}"


def where_from(factor: Factor) -> str:
    """Where a factor comes from: its rule, with the numbers put in, in LaTeX."""
    if factor.of == "L":
        return rf"2(a_3 - t) = 2({formula.tex(trace.answer, DIGITS)} {formula.term(-target, 1)})"
    neuron = int(factor.of[1])
    if factor.of.startswith("a"):
        a = formula.tex(trace.a[neuron], DIGITS)
        rest = formula.tex(1 - trace.a[neuron], DIGITS)
        at = rf"f'(z_{neuron}) = f'({formula.tex(trace.z[neuron], DIGITS)})"
        return {
            "sigmoid": rf"a_{neuron}(1 - a_{neuron}) = {a} \cdot {rest}",
            "tanh": rf"1 - a_{neuron}^2 = 1 - {formula.factor(trace.a[neuron], DIGITS)}^2",
            "relu": at,
            "leaky_relu": at,
            "none": at,
        }[activation]
    if factor.by.startswith("a"):
        return drawn.tex(f"w{neuron}{factor.by[1]}")
    if factor.by.startswith("w"):
        return f"{'a' if neuron == 3 else 'x'}_{factor.by[2]}"
    return ""


def digits_of(factor: Factor) -> int:
    """A weight, an input or the slope of a straight piece needs fewer than what was computed."""
    given = factor.of.startswith("z") or activation not in ("sigmoid", "tanh")
    return drawn.decimals(factor.value) if given and factor.of != "L" else DIGITS


def chain_formula(factors: list[Factor], done: int) -> str:
    """One line a factor: grey while it is not there yet, accented while it is the newest."""
    lines = []
    for place, factor in enumerate(factors, start=1):
        color = palette.ACCENT.now if place == done else palette.LIMIT.now if place > done else ""
        left = partial(factor.of, factor.by)
        rule, value = where_from(factor), formula.tex(factor.value, digits_of(factor))
        right = f"{rule} = {value}" if rule else value
        if place > done:
            right = "{?}"
        if color:
            left, right = (rf"\textcolor{{{color}}}{{{part}}}" for part in (left, right))
        lines.append(f"{left} &= {right}")
    return r"\begin{aligned}" + r" \\[6pt] ".join(lines) + r"\end{aligned}"


def product_formula(factors: list[Factor]) -> str:
    """What the chain amounts to so far."""
    numbers = " \\cdot ".join(formula.factor(factor.value, digits_of(factor)) for factor in factors)
    result = formula.tex(backprop.product(factors), GRADIENT)
    left = partial("L", factors[-1].by)
    if len(factors) == 1:
        return rf"{left} = {result}"
    return rf"\begin{{aligned}} {left} &= {numbers} \\ &\approx \mathbf{{{result}}} \end{{aligned}}"


def loss_formula() -> str:
    answer, wanted = formula.tex(trace.answer, DIGITS), formula.term(-target, 1)
    return rf"L = (a_3 - t)^2 = ({answer} {wanted})^2 = {formula.tex(loss, GRADIENT)}"


def step_labels(factors: list[Factor]) -> list[str]:
    """What each step of the walk asks."""
    labels = [_("Forward: the answer and its loss")]
    for number, factor in enumerate(factors, start=1):
        of, by = drawn.written(factor.of), drawn.written(factor.by)
        asked = _("How does {of} react to {by}?", of=of, by=by)
        labels.append(f"{number}/{len(factors)} · {asked}")
    return labels


def things_of(factor: Factor) -> tuple[set[str], str]:
    """What a factor lights in the drawing, and which neuron or weight its number stands at."""
    if factor.of == "L":
        return {"L", "3"}, "L"
    neuron = factor.of[1]
    if factor.of.startswith("a"):
        return {neuron}, neuron
    if factor.by.startswith("a"):
        return {f"w{neuron}{factor.by[1]}", factor.by[1]}, f"w{neuron}{factor.by[1]}"
    if factor.by.startswith("b"):
        return {neuron}, neuron
    source = factor.by[2] if neuron == "3" else f"x{factor.by[2]}"
    return {factor.by, source}, factor.by


def draw(
    lit: set[str] | None,
    marks: dict[str, tuple[str, str]],
    chosen: str | None,
    height: int = 340,
) -> None:
    network_drawing.draw(
        drawn.drawing(weights, trace, lit=lit, marks=marks, loss=(loss, target)),
        "backpropagation.net",
        alt=_(
            "The network; its answer is {answer}, the target {target}, the loss {loss}",
            answer=language.number(trace.answer, DIGITS),
            target=language.number(target, 1),
            loss=language.number(loss, GRADIENT),
        ),
        chosen=chosen,
        height=height,
        digits=DIGITS,
    )


def example_dials(*more: str) -> None:
    """The example, its target and what else may be moved."""
    names = [*more, "x1", "x2", "target"]
    for place, name in zip(st.columns(len(names)), names, strict=True):
        with place:
            dials.show(name)


def corner_note() -> None:
    """In the corner of ReLU there is no slope, only a left and a right one."""
    if activation in ("relu", "leaky_relu") and 0.0 in (round(z, 9) for z in trace.z.values()):
        st.caption(
            _(
                "A weighted sum is exactly 0, in the corner of the activation function. It has "
                "two slopes there: torch takes the left one, a finite difference the mean of both."
            )
        )


def chain() -> None:
    factors = backprop.chain(parameter, weights, activation, trace, target)
    done = lesson.stepper(dials, "step", step_labels(factors))
    lit, marks, chosen = None, {}, None
    if done:
        lit = set()
        for factor in factors[:done]:
            things, place = things_of(factor)
            lit |= things
        newest = factors[done - 1]
        marks[place] = (
            partial_text(newest.of, newest.by),
            language.number(round(newest.value, DIGITS) + 0.0, digits_of(newest)),
        )
        chosen = place
    left, right = st.columns([3, 2], gap="medium")
    with left:
        draw(lit, marks, chosen)
        example_dials(parameter)
    with right:
        first = loss_formula()
        st.latex(first)
        lines = chain_formula(factors, done)
        st.latex(lines)
        if done:
            so_far = product_formula(factors[:done])
            st.latex(so_far)
    check, why = st.columns([3, 2], gap="medium")
    with check:
        st.markdown("**" + _("Each gradient, found in three ways") + "**")
        three_ways()
    with why:
        language.prose("backpropagation", "ways")


def three_ways() -> None:
    """Own chain rule, autograd, finite difference, for each parameter."""
    ways = [way(*setting) for way in (backprop.by_hand, backprop.autograd, backprop.differences)]
    head = [_("parameter"), _("chain rule"), _("autograd"), _("finite difference")]
    lines = ["| " + " | ".join(head) + " |", "|---|--:|--:|--:|"]
    for name in tiny.PARAMETERS:
        bold = "**" if name == parameter else ""
        cells = [f"{bold}{language.number(round(way[name], 6) + 0.0, 6)}{bold}" for way in ways]
        lines.append(f"| {bold}∂L/\u2060∂{drawn.written(name)}{bold} | " + " | ".join(cells) + " |")
    table = "\n".join(lines)
    st.markdown(table)
    corner_note()


def nudge() -> None:
    delta, now = dials["nudge"], weights[parameter]
    gradient = backprop.autograd(*setting)[parameter]
    low, high = now - SPAN, now + SPAN
    xs = [low + (high - low) * place / (CURVE - 1) for place in range(CURVE)]
    *curve, moved = backprop.losses(*setting, parameter, [*xs, now + delta])
    predicted = gradient * delta
    tangent = [loss + gradient * (x - now) for x in (low, high)]
    name = drawn.written(parameter)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        lesson_charts.curves(
            {
                _("loss"): (xs, curve),
                _("what the gradient predicts"): ([low, high], tangent),
            },
            x_title=name,
            y_title=_("Loss"),
            key="backpropagation.nudge_curve",
            alt=_(
                "The loss over {name}: now {loss}, after the nudge {moved}",
                name=name,
                loss=language.number(loss, GRADIENT),
                moved=language.number(moved, GRADIENT),
            ),
            x=(low, high),
            y=_loss_axis([*curve, moved]),
            points=[
                # Only one has a name: they may lie close to each other.
                lesson_charts.Mark(now, loss, color=palette.TRAIN),
                lesson_charts.Mark(now + delta, moved, "+Δ", palette.VALIDATION),
            ],
            dashed=[_("what the gradient predicts")],
            height=360,
        )
        example_dials(parameter, "nudge")
    with right:
        st.markdown(
            _(
                "If **{name}** changes by **{delta}**, the loss changes by about **{predicted}**. "
                "Really it changes by **{actual}**.",
                name=name,
                delta=_signed(delta, 1),
                predicted=_signed(predicted, GRADIENT),
                actual=_signed(moved - loss, GRADIENT),
            )
        )
        left_side = partial("L", parameter)
        product = (
            f"{formula.factor(gradient, GRADIENT)} \\cdot {formula.factor(delta, 1)}"
            f" &= {formula.tex(predicted, GRADIENT)}"
        )
        difference = (
            f"{formula.tex(moved, GRADIENT)} {formula.term(-loss, GRADIENT)}"
            f" &= {formula.tex(moved - loss, GRADIENT)}"
        )
        lines = rf"""\begin{{aligned}}
            {left_side} \cdot \Delta = {product} \\[6pt]
            L_{{\Delta}} - L = {difference}
            \end{{aligned}}"""
        st.latex(lines)
        # The drawing shows what is now, and the nudge to come.
        to_come = language.number(abs(delta), drawn.decimals(delta))
        if parameter.startswith("b"):
            mark = {parameter[1]: ("Δ", f"{_sign(delta)}{to_come}")}
        else:
            weight = drawn.short_or_zero(now)
            mark = {parameter: (name, f"{weight} {_sign(delta)} {to_come}")}
        draw(None, mark, None, height=260)
    language.prose("backpropagation", "nudge")


def _sign(value: float) -> str:
    return "−" if value < 0 else "+"


def _signed(value: float, digits: int) -> str:
    rounded = round(value, digits)
    return _sign(rounded) + language.number(abs(rounded), digits)


def _loss_axis(values: list[float]) -> tuple[float, float]:
    """From a little below 0, so that the line is seen, to a round number above all values."""
    top = max(values)
    for limit in (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128):
        if top <= limit:
            return -0.04 * limit, float(limit)
    return -0.04 * top, top


def gradient_step() -> None:
    rate = dials["learning_rate"]
    gradient = backprop.autograd(*setting)
    after = backprop.descend(*setting, rate)
    then = backprop.loss(after, activation, inputs, target)
    top = dials.by_name["learning_rate"].high
    rates = [top * place / (CURVE - 1) for place in range(CURVE)]
    curve = backprop.losses_after(*setting, rates)
    left, right = st.columns([1, 2], gap="large")
    with left:
        line = "w_{new} = w - \\eta \\cdot \\frac{\\partial L}{\\partial w}".replace(
            "new", r"\text{" + _("new") + "}"
        )
        st.latex(line)
        head = [_("parameter"), _("before"), _("gradient"), _("after")]
        rows = ["| " + " | ".join(head) + " |", "|---|--:|--:|--:|"]
        for name in tiny.PARAMETERS:
            cells = [
                language.number(round(value, GRADIENT) + 0.0, GRADIENT)
                for value in (weights[name], gradient[name], after[name])
            ]
            rows.append(f"| {drawn.written(name)} | " + " | ".join(cells) + " |")
        table = "\n".join(rows)
        st.markdown(table)
    with right:
        before_place, after_place = st.columns(2)
        before_place.metric(_("Loss before"), language.number(loss, GRADIENT))
        after_place.metric(
            _("Loss after one step"),
            language.number(then, GRADIENT),
            _signed(then - loss, GRADIENT).replace("−", "-"),
            delta_color="inverse",
        )
        dials.show("learning_rate")
        lesson_charts.curves(
            {_("loss after the step"): (rates, curve)},
            x_title=_("Learning rate"),
            y_title=_("Loss"),
            key="backpropagation.rates",
            alt=_(
                "The loss after one step over the learning rate: {loss} at {rate}",
                loss=language.number(then, GRADIENT),
                rate=language.number(rate, 1),
            ),
            x=(0, top),
            y=_loss_axis([*curve, then, loss]),
            points=[lesson_charts.Mark(rate, then)],
            rules=[charts.Line(_("before"), loss)],
            height=230,
        )
        example_dials()
    language.prose("backpropagation", "step")


VIEWS = {"chain": chain, "nudge": nudge, "step": gradient_step}
VIEWS[view]()
lesson.finish("backpropagation", dials, project="coffee")

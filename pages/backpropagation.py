"""Backpropagation: the chain rule from the loss back, factor by factor, on the small network."""

from __future__ import annotations

import math
from dataclasses import replace

import streamlit as st

from playground.fields import Field
from playground.i18n import N_
from playground.lesson import backprop, tiny_network
from playground.lesson.backprop import Factor
from playground.ui.charts import changed, curves, network_drawing, vega
from playground.ui.charts.sums import Number, Sums
from playground.ui.lesson import page as lesson
from playground.ui.lesson import tiny_network as drawn
from playground.ui.shell import language, palette
from playground.ui.shell.language import _

CURVE = 101  # points of a curve
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
            "nudge": N_("What a gradient predicts"),
            "step": N_("One gradient step"),
        },
    ),
    Field(
        "parameter",
        "choice",
        "w11",
        N_("Weight or bias"),
        N_("The parameter whose gradient you want."),
        choices=tiny_network.PARAMETERS,
        choice_labels={name: drawn.written(name) for name in tiny_network.PARAMETERS},
    ),
    # With a target that tanh can pass: a step can be too long.
    *(
        replace(field, default="tanh") if field.name == "activation" else field
        for field in drawn.FIELDS
    ),
    Field(
        "target", "number", 0.5, N_("Target t"), N_("The right answer."), low=-1, high=1, step=0.1
    ),
    Field("step", "integer", 1, N_("Step"), low=0, high=5),
    Field("nudge", "number", 0.1, N_("Nudge Δ"), low=-2, high=2, step=0.1),
    Field(
        "learning_rate",
        "number",
        0.1,
        N_("Learning rate"),
        low=0,
        high=10,
        step=0.1,
    ),
)

dials = lesson.begin(
    "backpropagation",
    N_(
        "The error travels back from the loss, layer by layer. How does each weight learn its "
        "share?"
    ),
    FIELDS,
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
trace = tiny_network.trace(tiny_network.build(weights, activation), inputs)
loss = backprop.loss(*setting)

# All numbers of the page, each written the same wherever it stands.
sums = Sums()
number = drawn.numbers(sums, weights, inputs, activation)
number["t"] = sums.given(target)
number["L"] = sums.of(lambda a, t: (a - t) ** 2, number["a3"], number["t"])


def partial(of: str, by: str) -> str:
    return rf"\frac{{\partial {drawn.tex(of)}}}{{\partial {drawn.tex(by)}}}"


def partial_text(of: str, by: str) -> str:
    return f"∂{drawn.written(of)}/∂{drawn.written(by)}"


def value_of(factor: Factor) -> Number:
    """A factor of the chain, with the sum that gives it."""
    if factor.of == "L":
        return sums.of(lambda a, t: 2 * (a - t), number["a3"], number["t"])
    neuron = factor.of[1]
    if factor.of.startswith("a"):
        a, z = number[f"a{neuron}"], number[f"z{neuron}"]
        match activation:
            case "sigmoid":
                return sums.of(lambda a: a * (1 - a), a)
            case "tanh":
                return sums.of(lambda a: 1 - a**2, a)
        return sums.of(lambda z: backprop.derivative(activation, z), z)
    if factor.by.startswith("a"):
        return number[f"w{neuron}{factor.by[1]}"]
    if factor.by.startswith("w"):
        return number[f"{'a' if neuron == '3' else 'x'}{factor.by[2]}"]
    return sums.given(1)


def where_from(factor: Factor, value: Number) -> str:
    """Where a factor comes from: its rule with the numbers put in, and its value, in LaTeX."""
    if factor.of == "L":
        rule = rf"2(a_3 - t) = 2({number['a3'].tex} {minus(number['t'])})"
        return f"{rule} {value.sign} {value.tex}"
    neuron = factor.of[1]
    if factor.of.startswith("a"):
        a = number[f"a{neuron}"]
        rule = {
            "sigmoid": rf"a_{neuron}(1 - a_{neuron}) = {a.base}\,(1 {minus(a)})",
            "tanh": rf"1 - a_{neuron}^2 = 1 - {a.base}^2",
        }.get(activation, rf"f'(z_{neuron}) = f'({number[f'z{neuron}'].tex})")
        return f"{rule} {value.sign} {value.tex}"
    if factor.by.startswith("a"):
        return f"{drawn.tex(f'w{neuron}{factor.by[1]}')} = {value.tex}"
    if factor.by.startswith("w"):
        return f"{'a' if neuron == '3' else 'x'}_{factor.by[2]} = {value.tex}"
    return value.tex


def minus(value: Number) -> str:
    """A number that is taken away: "- 0.5", or "+ 0.5" where it is negative."""
    return f"+ {value.tex[1:]}" if value.shown < 0 else f"- {value.tex}"


def chain_formula(factors: list[Factor], values: list[Number], done: int) -> str:
    """One line a factor: grey while it is not there yet, accented while it is the newest."""
    lines = []
    for place, (factor, value) in enumerate(zip(factors, values, strict=True), start=1):
        color = palette.ACCENT.now if place == done else palette.LIMIT.now if place > done else ""
        left = partial(factor.of, factor.by)
        right = where_from(factor, value) if place <= done else "{?}"
        if color:
            left, right = (rf"\textcolor{{{color}}}{{{part}}}" for part in (left, right))
        lines.append(f"{left} &= {right}")
    return r"\begin{aligned}" + r" \\[6pt] ".join(lines) + r"\end{aligned}"


def product_formula(factors: list[Factor], values: list[Number], result: Number) -> str:
    """What the chain amounts to so far."""
    left = partial("L", factors[-1].by)
    if len(factors) == 1:
        return rf"{left} = {result.tex}"
    numbers = " \\cdot ".join([values[0].tex, *(value.factor for value in values[1:])])
    return (
        rf"\begin{{aligned}} {left} &= {numbers} \\ &{result.sign} \mathbf{{{result.tex}}}"
        r" \end{aligned}"
    )


def loss_formula() -> str:
    answer, wanted, value = number["a3"].tex, minus(number["t"]), number["L"]
    return rf"L = (a_3 - t)^2 = ({answer} {wanted})^2 {value.sign} {value.tex}"


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
        drawn.drawing(number, lit=lit, marks=marks, loss=(number["L"], number["t"])),
        "backpropagation.net",
        alt=_(
            "The network; its answer is {answer}, the target {target}, the loss {loss}",
            answer=number["a3"].text,
            target=number["t"].text,
            loss=number["L"].text,
        ),
        chosen=chosen,
        height=height,
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
                "A weighted sum is exactly 0, at the kink of the activation function, where there "
                "are two slopes. PyTorch uses the left one; a finite difference averages both."
            )
        )


def chain() -> None:
    factors = backprop.chain(parameter, weights, activation, trace, target)
    done = lesson.stepper(dials, "step", step_labels(factors))
    values = [value_of(factor) for factor in factors]
    products = [values[0]]
    products += [
        sums.of(lambda *parts: math.prod(parts), *values[:place], noise=0)
        for place in range(2, len(values) + 1)
    ]
    lit, marks, chosen = None, {}, None
    if done:
        lit = set()
        for factor in factors[:done]:
            things, place = things_of(factor)
            lit |= things
        newest = factors[done - 1]
        marks[place] = (partial_text(newest.of, newest.by), values[done - 1].text)
        chosen = place
    left, right = st.columns([3, 2], gap="medium")
    with left:
        draw(lit, marks, chosen)
        example_dials(parameter)
    with right:
        first = loss_formula()
        st.latex(first)
        lines = chain_formula(factors, values, done)
        st.latex(lines)
        if done:
            so_far = product_formula(factors[:done], values[:done], products[done - 1])
            st.latex(so_far)
    check, why = st.columns([3, 2], gap="medium")
    with check:
        st.markdown("**" + _("Each gradient, computed in three ways") + "**")
        three_ways(products[-1])
    with why:
        language.prose("backpropagation", "ways")


def three_ways(chosen: Number) -> None:
    """Own chain rule, autograd, finite difference, for each parameter.

    ``chosen`` is the gradient that the chain above ends in: it is written as it is there.
    """
    by_hand, *others = (
        way(*setting) for way in (backprop.by_hand, backprop.autograd, backprop.differences)
    )
    head = [_("parameter"), _("chain rule"), _("autograd"), _("finite difference")]
    lines = ["| " + " | ".join(head) + " |", "|---|--:|--:|--:|"]
    for name in tiny_network.PARAMETERS:
        bold = "**" if name == parameter else ""
        own = chosen if name == parameter else sums.number(by_hand[name], noise=1e-15)
        cells = [own.text, *(own.like(way[name]).text for way in others)]
        cells = [f"{bold}{cell}{bold}" for cell in cells]
        lines.append(f"| {bold}∂L/\u2060∂{drawn.written(name)}{bold} | " + " | ".join(cells) + " |")
    table = "\n".join(lines)
    st.markdown(table)
    apart = [
        max(abs(way[name] - by_hand[name]) for name in tiny_network.PARAMETERS) for way in others
    ]
    st.caption(
        _(
            "Autograd differs from the chain rule by at most {autograd}, the finite difference by "
            "at most {difference}.",
            autograd=sums.number(apart[0], digits=1, noise=0).text,
            difference=sums.number(apart[1], digits=1, noise=0).text,
        )
    )
    corner_note()


def nudge() -> None:
    delta, now = dials["nudge"], weights[parameter]
    gradient = backprop.autograd(*setting)[parameter]
    low, high = now - SPAN, now + SPAN
    xs = [low + (high - low) * place / (CURVE - 1) for place in range(CURVE)]
    *curve, moved = backprop.losses(*setting, parameter, [*xs, now + delta])
    slope, step, after = sums.number(gradient), sums.given(delta), sums.number(moved)
    predicted = sums.of(lambda g, d: g * d, slope, step)
    actual = sums.of(lambda then, before: then - before, after, number["L"], digits=2)
    tangent = [loss + gradient * (x - now) for x in (low, high)]
    promised = loss + gradient * delta
    name, gap = drawn.written(parameter), _("gap")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        curves.curves(
            {
                _("loss"): (xs, curve),
                _("what the gradient predicts"): ([low, high], tangent),
                gap: ([now + delta] * 2, [promised, moved]),
            },
            x_title=name,
            y_title=_("Loss"),
            key="backpropagation.nudge_curve",
            alt=_(
                "The loss as a function of {name}: now {loss}, after the nudge {moved}",
                name=name,
                loss=number["L"].text,
                moved=after.text,
            ),
            x=(low, high),
            y=_promise_axis([*curve, moved], promised),
            points=[
                # Only one has a name: they may lie close to each other.
                curves.Mark(now, loss, color=palette.TRAIN),
                curves.Mark(now + delta, promised, color=palette.CLASSES[1]),
                curves.Mark(now + delta, moved, "+Δ", palette.VALIDATION),
            ],
            colors={gap: palette.VALIDATION},
            dashed=[_("what the gradient predicts")],
            height=360,
        )
        example_dials(parameter, "nudge")
    with right:
        st.markdown(
            _(
                "If **{name}** changes by **{delta}**, the loss changes by about **{predicted}**. "
                "It actually changes by **{actual}**.",
                name=name,
                delta=step.signed,
                predicted=predicted.signed,
                actual=actual.signed,
            )
        )
        left_side = partial("L", parameter)
        product = f"{slope.tex} \\cdot {step.factor} &{predicted.sign} {predicted.tex}"
        difference = f"{after.tex} {minus(number['L'])} &{actual.sign} {actual.tex}"
        lines = rf"""\begin{{aligned}}
            {left_side} \cdot \Delta = {product} \\[6pt]
            L_{{\Delta}} - L = {difference}
            \end{{aligned}}"""
        st.latex(lines)
        # The drawing shows what is now, and the nudge to come.
        to_come = step.text.lstrip("−")
        sign = "−" if delta < 0 else "+"
        if parameter.startswith("b"):
            mark = {parameter[1]: ("Δ", f"{sign}{to_come}")}
        else:
            mark = {parameter: (name, f"{number[parameter].text} {sign} {to_come}")}
        draw(None, mark, None, height=260)
    language.prose("backpropagation", "nudge")


def _promise_axis(values: list[float], promised: float) -> tuple[float, float]:
    """The axis of the losses, which goes below 0 where a loss is promised that cannot be."""
    low, high = _loss_axis([*values, promised])
    return min(low, promised - 0.06 * (high - promised)), high


def _loss_axis(values: list[float]) -> tuple[float, float]:
    """From a little below 0, so that the line is seen, to a round number above all values."""
    top = max(values)
    for limit in (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128):
        if top <= limit:
            return -0.04 * limit, float(limit)
    return -0.04 * top, top


def gradient_step() -> None:
    gradient = backprop.autograd(*setting)
    rate = sums.given(dials["learning_rate"])
    after = backprop.descend(*setting, rate.value)
    then = sums.number(backprop.loss(after, activation, inputs, target))
    change = sums.of(lambda then, before: then - before, then, number["L"], digits=2)
    slopes = {name: sums.number(gradient[name]) for name in tiny_network.PARAMETERS}
    moved = {
        name: sums.of(lambda w, rate, g: w - rate * g, number[name], rate, slopes[name], places=3)
        for name in tiny_network.PARAMETERS
    }
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
        for name in tiny_network.PARAMETERS:
            sign = "" if moved[name].sign == "=" else "≈ "
            cells = [number[name].text, slopes[name].text, sign + moved[name].text]
            rows.append(f"| {drawn.written(name)} | " + " | ".join(cells) + " |")
        table = "\n".join(rows)
        st.markdown(table)
    with right:
        before_place, after_place = st.columns(2)
        before_place.metric(_("Loss before"), number["L"].text)
        changed.metric(
            after_place, _("Loss after one step"), then.text, change.signed, less_is_better=True
        )
        dials.show("learning_rate")
        curves.curves(
            {_("loss after the step"): (rates, curve)},
            x_title=_("Learning rate"),
            y_title=_("Loss"),
            key="backpropagation.rates",
            alt=_(
                "The loss after one step against the learning rate: {loss} at {rate}",
                loss=then.text,
                rate=rate.text,
            ),
            x=(0, top),
            y=_loss_axis([*curve, then.value, loss]),
            points=[curves.Mark(rate.value, then.value)],
            rules=[vega.Line(_("before"), loss)],
            height=230,
        )
        example_dials()
    language.prose("backpropagation", "step")


VIEWS = {"chain": chain, "nudge": nudge, "step": gradient_step}
VIEWS[view]()
lesson.finish("backpropagation", dials)

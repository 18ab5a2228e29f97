"""The tiny network on a page: its dials, its drawing, its formulas with the numbers put in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from playground.fields import Field
from playground.i18n import N_
from playground.insight.tiny import ACTIVATIONS, NEURONS, PARAMETERS, Trace, of_neuron
from playground.recipe import FIELDS as RECIPE
from playground.ui import formula, language
from playground.ui.controls import Dials, short
from playground.ui.network_drawing import Edge, Net, Node

DIGITS: Final = 3  # of what a neuron computes
VALUES: Final = frozenset(f"{kind}{neuron}" for neuron in NEURONS for kind in "za")
SUBSCRIPTS: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
# Chosen so that no neuron is dead with any of the activations.
START: Final = {
    "w11": 0.4,
    "w12": -0.6,
    "b1": 0.2,
    "w21": 0.5,
    "w22": 0.8,
    "b2": -0.3,
    "w31": 0.7,
    "w32": -0.5,
    "b3": 0.1,
}


def written(name: str) -> str:
    """ "w11" as one reads it: w₁₁."""
    return name.translate(SUBSCRIPTS)


def tex(name: str) -> str:
    """ "w11" in LaTeX."""
    return f"{name[0]}_{{{name[1:]}}}" if name[1:] else name


ACTIVATION: Final = Field(
    "activation",
    "choice",
    "sigmoid",
    N_("Activation function"),
    N_("What each of the three neurons does with its weighted sum."),
    choices=ACTIVATIONS,
    choice_labels={name: RECIPE["activation"].choice_labels[name] for name in ACTIVATIONS},
)
INPUTS: Final = tuple(
    Field(name, "number", value, written(name), low=-2, high=2, step=0.1)
    for name, value in (("x1", 1.0), ("x2", 0.5))
)
WEIGHTS: Final = tuple(
    Field(name, "number", START[name], written(name), low=-3, high=3, step=0.1)
    for name in PARAMETERS
)
FIELDS: Final = (ACTIVATION, *INPUTS, *WEIGHTS)


def parameters(dials: Dials) -> dict[str, float]:
    """What the nine dials say."""
    return {name: dials[name] for name in PARAMETERS}


def inputs(dials: Dials) -> tuple[float, float]:
    return dials["x1"], dials["x2"]


def drawing(
    weights: Mapping[str, float],
    trace: Trace,
    known: Collection[str] = VALUES,
    lit: Collection[str] | None = None,
    marks: Mapping[str, tuple[str, str]] | None = None,
    loss: tuple[float, float] | None = None,
) -> Net:
    """The network with all its numbers.

    ``known`` says which of z1 … a3 have been computed. Only what is in ``lit`` (ids of
    neurons, names of weights; None: all) is not pale. ``marks`` gives a neuron or weight
    another text, a name and a number. With ``loss`` (its value and the target), the loss
    stands at the end.
    """
    marks = marks or {}

    def bright(thing: str) -> bool:
        return lit is None or thing in lit

    nodes = [
        Node(name, 0, place, written(name), value, bright(name))
        for place, (name, value) in enumerate(zip(("x1", "x2"), trace.inputs, strict=True))
    ]
    edges = []
    for neuron in NEURONS:
        z, a, own = f"z{neuron}", f"a{neuron}", str(neuron)
        label = written(z)
        if z in known:
            label += f" = {language.number(trace.z[neuron], DIGITS)}"
        *arriving, bias = of_neuron(neuron)
        nodes.append(
            Node(
                own,
                layer=2 if neuron == 3 else 1,
                place=1 if neuron == 2 else 0,
                label=label,
                value=trace.a[neuron] if a in known else None,
                lit=bright(own),
                note=f"{written(bias)} = {short_or_zero(weights[bias])}",
                mark=" = ".join(marks[own]) if own in marks else "",
            )
        )
        for weight, source in zip(arriving, ("12" if neuron == 3 else ("x1", "x2")), strict=True):
            name, text = marks.get(weight, (written(weight), short_or_zero(weights[weight])))
            edges.append(
                Edge(source, own, weights[weight], text, bright(weight), name, weight in marks)
            )
    if loss is not None:
        value, target = loss
        name, text = marks.get("L", ("", ""))
        note = f"t = {short_or_zero(target)}"
        nodes.append(Node("L", 3, 0, "L", value, bright("L"), note))
        edges.append(Edge("3", "L", 0.0, text, bright("L"), name, "L" in marks))
    return Net(nodes, edges)


def short_or_zero(value: float) -> str:
    """A weight: as few digits as say it."""
    return short(round(value, 4))


def weighted_sum(neuron: int, weights: Mapping[str, float], trace: Trace, done: bool) -> str:
    """z of a neuron, in LaTeX: its letters, its numbers, its value (or ? while not done)."""
    first, second, bias = of_neuron(neuron)
    letters = ("a_1", "a_2") if neuron == 3 else ("x_1", "x_2")
    digits = DIGITS if neuron == 3 else 1
    one, two = trace.seen_by(neuron)
    digits_of = {name: decimals(weights[name]) for name in (first, second, bias)}
    numbers = (
        f"{formula.tex(weights[first], digits_of[first])} \\cdot {formula.factor(one, digits)}"
        f" {formula.term(weights[second], digits_of[second])}"
        f" \\cdot {formula.factor(two, digits)}"
        f" {formula.term(weights[bias], digits_of[bias])}"
    )
    value = formula.tex(trace.z[neuron], DIGITS) if done else "{?}"
    return (
        rf"z_{neuron} &= {tex(first)} \cdot {letters[0]} + {tex(second)} \cdot {letters[1]}"
        rf" + {tex(bias)} \\ &= {numbers} \\ &= {value}"
    )


def bent(neuron: int, activation: str, trace: Trace, done: bool) -> str:
    """a of a neuron, in LaTeX."""
    z = formula.tex(trace.z[neuron], DIGITS) if done else "{?}"
    value = formula.tex(trace.a[neuron], DIGITS) if done else "{?}"
    rule = {
        "sigmoid": rf"\frac{{1}}{{1 + e^{{-z_{neuron}}}}}",
        "tanh": rf"\tanh(z_{neuron})",
        "relu": rf"\max(0,\; z_{neuron})",
        "leaky_relu": rf"\max({formula.tex(0.1, 1)} z_{neuron},\; z_{neuron})",
        "none": rf"z_{neuron}",
    }[activation]
    return rf"a_{neuron} &= f(z_{neuron}) = {rule} \\ &= f({z}) = {value}"


def decimals(value: float) -> int:
    """How many decimals a weight is shown with: one if that says it all."""
    return 1 if round(value, 1) == round(value, 4) else DIGITS

"""The tiny network on a page: its dials, its drawing, its formulas with the numbers put in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from playground.fields import Field
from playground.i18n import N_
from playground.lesson.tiny_network import (
    ACTIVATIONS,
    NEURONS,
    PARAMETERS,
    by_hand,
    of_neuron,
    weigh,
)
from playground.recipe import FIELDS as RECIPE
from playground.ui.charts import formula
from playground.ui.charts.network_drawing import Edge, Net, Node
from playground.ui.charts.sums import Number, Sums
from playground.ui.widgets.controls import Dials

VALUES: Final = frozenset(f"{kind}{neuron}" for neuron in NEURONS for kind in "za")
SUBSCRIPTS: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
# Chosen so that no neuron is dead with any of the activations; that with three digits all sums
# of backpropagation's first screen hold; and that a step there can be too long.
START: Final = {
    "w11": 1.0,
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
    """The name "w11" as one reads it: w₁₁."""
    return name.translate(SUBSCRIPTS)


def tex(name: str) -> str:
    """The name "w11" in LaTeX."""
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
    """The two inputs, as the dials have them."""
    return dials["x1"], dials["x2"]


def numbers(
    sums: Sums, weights: Mapping[str, float], inputs: tuple[float, float], activation: str
) -> dict[str, Number]:
    """Every number of a forward pass by its name: x1, x2, the nine parameters, z1 … a3."""
    found = {name: sums.given(value) for name, value in weights.items()}
    found |= {name: sums.given(x) for name, x in zip(("x1", "x2"), inputs, strict=True)}
    for neuron in NEURONS:
        first, second, bias = of_neuron(neuron)
        one, two = seen_by(neuron)
        parts = (first, one, second, two, bias)
        found[f"z{neuron}"] = sums.of(weigh, *(found[name] for name in parts))
        found[f"a{neuron}"] = sums.of(lambda z: by_hand(activation, z), found[f"z{neuron}"])
    return found


def seen_by(neuron: int) -> tuple[str, str]:
    """The names of the two numbers that a neuron weighs."""
    return ("a1", "a2") if neuron == 3 else ("x1", "x2")


def drawing(
    number: Mapping[str, Number],
    known: Collection[str] = VALUES,
    lit: Collection[str] | None = None,
    marks: Mapping[str, tuple[str, str]] | None = None,
    loss: tuple[Number, Number] | None = None,
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
        Node(name, 0, place, written(name), number[name].text, bright(name))
        for place, name in enumerate(("x1", "x2"))
    ]
    edges = []
    for neuron in NEURONS:
        z, a, own = f"z{neuron}", f"a{neuron}", str(neuron)
        label = written(z)
        if z in known:
            label += f" = {number[z].text}"
        *arriving, bias = of_neuron(neuron)
        nodes.append(
            Node(
                own,
                layer=2 if neuron == 3 else 1,
                place=1 if neuron == 2 else 0,
                label=label,
                text=number[a].text if a in known else "",
                lit=bright(own),
                note=f"{written(bias)} = {number[bias].text}",
                mark=" = ".join(marks[own]) if own in marks else "",
            )
        )
        for weight, source in zip(arriving, ("12" if neuron == 3 else ("x1", "x2")), strict=True):
            name, text = marks.get(weight, (written(weight), number[weight].text))
            size = number[weight].value
            edges.append(Edge(source, own, size, text, bright(weight), name, weight in marks))
    if loss is not None:
        value, target = loss
        name, text = marks.get("L", ("", ""))
        note = f"t = {target.text}"
        nodes.append(Node("L", 3, 0, "L", value.text, bright("L"), note))
        edges.append(Edge("3", "L", 0.0, text, bright("L"), name, "L" in marks))
    return Net(nodes, edges)


def weighted_sum(neuron: int, number: Mapping[str, Number], done: bool) -> str:
    """z of a neuron, in LaTeX: its letters, its numbers, its value (or ? while not done)."""
    first, second, bias = of_neuron(neuron)
    one, two = seen_by(neuron)
    numbers = (
        f"{number[first].tex} \\cdot {number[one].factor} {number[second].plus}"
        f" \\cdot {number[two].factor} {number[bias].term}"
    )
    z = number[f"z{neuron}"]
    value = f"{z.sign} {z.tex}" if done else "= {?}"
    return (
        rf"z_{neuron} &= {tex(first)} \cdot {letter(one)} + {tex(second)} \cdot {letter(two)}"
        rf" + {tex(bias)} \\ &= {numbers} \\ &{value}"
    )


def letter(name: str) -> str:
    """The name "a1" in LaTeX."""
    return f"{name[0]}_{name[1]}"


def bent(neuron: int, activation: str, number: Mapping[str, Number], done: bool) -> str:
    """a of a neuron, in LaTeX."""
    z, a = number[f"z{neuron}"].tex if done else "{?}", number[f"a{neuron}"]
    value = f"{a.sign} {a.tex}" if done else "= {?}"
    # As high as the fraction of the sigmoid, or what is below would jump.
    room = r"\vphantom{\frac{1}{1 + e^{-z_1}}}"
    rule = {
        "sigmoid": rf"\frac{{1}}{{1 + e^{{-z_{neuron}}}}}",
        "tanh": rf"\tanh(z_{neuron})",
        "relu": rf"\max(0,\; z_{neuron})",
        "leaky_relu": rf"\max({formula.tex(0.1, 1)} z_{neuron},\; z_{neuron})",
        "none": rf"z_{neuron}",
    }[activation]
    return rf"a_{neuron} &= f(z_{neuron}) = {rule}{room} \\ &= f({z}) {value}"

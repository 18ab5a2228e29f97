"""Neuron: a weighted sum and a bias; then a layer of them, and layers on layers."""

from collections.abc import Callable, Sequence
from typing import cast

import streamlit as st
import torch
from torch import nn

from playground.data.dataset import Examples
from playground.fields import Field
from playground.i18n import N_
from playground.lesson import neuron, tiny_network, toy_points
from playground.lesson.activations import Activation
from playground.ui.charts import curves, formula, heatmap_2d, network_drawing
from playground.ui.charts.heatmap_2d import CLASS_COLORS, Dot
from playground.ui.charts.network_drawing import Edge, Net, Node
from playground.ui.charts.sums import Number, Sums, sign_of
from playground.ui.lesson import page as lesson
from playground.ui.shell import language, palette
from playground.ui.shell.language import _

REACH = 3.0  # of every weight and bias
SPAN = toy_points.SPAN
BENDS = {"none": N_("none"), "relu": "ReLU", "sigmoid": "sigmoid", "tanh": "tanh"}
LAYER = ("x1", "x2", "w11", "w12", "w21", "w22", "b1", "b2")
SYMBOLS = {"none": "", "relu": r"\mathrm{ReLU}", "sigmoid": r"\sigma", "tanh": r"\tanh"}
EDGE = palette.INK  # dark on both themes, as the plane is light on both
SHADES = (palette.LIMIT, *palette.CLASSES[1:5], *palette.CLASSES[6:9])  # of single neurons


def number(name: str, default: float, label: str, help: str = "", reach: float = REACH) -> Field:
    return Field(name, "number", default, label, help, low=-reach, high=reach, step=0.1)


FIELDS = (
    Field(
        "view",
        "choice",
        "line",
        N_("What is shown"),
        choices=("line", "plane", "layer", "bends", "region"),
        choice_labels={
            "line": N_("One input"),
            "plane": N_("Two inputs"),
            "layer": N_("A layer"),
            "bends": N_("Several neurons: bends"),
            "region": N_("Several layers: a region"),
        },
    ),
    number("x", 1.0, N_("input x"), reach=SPAN),
    number("w", 1.5, N_("weight w"), N_("How much the weighted sum grows when x grows by 1.")),
    number("b", -1.0, N_("bias b"), N_("The neuron's weighted sum when all inputs are 0.")),
    number("x1", 1.5, N_("input x₁"), reach=SPAN),
    number("x2", -1.0, N_("input x₂"), reach=SPAN),
    number("w1", 1.0, N_("weight w₁"), N_("How much x₁ counts.")),
    number("w2", -0.5, N_("weight w₂"), N_("How much x₂ counts.")),
    number("w11", 1.0, N_("w₁₁: from x₁ to neuron 1")),
    number("w12", 0.5, N_("w₁₂: from x₂ to neuron 1")),
    number("w21", -1.0, N_("w₂₁: from x₁ to neuron 2")),
    number("w22", 2.0, N_("w₂₂: from x₂ to neuron 2")),
    number("b1", 0.0, N_("bias of neuron 1")),
    number("b2", 0.5, N_("bias of neuron 2")),
    Field(
        "activation",
        "choice",
        "none",
        N_("Activation function"),
        N_("What the neuron does with its sum; the next page is about this."),
        choices=tuple(BENDS),
        choice_labels=BENDS,
    ),
    Field(
        "data",
        "choice",
        "groups",
        N_("Points"),
        choices=("groups", "corners"),
        choice_labels={"groups": N_("two groups"), "corners": N_("four corners (XOR)")},
    ),
    Field(
        "neurons",
        "integer",
        3,
        N_("Neurons in the hidden layer"),
        N_("Each adds one bend."),
        low=1,
        high=8,
    ),
    Field(
        "edges",
        "integer",
        3,
        N_("Neurons in the first layer"),
        N_("Each draws one straight line."),
        low=1,
        high=6,
    ),
    Field(
        "joined",
        "choice",
        "all",
        N_("First-layer neurons that must answer yes"),
        N_(
            "The second layer then answers yes, too. Its bias sets this: the more yes answers it "
            "needs, the lower the bias."
        ),
        choices=("all", "most", "one"),
        choice_labels={
            "all": N_("all (AND)"),
            "most": N_("more than half"),
            "one": N_("at least one (OR)"),
        },
    ),
    Field(
        "sharpness",
        "number",
        6.0,
        N_("Size of the first layer's weights"),
        N_("Larger weights and biases: the same lines, but sharper."),
        low=1,
        high=12,
        step=0.5,
    ),
)

dials = lesson.begin(
    "neuron", N_("What does one neuron compute, and why does a network need many?"), FIELDS
)


def pairs(*rows: tuple[str, str]) -> None:
    """Dials two by two, which on a phone come in the same order."""
    for row in rows:
        for column, name in zip(st.columns(2), row, strict=True):
            with column:
                dials.show(name)


def show(*lines: str) -> None:
    """A formula of several lines."""
    st.latex(formula.aligned(lines))


def point() -> torch.Tensor:
    """The inputs now: (1, 2)."""
    return torch.tensor([[dials["x1"], dials["x2"]]])


def line() -> None:
    """One input: the sum is a straight line, which w tilts and b shifts."""
    w, b, x, kind = (dials[name] for name in ("w", "b", "x", "activation"))
    one, bend = neuron.layer([[w]], [b]), Activation(kind).module()
    xs = torch.linspace(-4, 4, 161)
    with torch.no_grad():
        straight = one(xs[:, None])
        outputs = bend(straight).flatten().tolist()
    sums = Sums()
    weight, bias, given = sums.given(w), sums.given(b), sums.given(x)
    z = sums.of(lambda w, x, b: w * x + b, weight, given, bias)
    a = sums.of(lambda z: tiny_network.by_hand(kind, z), z) if kind != "none" else z
    before, total, output = "w = 1, b = 0", _("sum"), _("output")
    lines = {before: ([-4.0, 4.0], [-4.0, 4.0]), total: (xs.tolist(), straight.flatten().tolist())}
    if kind != "none":
        lines[output] = (xs.tolist(), outputs)
    colors = {before: palette.LIMIT, total: palette.CLASSES[0], output: palette.CLASSES[5]}
    picture, side = st.columns([3, 2], gap="large")
    with picture:
        curves.curves(
            lines,
            x_title=_("input x"),
            y_title=_("output"),
            key="neuron.line",
            alt=_("The neuron's output against its input; at x it is {a}", a=a.text),
            x=(-4, 4),
            y=(-4, 4),
            points=[
                curves.Mark(0, b, "b", palette.CLASSES[0]),
                curves.Mark(x, a.value, a.text),
            ],
            colors=colors,
            dashed=[before],
            height=540,
        )
    with side:
        pairs(("w", "b"), ("x", "activation"))
        nodes = [
            Node("x", 0, 0, "x", given.text),
            Node("1", 0, 1, _("always 1"), "1"),
            Node("z", 1, 0, _("sum"), z.text),
        ]
        edges = [Edge("x", "z", w, weight.text), Edge("1", "z", b, bias.text)]
        if kind != "none":
            nodes.append(Node("a", 2, 0, _("output"), a.text))
            edges.append(Edge("z", "a", 1.0, BENDS[kind]))
        network_drawing.draw(
            Net(nodes, edges),
            key="neuron.one",
            alt=_("The neuron as a network: x and a constant 1, each with its weight"),
            height=220,
        )
        lines_of_formula = [
            rf"z &= w \cdot x + b = {weight.tex} \cdot {given.factor} {bias.term} {z.sign} {z.tex}"
        ]
        if kind != "none":
            symbol = SYMBOLS[kind]
            lines_of_formula.append(rf"a &= {symbol}(z) = {symbol}({z.tex}) {a.sign} {a.tex}")
        show(*lines_of_formula)
        language.prose("neuron", "line")


def two() -> None:
    """Two inputs: the sum is 0 on a straight line, which cuts the plane into halves."""
    w1, w2, b, x1, x2 = (dials[name] for name in ("w1", "w2", "b", "x1", "x2"))
    one = neuron.layer([[w1, w2]], [b])
    data = toy_points.examples(dials["data"], 24)
    sums = Sums()
    parts = [sums.given(value) for value in (w1, x1, w2, x2, b)]
    z = sums.of(tiny_network.weigh, *parts)
    a = sums.of(sigmoid, z)
    picture, side = st.columns([3, 2], gap="large")
    with picture:
        show_plane(one, data, "neuron.two", neuron.boundary(w1, w2, b, SPAN))
    with side:
        pairs(("w1", "w2"), ("b", "data"), ("x1", "x2"))
        show(
            r"z &= w_1 \cdot x_1 + w_2 \cdot x_2 + b",
            rf"&= {weighed(parts)}",
            rf"&{z.sign} {z.tex}",
            rf"a &= \sigma(z) = \sigma({z.tex}) {a.sign} {a.tex}",
        )
        side_of(a)
        language.prose("neuron", "sigma")
        language.prose("neuron", "plane")


def sigmoid(z: float) -> float:
    return tiny_network.by_hand("sigmoid", z)


def weighed(parts: Sequence[Number]) -> str:
    """Two weights, each times its input, and a bias, in LaTeX."""
    w1, x1, w2, x2, b = parts
    return rf"{w1.tex} \cdot {x1.factor} {w2.plus} \cdot {x2.factor} {b.term}"


def show_plane(
    net: nn.Module,
    data: Examples,
    key: str,
    edge: tuple[list[float], list[float]] | None = None,
) -> None:
    """The plane as ``net`` sees it, with ``data`` on it and how many points it gets right."""
    right = toy_points.right(net, data)
    dots = [
        Dot(
            x1,
            x2,
            CLASS_COLORS[int(target)],
            shape="circle" if good else "cross",
            size=80 if good else 150,
        )
        for (x1, x2), target, good in zip(
            data.inputs.tolist(), data.targets.tolist(), right.tolist(), strict=True
        )
    ]
    dots.append(Dot(dials["x1"], dials["x2"], palette.CLASSES[2], "x", "diamond", 190))
    count = int(right.sum())

    def move(x1: float, x2: float) -> None:
        for name, value in (("x1", x1), ("x2", x2)):
            dials.set(name, round(value, 1))

    heatmap_2d.plane(
        toy_points.picture(net),
        x=(-SPAN, SPAN),
        y=(-SPAN, SPAN),
        x_title="x₁",
        y_title="x₂",
        key=key,
        alt=_(
            "The network's answers all over the plane; {right} of {all} points are correct",
            right=count,
            all=len(data),
        ),
        points=dots,
        paths={"edge": (*edge, EDGE)} if edge else None,
        on_click=move,
        height=440,
    )
    score(count, len(data))
    st.caption(
        _(
            "Blue and orange are the two classes; the background is the network's answer. A cross "
            "marks a wrong answer. The green diamond is x: click to move it."
        )
    )


def score(count: int, all_points: int) -> None:
    message = _("{right} of {all} points correct", right=count, all=all_points)
    if count == all_points:
        st.badge(message, icon=":material/check:", color="green")
    else:
        st.badge(message, icon=":material/target:", color="blue")


def side_of(a: Number) -> None:
    """What an output means as an answer."""
    if a.shown == 0.5:
        st.caption(_("The output is 0.5, right on the boundary: the answer is undecided."))
    elif a.value > 0.5:
        st.caption(_("{a} is above 0.5: the answer is blue.", a=a.text))
    else:
        st.caption(_("{a} is at most 0.5: the answer is orange.", a=a.text))


def layer() -> None:
    """Two neurons that see the same two inputs: a product of a matrix and a vector."""
    kind = dials["activation"]
    sums = Sums()
    number = {name: sums.given(dials[name]) for name in LAYER}
    x, biases = [[number[name] for name in names] for names in (("x1", "x2"), ("b1", "b2"))]
    weights = [[number["w11"], number["w12"]], [number["w21"], number["w22"]]]
    rows = [[w1, x[0], w2, x[1], b] for (w1, w2), b in zip(weights, biases, strict=True)]
    z = [sums.of(tiny_network.weigh, *parts) for parts in rows]
    a = (
        [sums.of(lambda z: tiny_network.by_hand(kind, z), one) for one in z]
        if kind != "none"
        else z
    )
    symbol = SYMBOLS[kind]
    names = ("a₁₁", "a₁₂")
    picture, side = st.columns([3, 2], gap="large")
    with picture:
        network_drawing.draw(
            Net(
                [
                    *(Node(f"x{i}", 0, i, f"x{'₁₂'[i]}", x[i].text) for i in range(2)),
                    *(
                        Node(f"a{i}", 1, i, f"{names[i]}, b = {biases[i].text}", a[i].text)
                        for i in range(2)
                    ),
                ],
                [
                    Edge(f"x{i}", f"a{j}", weights[j][i].value, weights[j][i].text)
                    for j in range(2)
                    for i in range(2)
                ],
            ),
            key="neuron.layer",
            alt=_("Two inputs, two neurons and the four weights between them"),
            height=300,
        )
        result = "z" if symbol else "a"
        unknown = [
            r"\begin{bmatrix}" + r" \\ ".join(rows) + r"\end{bmatrix}"
            for rows in (
                (f"{result}_{{11}}", f"{result}_{{12}}"),
                ("w_{11} & w_{12}", "w_{21} & w_{22}"),
                ("x_1", "x_2"),
                ("b_1", "b_2"),
            )
        ]
        lines = [
            rf"{unknown[0]} &= {unknown[1]} {unknown[2]} + {unknown[3]}",
            rf"&= {formula.matrix(weights)} {formula.vector(x)} + {formula.vector(biases)}",
            rf"&{sign_of(z)} {formula.vector(z)}",
        ]
        if symbol:
            outputs = r"\begin{bmatrix}a_{11} \\ a_{12}\end{bmatrix}"
            lines.append(
                rf"{outputs} &= {symbol}{formula.vector(z)} {sign_of(a)} {formula.vector(a)}"
            )
        show(*lines)
    with side:
        pairs(("x1", "x2"), ("w11", "w12"), ("w21", "w22"), ("b1", "b2"))
        dials.show("activation")
        written = []
        for j, (parts, one, bent) in enumerate(zip(rows, z, a, strict=True), start=1):
            written += [
                rf"z_{{1{j}}} &= w_{{{j}1}} \cdot x_1 + w_{{{j}2}} \cdot x_2 + b_{j}",
                rf"&= {weighed(parts)}",
                rf"&{one.sign} {one.tex}",
            ]
            if symbol:
                written.append(
                    rf"a_{{1{j}}} &= {symbol}(z_{{1{j}}}) = {symbol}({one.tex})"
                    rf" {bent.sign} {bent.tex}"
                )
        if not symbol:
            written = [row.replace("z_", "a_") for row in written]
        show(*written)
    language.prose("neuron", "layer")


def bends() -> None:
    """Several neurons with ReLU, added up: a line with as many bends."""
    count, x = dials["neurons"], dials["x"]
    net = neuron.bends(count)
    first, last = cast(nn.Linear, net[0]), cast(nn.Linear, net[2])
    biases, weights = first.bias.tolist(), last.weight[0].tolist()
    xs = torch.linspace(-4, 4, 161)[:, None]
    with torch.no_grad():
        bent = torch.relu(first(xs))
        parts = (bent * last.weight).T.tolist()
        output = net(xs).flatten().tolist()
    sums = Sums()
    given, offset = sums.given(x), sums.number(last.bias.item(), places=2)
    slopes = [sums.number(v, places=2) for v in weights]
    shifts = [sums.number(b, noise=1e-6) for b in biases]
    added = [
        sums.of(lambda v, x, b: v * max(0.0, x + b), v, given, b, places=2)
        for v, b in zip(slopes, shifts, strict=True)
    ]
    y = sums.of(lambda *terms: sum(terms), offset, *added, places=2)
    grid = xs.flatten().tolist()
    goal, total = _("target curve"), _("network")
    lines = {goal: (grid, neuron.hill(xs).flatten().tolist()), total: (grid, output)}
    colors = {goal: palette.LIMIT, total: palette.CLASSES[0]}
    picture, side = st.columns([3, 2], gap="large")
    with picture:
        curves.curves(
            lines,
            x_title=_("input x"),
            y_title=_("output"),
            key="neuron.bends",
            alt=_("A curve, and the network's line with its bends near it"),
            x=(-4, 4),
            y=(-3.5, 3.5),
            points=[curves.Mark(x, y.value, y.text)],
            colors=colors,
            dashed=[goal],
            height=270,
        )
        curves.curves(
            {_("neuron {n}", n=place + 1): (grid, part) for place, part in enumerate(parts)},
            x_title=_("input x"),
            y_title=_("each neuron"),
            key="neuron.parts",
            alt=_("What each neuron adds to the output"),
            x=(-4, 4),
            y=(-24, 24),
            colors={_("neuron {n}", n=place + 1): SHADES[place] for place in range(count)},
            height=210,
        )
    with side:
        dials.show("neurons", "x")
        st.metric(_("Mean distance from the curve"), sums.number(neuron.distance(net)).text)
        show(
            r"y &= b + \textstyle\sum_i v_i \cdot \mathrm{ReLU}(x + b_i)",
            rf"&= {offset.tex} && \quad {offset.term}",
            *(
                rf"&\phantom{{=}} {v.term} \cdot \mathrm{{ReLU}}({given.tex} {b.term})"
                rf" && \quad {'' if part.sign == '=' else part.sign} {part.term}"
                for v, b, part in zip(slopes, shifts, added, strict=True)
            ),
            rf"&{y.sign} {y.tex}",
        )
        language.prose("neuron", "relu")
    language.prose("neuron", "bends")


def region() -> None:
    """Half-planes of a first layer, joined by a neuron of the second."""
    count, joined = dials["edges"], dials["joined"]
    needed = {"all": count, "most": count // 2 + 1, "one": 1}[joined]
    net = neuron.region(count, needed, dials["sharpness"])
    data = toy_points.examples("rings", 60)
    first, last = cast(nn.Linear, net[0]), cast(nn.Linear, net[2])
    with torch.no_grad():
        hidden = torch.sigmoid(first(point()))[0].tolist()
    sums = Sums()
    yeses = [sums.number(value) for value in hidden]
    bias = sums.given(last.bias.item())
    z = sums.of(lambda b, *yeses: neuron.AND * sum(yeses) + b, bias, *yeses)
    a = sums.of(sigmoid, z)
    picture, side = st.columns([3, 2], gap="large")
    with picture:
        show_plane(net, data, "neuron.region")
    with side:
        pairs(("edges", "sharpness"))
        dials.show("joined")
        halves = [" + ".join(yes.tex for yes in yeses[n : n + 3]) for n in range(0, count, 3)]
        show(
            rf"z &= {formula.tex(neuron.AND, 0)} \cdot ({halves[0]}"
            + (rf" \\ &\quad + {halves[1]}" if len(halves) > 1 else "")
            # A line of its own, as the sum is wider than a phone.
            + rf") \\ &\quad {bias.term} {z.sign} {z.tex}",
            rf"a &= \sigma({z.tex}) {a.sign} {a.tex}",
        )
        side_of(a)
        network_drawing.draw(
            Net(
                [
                    Node("x1", 0, 0, "x₁", sums.given(dials["x1"]).text),
                    Node("x2", 0, 1, "x₂", sums.given(dials["x2"]).text),
                    *(Node(f"h{i}", 1, i, "", yes.text) for i, yes in enumerate(yeses)),
                    Node("a", 2, 0, "a", a.text),
                ],
                [
                    *(
                        Edge(f"x{j + 1}", f"h{i}", weight)
                        for i, row in enumerate(first.weight.tolist())
                        for j, weight in enumerate(row)
                    ),
                    *(
                        Edge(f"h{i}", "a", weight)
                        for i, weight in enumerate(last.weight[0].tolist())
                    ),
                ],
            ),
            key="neuron.joined",
            alt=_("Two inputs, the neurons of the first layer, and the one that joins them"),
            height=max(280, 78 * count),
        )
    language.prose("neuron", "region")


VIEWS: dict[str, Callable[[], None]] = {
    "line": line,
    "plane": two,
    "layer": layer,
    "bends": bends,
    "region": region,
}
VIEWS[lesson.views(dials, "view")]()
lesson.finish("neuron", dials)

"""Activation functions: what bends a network, and what they do to a gradient."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

import streamlit as st
import torch

from playground.fields import Field
from playground.i18n import N_
from playground.lesson import activations, neuron, toy_points
from playground.lesson.activations import Activation
from playground.recipe import FIELDS as RECIPE
from playground.ui.charts import curves, formula, heatmap_2d, vega
from playground.ui.charts.heatmap_2d import CLASS_COLORS, Dot
from playground.ui.charts.sums import Number, Sums
from playground.ui.lesson import page as lesson
from playground.ui.shell import language, palette
from playground.ui.shell.language import _

KIND = RECIPE["activation"]
COLORS = dict(zip(KIND.choices, palette.CLASSES, strict=False))
# What the axes of a function and of its derivative reach, where it is not the usual.
HEIGHTS = {"sigmoid": (-0.25, 1.25), "tanh": (-1.25, 1.25)}
SLOPES = {"maxout": (-2.2, 2.2), "sigmoid": (-0.05, 0.35), "tanh": (-0.1, 1.15)}
EDGE = palette.INK  # dark on both themes, as the plane is light on both
GRADIENT = "∂aₙ / ∂x"
DATA = 120  # points to tell apart
LOWEST, HIGHEST = -12, 8  # powers of ten that a gradient's axis reaches


def piece(name: str, default: float, label: str) -> Field:
    return Field(name, "number", default, label, "", low=-2, high=2, step=0.1)


(W1, B1), (W2, B2) = activations.PIECES
FIELDS = (
    Field(
        "view",
        "choice",
        "curve",
        N_("What is shown"),
        choices=("curve", "depth", "network"),
        choice_labels={
            "curve": N_("The function and its derivative"),
            "depth": N_("A gradient through many layers"),
            "network": N_("A network with and without it"),
        },
    ),
    Field(
        "activation",
        "choice",
        "sigmoid",
        KIND.label,
        KIND.help,
        choices=KIND.choices,
        choice_labels=KIND.choice_labels,
    ),
    Field(
        "x",
        "number",
        2.0,
        N_("x: the neuron's weighted sum"),
        N_("Weights times inputs, plus bias."),
        low=-6,
        high=6,
        step=0.1,
    ),
    RECIPE["elu_alpha"],
    piece("w1", W1, N_("w₁: slope of line 1")),
    piece("b1", B1, N_("b₁: height of line 1 at x = 0")),
    piece("w2", W2, N_("w₂: slope of line 2")),
    piece("b2", B2, N_("b₂: height of line 2 at x = 0")),
    Field(
        "start",
        "number",
        1.0,
        N_("input x of the first layer"),
        low=-4,
        high=4,
        step=0.1,
    ),
    Field(
        "weight",
        "number",
        1.0,
        N_("weight w in every layer"),
        N_("Every layer has the same weight, so you can check the numbers by hand. Biases are 0."),
        low=0.2,
        high=4,
        step=0.1,
    ),
    Field("layers", "integer", 10, N_("Layers"), low=1, high=20),
    Field(
        "data",
        "choice",
        "rings",
        N_("Points"),
        choices=("rings", "corners", "groups"),
        choice_labels={
            "rings": N_("a disc in a ring"),
            "corners": N_("four corners (XOR)"),
            "groups": N_("two groups"),
        },
    ),
    Field(
        "bent",
        "switch",
        False,
        N_("With an activation function"),
        N_("Off: each neuron passes its sum on unchanged."),
    ),
    Field("hidden", "integer", 2, N_("Hidden layers"), low=1, high=4),
    Field("neurons", "integer", 6, N_("Neurons per layer"), low=1, high=8),
)

dials = lesson.begin(
    "activations", N_("What does an activation function add, and what does it cost?"), FIELDS
)
tex = formula.tex


def chosen(kind: str | None = None) -> Activation:
    """The activation function as the dials set it."""
    first, second = (dials["w1"], dials["b1"]), (dials["w2"], dials["b2"])
    return Activation(kind or dials["activation"], dials["elu_alpha"], (first, second))


def shape_dials() -> None:
    """Sliders for what this activation function can be set to, if anything."""
    if dials["activation"] == "elu":
        dials.show("elu_alpha")
    elif dials["activation"] == "maxout":
        for row in (("w1", "b1"), ("w2", "b2")):
            for column, name in zip(st.columns(2), row, strict=True):
                with column:
                    dials.show(name)


def formulas(activation: Activation, given: Number, sums: Sums) -> tuple[list[str], Number, Number]:
    """f and f' with x put in; and both as numbers."""
    x, one = given.value, sums.given(1)
    match activation.kind:
        case "sigmoid":
            value = sums.of(lambda x: activation.by_hand(x)[0], given, noise=0)
            slope = sums.of(lambda f: f * (1 - f), value, noise=0)
            lines = [
                rf"f(x) &= \frac{{1}}{{1 + e^{{-x}}}} = \frac{{1}}{{1 + e^{{{opposite(given)}}}}}"
                rf" {value.sign} {value.tex}",
                r"f'(x) &= f(x) \cdot (1 - f(x))",
                rf"&= {value.base} \cdot (1 - {value.base}) {slope.sign} {slope.tex}",
            ]
        case "tanh":
            value = sums.of(math.tanh, given)
            slope = sums.of(lambda f: 1 - f**2, value, noise=0)
            lines = [
                rf"f(x) &= \tanh(x) = \frac{{e^x - e^{{-x}}}}{{e^x + e^{{-x}}}}"
                rf" {value.sign} {value.tex}",
                r"f'(x) &= 1 - f(x)^2",
                rf"&= 1 - {value.base}^2 {slope.sign} {slope.tex}",
            ]
        case "relu":
            value, slope = sums.of(lambda x: max(0.0, x), given), sums.given(float(x > 0))
            lines = [
                rf"f(x) &= \max(0, x) = \max(0;\, {given.tex}) {value.sign} {value.tex}",
                rf"f'(x) &= {slope_of_side(x, slope.tex)}",
            ]
        case "leaky_relu":
            tenth, slope = sums.of(lambda x: 0.1 * x, given), sums.given(1.0 if x > 0 else 0.1)
            value = sums.of(max, tenth, given)
            lines = [
                r"f(x) &= \max(0.1 \cdot x,\, x)".replace("0.1", tex(0.1, 1)),
                rf"&= \max({tenth.tex};\, {given.tex}) {value.sign} {value.tex}",
                rf"f'(x) &= {slope_of_side(x, slope.tex)}",
            ]
        case "maxout":
            lines, value, slope = maxout(activation, given, sums)
        case "elu" if x <= 0:
            alpha = sums.given(activation.alpha)
            value = sums.of(lambda a, x: a * math.expm1(x), alpha, given)
            slope = sums.of(lambda a, x: a * math.exp(x), alpha, given)
            lines = [
                r"f(x) &= \alpha \cdot (e^x - 1)",
                rf"&= {alpha.tex} \cdot (e^{{{given.tex}}} - 1) {value.sign} {value.tex}",
                rf"f'(x) &= \alpha \cdot e^x = {alpha.tex} \cdot e^{{{given.tex}}}"
                rf" {slope.sign} {slope.tex}",
            ]
        case "elu":
            value, slope = given, one
            lines = [rf"f(x) &= x = {value.tex}", rf"f'(x) &= {slope_of_side(x, slope.tex)}"]
        case _:
            value, slope = given, one
            lines = [rf"f(x) &= x = {value.tex}", rf"f'(x) &= {slope.tex}"]
    return lines, value, slope


def maxout(activation: Activation, given: Number, sums: Sums) -> tuple[list[str], Number, Number]:
    """The same of Maxout, which takes the larger of two pieces."""
    (w1, b1), (w2, b2) = ((sums.given(w), sums.given(b)) for w, b in activation.pieces)
    first = sums.of(lambda w, x, b: w * x + b, w1, given, b1)
    second = sums.of(lambda w, x, b: w * x + b, w2, given, b2)
    value = sums.of(max, first, second)
    if first.value > second.value:
        winner, slope = "w_1", w1
    elif second.value > first.value:
        winner, slope = "w_2", w2
    else:
        winner, slope = r"\tfrac{w_1 + w_2}{2}", sums.of(lambda a, b: (a + b) / 2, w1, w2)
    lines = [
        r"f(x) &= \max(w_1 x + b_1,\, w_2 x + b_2)",
        rf"&= \max({w1.tex} \cdot {given.factor} {b1.term};\, "
        rf"{w2.tex} \cdot {given.factor} {b2.term})",
        rf"&= \max({first.tex};\, {second.tex}) {value.sign} {value.tex}",
        rf"f'(x) &= {winner} = {slope.tex}",
    ]
    return lines, value, slope


def opposite(value: Number) -> str:
    """-x, in LaTeX."""
    return value.tex[1:] if value.shown < 0 else f"-{value.tex}" if value.shown else "0"


def slope_of_side(x: float, slope: str) -> str:
    """The slope of a function with a kink at 0, and which side it is."""
    side = ">" if x > 0 else r"\le"
    return rf"{slope} \qquad (x {side} 0)"


def told(kind: str, slope: Number) -> None:
    """What becomes of a gradient here, in words."""
    state, value = activations.health(kind, slope.value), slope.text
    if state == "dead":
        st.error(
            _(
                "The slope is 0: no gradient gets through, so the weights feeding this neuron "
                "learn nothing from this example. If it is 0 for all examples, the neuron is "
                "**dead**: only a change in the layers before it can bring it back."
            ),
            icon=":material/block:",
        )
    elif state == "saturated":
        st.warning(
            _(
                "**Saturated:** the curve is almost flat. Only {value} of a gradient of 1 gets "
                "through, so the weights before this neuron hardly move.",
                value=value,
            ),
            icon=":material/trending_flat:",
        )
    else:
        st.success(
            _("A gradient of 1 comes in, {value} goes out.", value=value),
            icon=":material/check:",
        )


def curve() -> None:
    """One function, its derivative below, and a point that moves along both."""
    activation, x = chosen(), dials["x"]
    kind, alpha = activation.kind, activation.alpha
    xs = torch.linspace(-6, 6, 241)
    values, slopes = activations.curve(activation, xs)
    value, slope = activations.at(activation, x)
    sums = Sums()
    lines_of_formula, f, steepness = formulas(activation, sums.given(x), sums)
    grid = xs.tolist()
    tangent = [value + slope * (end - x) for end in (x - 1.5, x + 1.5)]
    lines: dict[str, curves.Curve] = {}
    if kind == "maxout":
        for place, (w, b) in enumerate(activation.pieces, start=1):
            lines[_("line {n}", n=place)] = ([-6.0, 6.0], [b - 6 * w, b + 6 * w])
    dashed = list(lines)
    lines["f"] = (grid, values.tolist())
    lines[_("tangent")] = ([x - 1.5, x + 1.5], tangent)
    colors = (*palette.CLASSES[2:4][: len(dashed)], palette.CLASSES[0], palette.VALIDATION)
    picture, side = st.columns([3, 2], gap="large")
    with picture:
        curves.curves(
            lines,
            x_title="x",
            y_title="f(x)",
            key="activations.curve",
            alt=_("The function; at x it is {value}", value=f.text),
            x=(-6, 6),
            y=HEIGHTS.get(kind, (-3, 6)),
            points=[curves.Mark(x, value, f.text)],
            colors=dict(zip(lines, colors, strict=True)),
            dashed=dashed,
            height=300,
        )
        curves.curves(
            {_("derivative"): (grid, slopes.tolist())},
            x_title="x",
            y_title="f′(x)",
            key="activations.slope",
            alt=_("Its derivative; at x it is {value}", value=steepness.text),
            x=(-6, 6),
            y=SLOPES.get(kind, (-0.1, max(1.15, 1.1 * alpha))),
            points=[curves.Mark(x, slope, steepness.text)],
            height=190,
        )
    with side:
        dials.show("activation", "x")
        shape_dials()
        st.latex(formula.aligned(lines_of_formula))
        told(kind, steepness)
        about(kind)
        with st.expander(_("Which one should I choose?")):
            language.prose("activations", "which")


def about(kind: str) -> None:
    """What this function is known for."""
    match kind:
        case "sigmoid":
            language.prose("activations", "sigmoid")
        case "tanh":
            language.prose("activations", "tanh")
        case "relu":
            language.prose("activations", "relu")
        case "leaky_relu":
            language.prose("activations", "leaky_relu")
        case "maxout":
            language.prose("activations", "maxout")
        case "elu":
            language.prose("activations", "elu")
        case "none":
            language.prose("activations", "none")


def depth() -> None:
    """The product of slopes that a gradient is multiplied by on its way back."""
    start, weight, layers = dials["start"], dials["weight"], dials["layers"]
    mine = activations.chain(chosen(), start, weight, layers)
    # Without a function the line is ReLU's; it need not be drawn twice.
    kinds = [kind for kind in KIND.choices if kind in (dials["activation"], *KIND.choices[:-1])]
    names: list[str] = []
    colors: list[palette.Color] = []
    sums = Sums()
    factors = [sums.number(value, noise=0) for value in mine.factors]
    product = sums.of(lambda *parts: math.prod(parts), *factors, noise=0)
    picture, side = st.columns([3, 2], gap="large")
    with picture:
        rows = []
        for name, kind, gradients in together(kinds, start, weight, layers):
            names.append(name)
            colors.append(COLORS[kind])
            rows += [
                {
                    "layer": place,
                    "gradient": abs(gradient),
                    "name": name,
                    "mine": kind == dials["activation"],
                }
                for place, gradient in enumerate(gradients)
                # A logarithm knows no 0, and beyond the axis nothing can be seen.
                if 10**LOWEST <= abs(gradient) <= 10**HIGHEST
            ]
        gradient_chart(rows, layers, names, colors)
    with side:
        dials.show("activation")
        left, right = st.columns(2)
        with left:
            dials.show("layers")
        with right:
            dials.show("weight")
        left, right = st.columns(2)
        with left:
            dials.show("start")
        right.metric(GRADIENT, product.text)
        shown = [factor.factor for factor in factors]
        if len(shown) > 8:
            shown = [*shown[:5], r"\ldots", *shown[-2:]]
        rows_of_three = [r" \cdot ".join(shown[n : n + 4]) for n in range(0, len(shown), 4)]
        lines = [
            r"a_k &= f(z_k), \quad z_k = w \cdot a_{k-1}, \quad a_0 = x",
            rf"\frac{{\partial a_n}}{{\partial x}} &= \prod_{{k=1}}^{{{layers}}}"
            rf" w \cdot f'(z_k)",
            rf"&= {rows_of_three[0]}",
            *(rf"&\quad \cdot {row}" for row in rows_of_three[1:]),
            rf"&{product.sign} {product.tex}",
        ]
        st.latex(formula.aligned(lines))
        verdict(product)
    language.prose("activations", "depth")


def together(
    kinds: Sequence[str], start: float, weight: float, layers: int
) -> list[tuple[str, str, Sequence[float]]]:
    """Name, kind and gradients of each line; functions whose lines lie on each other are one."""
    lines: dict[tuple[str, ...], list[str]] = defaultdict(list)
    gradients = {}
    for kind in kinds:
        found = activations.chain(chosen(kind), start, weight, layers).gradients
        same = tuple(f"{abs(gradient):.6e}" for gradient in found)
        # The chosen one gives the line its colour.
        lines[same].insert(0 if kind == dials["activation"] else len(lines[same]), kind)
        gradients[same] = found
    return [
        (", ".join(_(KIND.choice_labels[kind]) for kind in group), group[0], gradients[same])
        for same, group in lines.items()
    ]


def verdict(gradient: Number) -> None:
    """What is left of a gradient when it arrives at the input."""
    size, value = abs(gradient.value), gradient.text
    if size == 0:
        st.error(
            _("One slope on the way was 0, so no gradient reaches the input."),
            icon=":material/block:",
        )
    elif size < 0.01:
        st.warning(
            _(
                "**Vanishing gradient:** only {value} of the gradient reaches the input, and the "
                "first layers get hardly more.",
                value=value,
            ),
            icon=":material/trending_down:",
        )
    elif size > 100:
        st.warning(
            _(
                "**Exploding gradient:** by the input it has grown to {value}.",
                value=value,
            ),
            icon=":material/trending_up:",
        )
    else:
        st.success(
            _(
                "{value} of the gradient reaches the input, so the first layers can learn from it.",
                value=value,
            ),
            icon=":material/check:",
        )


def gradient_chart(
    rows: list[dict[str, object]],
    layers: int,
    names: Sequence[str],
    colors: Sequence[palette.Color],
) -> None:
    """Gradients over the layers, the chosen function's thick; decades on the axis."""
    superscripts = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    powers = range(LOWEST, HIGHEST + 1, 2)
    written = ", ".join(
        f"'{power}': '{'1' if power == 0 else '10' + str(power).translate(superscripts)}'"
        for power in powers
    )
    spec = {
        "encoding": {
            "x": {
                "field": "layer",
                "type": "quantitative",
                "title": _("layer k (0: the input)"),
                "scale": {"domain": [0, layers], "nice": False},
                "axis": {"tickMinStep": 1, "format": "d", "tickCount": min(layers, 10)},
            },
            "y": {
                "field": "gradient",
                "type": "quantitative",
                "title": _("gradient at that layer: |∂aₙ / ∂aₖ|"),
                "scale": {
                    "type": "log",
                    "domain": [10.0**LOWEST, 10.0**HIGHEST],
                    "nice": False,
                },
                "axis": {
                    "values": [10.0**power for power in powers],
                    "labelExpr": f"{{{written}}}[round(log(datum.value) / LN10)]",
                },
            },
            "color": {
                "field": "name",
                "type": "nominal",
                "title": None,
                "scale": {"domain": names, "range": colors},
                "legend": {
                    "orient": "top",
                    "offset": 0,
                    "padding": 0,
                    "columns": 3 if len(names) > 4 else 1,
                    "labelLimit": 500,
                    "symbolType": "stroke",
                    "symbolOpacity": 1,
                    "symbolStrokeWidth": 3,
                },
            },
        },
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 1.5, "opacity": 0.55},
                "transform": [{"filter": "!datum.mine"}],
            },
            {
                "mark": {
                    "type": "line",
                    "strokeWidth": 4,
                    "point": {"size": 60, "filled": True},
                },
                "transform": [{"filter": "datum.mine"}],
            },
        ],
    }
    vega.show(
        rows,
        spec,
        490,
        "activations.depth",
        _("How much of the gradient reaches each layer, for each activation function"),
    )


@st.cache_data(max_entries=400, show_spinner=False)
def trained(
    data: str, activation: str, hidden: tuple[int, ...]
) -> tuple[list[list[float]], list[bool], float, list[float]]:
    """A small network after its training: its picture, what it gets right, its loss.

    Last, for a network without activation, the weights and the bias of the one neuron that
    all its layers together are.
    """
    result = toy_points.train(data, DATA, activation, hidden)
    alone: list[float] = []
    if activation == "none":
        weight, bias = toy_points.merged(result.net)
        alone = [*weight[0].tolist(), bias.item()]
    return toy_points.picture(result.net).tolist(), result.right.tolist(), result.loss, alone


def network() -> None:
    """A small network that has just been trained, with this activation function or none."""
    data, kind = dials["data"], dials["activation"] if dials["bent"] else "none"
    hidden = (dials["neurons"],) * dials["hidden"]
    values, right, loss, alone = trained(data, kind, hidden)
    examples = toy_points.examples(data, DATA)
    edge = neuron.boundary(alone[0], alone[1], alone[2], toy_points.SPAN) if alone else ([], [])
    count = sum(right)
    picture, side = st.columns([3, 2], gap="large")
    with picture:
        heatmap_2d.plane(
            values,
            x=(-toy_points.SPAN, toy_points.SPAN),
            y=(-toy_points.SPAN, toy_points.SPAN),
            x_title="x₁",
            y_title="x₂",
            key="activations.network",
            alt=_(
                "The network's answers all over the plane; {right} of {all} points are correct",
                right=count,
                all=DATA,
            ),
            points=[
                Dot(
                    x1,
                    x2,
                    CLASS_COLORS[int(target)],
                    shape="circle" if good else "cross",
                    size=60 if good else 130,
                )
                for (x1, x2), target, good in zip(
                    examples.inputs.tolist(), examples.targets.tolist(), right, strict=True
                )
            ],
            paths={"edge": (*edge, EDGE)},
            height=440,
        )
        st.caption(
            _(
                "Blue and orange are the two classes; the background is the network's answer. A "
                "cross marks a wrong answer. White: undecided."
            )
        )
    with side:
        dials.show("bent")
        if dials["bent"]:
            dials.show("activation")
        dials.show("data")
        for column, name in zip(st.columns(2), ("hidden", "neurons"), strict=True):
            with column:
                dials.show(name)
        left, middle = st.columns(2)
        left.metric(_("Correct points"), _("{right} of {all}", right=count, all=DATA))
        middle.metric(_("Loss"), Sums().number(loss).text)
        if alone:
            w1, w2, b = (Sums().number(value) for value in alone)
            st.latex(chain_of_matrices(len(hidden)))
            st.latex(rf"z = {w1.tex} \cdot x_1 {w2.term} \cdot x_2 {b.term}")
            language.prose("activations", "straight")
        else:
            st.latex(formula.aligned(chain_of_functions(len(hidden))))
            language.prose("activations", "bent")


def chain_of_matrices(hidden: int) -> str:
    """z = W₃(W₂(W₁x + b₁) + b₂) + b₃ = (W₃W₂W₁)x + b, b being all that has no x in it."""
    product = " ".join(f"W_{n}" for n in range(hidden + 1, 0, -1))
    return rf"z = ({product})\, x + b = W x + b"


def chain_of_functions(hidden: int) -> list[str]:
    """The layers one after another: a₁ = f(W₁x + b₁), …, z = W₃a₂ + b₃."""
    sums = [f"W_{n} {f'a_{n - 1}' if n > 1 else 'x'} + b_{n}" for n in range(1, hidden + 2)]
    lines = [f"a_{n} &= f({inside})" for n, inside in enumerate(sums[:-1], start=1)]
    return [*lines, f"z &= {sums[-1]}"]


VIEWS: dict[str, Callable[[], None]] = {"curve": curve, "depth": depth, "network": network}
VIEWS[lesson.views(dials, "view")]()
lesson.finish("activations", dials)

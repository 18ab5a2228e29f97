"""Forward pass: a small network, layer by layer, and a convolution, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from playground.fields import Field
from playground.i18n import N_
from playground.lesson import convolution, tiny_network
from playground.ui.charts import convolution_drawing, network_drawing
from playground.ui.charts.sums import Number, Sums
from playground.ui.lesson import page as lesson
from playground.ui.lesson import tiny_network as drawn
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.widgets.controls import control

OWN = tuple(f"k{row}{column}" for row in (1, 2, 3) for column in (1, 2, 3))
SIDE = convolution.size(convolution.SIDE, 1)
FIELDS = (
    Field(
        "view",
        "choice",
        "network",
        N_("What is passed forward"),
        choices=("network", "convolution"),
        choice_labels={
            "network": N_("Through a small network"),
            "convolution": N_("Through a convolution"),
        },
    ),
    *drawn.FIELDS,
    Field(
        "neuron",
        "choice",
        "1",
        N_("Inside a neuron"),
        N_("Or click it in the drawing."),
        choices=("1", "2", "3"),
    ),
    Field("step", "integer", 2, N_("Step"), low=0, high=4),
    Field(
        "picture",
        "choice",
        "seven",
        N_("Picture"),
        choices=convolution.PICTURES,
        choice_labels={
            "seven": N_("a handwritten 7"),
            "circle": N_("circle"),
            "square": N_("square"),
        },
    ),
    Field(
        "kernel",
        "choice",
        "vertical",
        N_("Kernel"),
        N_("Nine weights that detect a pattern. A real network learns its own."),
        choices=(*convolution.KERNELS, "own"),
        choice_labels={
            "vertical": N_("vertical edge"),
            "horizontal": N_("horizontal edge"),
            "blur": N_("blur"),
            "sharpen": N_("sharpen"),
            "own": N_("your own weights"),
        },
    ),
    Field(
        "stride",
        "choice",
        "1",
        N_("Stride"),
        N_("How many pixels the kernel moves each time."),
        choices=("1", "2"),
    ),
    Field("row", "integer", 5, N_("Row"), low=1, high=SIDE),
    Field("column", "integer", 4, N_("Column"), low=1, high=SIDE),
    Field("bias", "number", 0.0, N_("Bias b"), low=-2, high=2, step=0.1),
    *(
        Field(name, "number", float(value), drawn.written(name), low=-3, high=3, step=0.5)
        for name, value in zip(OWN, convolution.UNCHANGED, strict=True)
    ),
)

dials = lesson.begin("forward_pass", N_("How do inputs become an answer?"), FIELDS)


def known_after(step: int) -> set[str]:
    """What has been computed after a step."""
    order = [set(), {"z1", "z2"}, {"a1", "a2"}, {"z3"}, {"a3"}]
    return set().union(*order[: step + 1])


def follow() -> None:
    """The neuron opened up follows the walk; and who opens a later one walks there."""
    step, neuron = dials["step"], dials["neuron"]
    before = st.session_state.setdefault(dials.key("walked"), step)
    if step != before and (step >= 3) != (neuron == "3"):
        dials.set("neuron", "3" if step >= 3 else "1")
    elif neuron == "3" and step < 3:
        dials.set("step", 4)
    st.session_state[dials.key("walked")] = dials["step"]


def network() -> None:
    step = lesson.stepper(
        dials,
        "step",
        [
            _("The inputs come in"),
            _("Neurons 1 and 2: the weighted sums z"),
            _("Neurons 1 and 2: the activations a"),
            _("Neuron 3: the weighted sum z of what 1 and 2 pass on"),
            _("Neuron 3: its activation is the answer"),
        ],
    )
    weights, activation = drawn.parameters(dials), dials["activation"]
    number = drawn.numbers(Sums(), weights, drawn.inputs(dials), activation)
    known, neuron = known_after(step), int(dials["neuron"])

    def opened(clicked: str) -> None:
        if clicked in ("1", "2", "3"):
            dials.set("neuron", clicked)

    left, right = st.columns([3, 2], gap="medium")
    with left:
        network_drawing.draw(
            drawn.drawing(number, known),
            "forward_pass.net",
            alt=_(
                "Network of 2 inputs, 2 hidden neurons and 1 output neuron; the answer is {answer}",
                answer=number["a3"].text if "a3" in known else "?",
            ),
            chosen=str(neuron),
            on_click=opened,
            height=350,
        )
        st.caption(
            _(
                "In a circle: what the neuron passes on, a. Above it: its weighted sum z. Below "
                "it: its bias b. On a line: the weight, blue if positive, orange if negative."
            )
        )
    with right:
        st.markdown("**" + _("Inside neuron {n}", n=neuron) + "**")
        lines = [
            drawn.weighted_sum(neuron, number, f"z{neuron}" in known),
            drawn.bent(neuron, activation, number, f"a{neuron}" in known),
        ]
        sums = r"\begin{aligned}" + r" \\[6pt] ".join(lines) + r"\end{aligned}"
        st.latex(sums)
        for column, name in zip(st.columns(3), tiny_network.of_neuron(neuron), strict=True):
            with column:
                dials.show(name)
        for column, name in zip(st.columns(2), ("x1", "x2"), strict=True):
            with column:
                dials.show(name)
    language.prose("forward_pass", "network")


def kernel() -> tuple[float, ...]:
    if dials["kernel"] == "own":
        return tuple(dials[name] for name in OWN)
    return convolution.KERNELS[dials["kernel"]]


def convolved() -> None:
    image, stride = convolution.picture(dials["picture"]), int(dials["stride"])
    weights, bias = kernel(), dials["bias"]
    side = convolution.size(convolution.SIDE, stride)
    for name in ("row", "column"):  # there are fewer with a larger stride
        dials.set(name, min(dials[name], side))
    row, column = dials["row"] - 1, dials["column"] - 1
    out = convolution.convolve(image, weights, bias, stride)
    pixel = convolution.open_up(image, weights, bias, stride, row, column)
    sums = Sums()
    # A ninth is divided by nine: with the digits of 0.111 no product would be right.
    ninths = dials["kernel"] == "blur"
    products = [sums.number(value) for value in pixel.products.flatten().tolist()]
    offset = sums.given(pixel.bias)
    total = sums.of(lambda *parts: sum(parts), *products, offset)

    def picked(new_row: int, new_column: int) -> None:
        dials.set("row", new_row + 1)
        dials.set("column", new_column + 1)

    with st.container(horizontal=True, gap="medium"):
        with st.container(width=345):
            st.markdown("**" + _("Picture, {n}×{n} pixels", n=convolution.SIDE) + "**")
            convolution_drawing.picture(image, row * stride, column * stride, "forward_pass.image")
            for place, name in zip(st.columns(2), ("row", "column"), strict=True):
                with place:
                    control(replace(dials.by_name[name], high=side), dials.key(name))
        with st.container(width=345):
            st.markdown("**" + _("Output, {n}×{n}: click a pixel", n=side) + "**")
            convolution_drawing.output(out, row, column, "forward_pass.out", picked)
            dials.show("bias")
        with st.container(width=400):
            st.markdown("**" + _("Inside the output pixel: pixel · weight") + "**")
            convolution_drawing.opened(pixel, "forward_pass.opened", products, total, ninths)
            show_sum(products, offset, total)
            st.caption(
                _(
                    "PyTorch's nn.Conv2d gives {value} too.",
                    value=total.like(float(out[row, column])).text,
                )
            )
    language.prose("forward_pass", "convolution")


def show_sum(products: Sequence[Number], offset: Number, total: Number) -> None:
    """The nine products added up, three on a line."""
    terms = [products[0].tex, *(product.term for product in products[1:])]
    lines = [" ".join(terms[start : start + 3]) for start in (0, 3, 6)]
    lines.append(f"{offset.term} \\;(b)")
    whole = r" \\ &\quad ".join(lines)
    text = (
        rf"\begin{{aligned}} z &= {whole} \\ &{total.sign} \mathbf{{{total.tex}}} \end{{aligned}}"
    )
    st.latex(text)


SHOWN = {
    "network": ("activation", "neuron"),
    "convolution": ("picture", "kernel", "stride"),
}
follow()
view = lesson.views(dials, "view")
for place, name in zip(st.columns(3), SHOWN[view], strict=False):
    with place:
        dials.show(name)
        if name == "kernel" and dials["kernel"] == "own":
            with st.popover(_("Set the weights"), width="stretch"):
                for start in (0, 3, 6):
                    for cell, weight in zip(st.columns(3), OWN[start : start + 3], strict=True):
                        with cell:
                            dials.show(weight)
if view == "network":
    network()
else:
    convolved()
lesson.finish("forward_pass", dials)

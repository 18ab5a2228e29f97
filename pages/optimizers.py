"""Optimizers: the same start, the same gradient, and yet other ways down."""

from functools import cache
from typing import Any, Final

import numpy as np
import streamlit as st

from playground.fields import Field
from playground.i18n import N_
from playground.lesson import descent, surfaces
from playground.lesson.descent import STEPS
from playground.lesson.surfaces import SPAN, SURFACES
from playground.recipe import FIELDS as SETTINGS
from playground.ui.charts import curves, formula, heatmap_2d, plotly_component, surface_3d, ticks
from playground.ui.lesson import page as lesson
from playground.ui.lesson import update_rule
from playground.ui.shell import language, palette
from playground.ui.shell.language import _
from playground.ui.widgets import controls

COLORS: Final = {
    "sgd": palette.CLASSES[0],
    "momentum": palette.CLASSES[1],
    "nesterov": palette.CLASSES[4],
    "rmsprop": palette.CLASSES[2],
    "adam": palette.CLASSES[3],
}
RACE: Final = ("sgd", "momentum", "rmsprop", "adam")  # Nesterov joins them when followed
FINE: Final = 160  # points along a side of the picture
COARSE: Final = 41  # of the landscape to turn
SHORT: Final = {
    "sgd": "SGD",
    "momentum": N_("momentum"),
    "nesterov": "Nesterov",
    "rmsprop": "RMSprop",
    "adam": "Adam",
}
FIELDS: Final = (
    Field(
        "surface",
        "choice",
        "ravine",
        N_("Loss surface"),
        N_(
            "The loss as a function of two weights. Darker is higher; marks show the lowest points."
        ),
        choices=tuple(SURFACES),
        choice_labels={surface.name: surface.label for surface in SURFACES.values()},
    ),
    Field(
        "view",
        "choice",
        "flat",
        N_("View"),
        N_("From above, like a map, or as a landscape that you can turn."),
        choices=("flat", "solid"),
        choice_labels={"flat": N_("map (2-D)"), "solid": N_("landscape (3-D)")},
    ),
    Field(
        "learning_rate",
        "number",
        0.1,
        N_("Learning rate η"),
        N_("How big each step is."),
        low=0.001,
        high=10,
        log=True,
        # Fine where SGD reaches its limit: 1 on the bowl and in the ravine.
        stops=(0.4, 0.6, 0.7, 0.8, 0.9, 1.1, 1.2, 1.5),
    ),
    Field(
        "momentum",
        "number",
        0.9,
        N_("Momentum μ"),
        N_("How much of its speed momentum keeps from one step to the next."),
        low=0,
        high=0.99,
        step=0.01,
    ),
    Field("w1", "number", -3.5, N_("Start w₁"), low=SPAN[0], high=SPAN[1], step=0.1),
    Field("w2", "number", 1.5, N_("Start w₂"), low=SPAN[0], high=SPAN[1], step=0.1),
    Field(
        "follow",
        "choice",
        "sgd",
        N_("Show the steps of"),
        N_("The optimizer whose formula and next step are shown."),
        choices=descent.NAMES,
        choice_labels=SETTINGS["optimizer"].choice_labels,
    ),
    Field(
        "turned",
        "integer",
        230,
        N_("Turn the landscape [°]"),
        N_("Or drag it with the mouse."),
        low=0,
        high=360,
        step=10,
    ),
    Field("step", "integer", 30, N_("Steps"), low=0, high=STEPS),
)


@cache
def heights(name: str, side: int) -> Any:
    """The loss on a grid (side, side)."""
    return surfaces.grid(SURFACES[name].value, SPAN, SPAN, side).numpy()


def localised(latex: str) -> str:
    """A formula with its decimal points as the reader writes them."""
    comma = language.number(0.5, 1)[1]
    return latex.replace(".", "{,}" if comma == "," else ".")


dials = lesson.begin(
    "optimizers",
    N_("How does a gradient become a step, and which optimizer gets down fastest?"),
    FIELDS,
)

# Another surface has its trouble at another place: start there, but only when it is changed.
before = st.session_state.setdefault("optimizers.surface.before", dials["surface"])
if before != dials["surface"]:
    st.session_state["optimizers.surface.before"] = dials["surface"]
    for name, value in zip(("w1", "w2"), SURFACES[dials["surface"]].start, strict=True):
        dials.set(name, value)

surface = SURFACES[dials["surface"]]
start = (float(dials["w1"]), float(dials["w2"]))
rate, momentum, follow = float(dials["learning_rate"]), float(dials["momentum"]), dials["follow"]
names = tuple(n for n in descent.NAMES if n in RACE or n == follow)
race = {track.name: track for track in descent.race(surface.name, start, rate, momentum, names)}
shown = {name: (_(SHORT[name]) if name == "momentum" else SHORT[name]) for name in names}
full_name = SETTINGS["optimizer"].choice_labels[follow]
followed = _(full_name)
track = race[follow]
step = int(dials["step"])
number = controls.short


def begin_at(w1: float, w2: float) -> None:
    dials.set("w1", round(w1, 1))
    dials.set("w2", round(w2, 1))


def where_they_are() -> str:
    """The picture in words: each optimizer's place and loss after the steps so far."""
    places = "; ".join(
        f"{shown[name]} ({ticks.written(way.points[-1][0])}; {ticks.written(way.points[-1][1])}), "
        f"L = {ticks.written(way.losses[-1])}"
        for name, way in walked.items()
    )
    return _(
        "The loss as a function of two weights, and the paths of the optimizers after {n} steps: "
        "{places}",
        n=step,
        places=places,
    )


def across_and_up(way: descent.Track) -> tuple[list[float], list[float]]:
    """Both weights along a way."""
    return [w1 for w1, _w2 in way.points], [w2 for _w1, w2 in way.points]


def seen_from_above() -> None:
    """The map, the ways so far, and where each optimizer is now."""
    values = np.sqrt(heights(surface.name, FINE))  # so that the lines of height lie evenly
    marks = [
        heatmap_2d.Dot(*place, heatmap_2d.INK, shape="cross", size=60) for place in surface.lowest
    ]
    marks.append(heatmap_2d.Dot(*start, heatmap_2d.INK, _("start"), size=60))
    marks += [
        heatmap_2d.Dot(*way.points[-1], COLORS[name], size=130)
        for name, way in walked.items()
        if way.outside(*SPAN) is None
    ]
    heatmap_2d.plane(
        values,
        SPAN,
        SPAN,
        "w₁",
        "w₂",
        key="optimizers.map",
        alt=where_they_are(),
        points=marks,
        paths={shown[name]: (*across_and_up(way), COLORS[name]) for name, way in walked.items()},
        high=float(values.max()),
        scheme="loss",
        on_click=begin_at,
        height=420,
    )


def seen_from_the_side() -> None:
    relief = heights(surface.name, COARSE)
    surface_3d.show(
        relief,
        SPAN,
        SPAN,
        float(relief.max()),
        ("w₁", "w₂", _("loss")),
        {
            shown[name]: (*across_and_up(way), way.losses, COLORS[name])
            for name, way in walked.items()
        },
        key="optimizers.landscape",
        alt=where_they_are(),
        turned=float(dials["turned"]),
        height=420,
    )


def limits() -> str:
    """Which learning rates the followed optimizer bears, and why."""
    h = surface.steepest
    most = descent.limit(follow, momentum, h)
    if most is None:
        return _(
            "{name} divides each gradient by its typical size: a step moves a weight by about η = "
            "{rate}, however steep or flat it is there.",
            name=followed,
            rate=number(rate),
        )
    rule = {
        "sgd": r"2/h",
        "momentum": r"2(1+\mu)/h",
        "nesterov": r"2(1+\mu)/((1+2\mu)h)",
    }[follow]
    return _(
        "At the bottom the steepest curvature is $h = {h}$. {name} settles there if $\\eta < "
        "{rule} = {most}$; yours is $\\eta = {rate}$.",
        h=formula.tex(h, 1),
        name=followed,
        rule=rule,
        most=formula.tex(most, 2),
        rate=update_rule.number(rate),
    )


def share(way: descent.Track) -> str:
    """What is left of the starting loss at the end of ``way``."""
    return percent(way.losses[-1] / way.losses[0])


def percent(part: float) -> str:
    """A share, with a decimal where it is small."""
    if 0 < part < 0.001:
        return _("less than {share}", share=language.percent(0.001, 1))
    return language.percent(part, 1 if part < 0.1 else 0)


def verdict() -> None:
    """Too small, right or too large: what became of the followed optimizer after all steps."""
    found = descent.judge(surface.name, track)
    show, icon = st.warning, "hourglass_empty"
    match found.kind:
        case "right" | "detour":
            said = _(
                "**Just right.** After step {n}, less than 1% of the starting loss is left.",
                n=descent.settled(track),
            )
            show, icon = st.success, "check"
            if found.kind == "detour":
                said = _(
                    "**It arrives, but by a detour.** It leaves the map on the way. After step "
                    "{n}, less than 1% of the starting loss is left.",
                    n=descent.settled(track),
                )
                show, icon = st.warning, "alt_route"
        case "lost":
            said = (
                _(
                    "**Learning rate too large: it diverges.** From step {n} on it is off the map.",
                    n=track.outside(*SPAN),
                )
                if track.lost is not None
                else _("**Learning rate too large.** At the end the optimizer is off the map.")
            )
            show, icon = st.error, "trending_up"
        case "small":
            said = _(
                "**Learning rate too small.** After {n} steps {share} of the starting loss is "
                "left.",
                n=STEPS,
                share=share(track),
            )
        case "large":
            said = _(
                "**Learning rate too large.** After {n} steps {share} of the starting loss is "
                "left.",
                n=STEPS,
                share=share(track),
            )
        case "restless":
            said = _(
                "**Learning rate too large to settle.** The loss of the last three steps: "
                "{losses}.",
                losses=" → ".join(language.number(loss, 2) for loss in track.losses[-3:]),
            )
            icon = "swap_vert"
        case "momentum":
            said = _(
                "**Too much momentum.** After {n} steps {share} of the starting loss is left.",
                n=STEPS,
                share=share(track),
            )
            if min(track.losses) < track.losses[STEPS] / 2:
                said += " " + _(
                    "It got down to {least}, then rolled past the bottom and up again.",
                    least=percent(min(track.losses) / track.losses[0]),
                )
            icon = "swap_vert"
        case "stuck":
            said = _(
                "**Stuck.** The gradient is almost zero here, but the loss is still {loss}.",
                loss=language.number(track.losses[STEPS], 2),
            )
            icon = "lock"
        case "best":
            said = _(
                "**Not there yet.** After {n} steps {share} of the starting loss is left. Half or "
                "twice the learning rate would be no better.",
                n=STEPS,
                share=share(track),
            )
    if found.better is not None:
        other = found.better.recipe
        symbol, value = (
            ("μ", other.momentum) if found.kind == "momentum" else ("η", other.learning_rate)
        )
        said += " " + _(
            "With {symbol} = {value} it would be {share}.",
            symbol=symbol,
            value=number(value),
            share=share(found.better),
        )
    show(f"{followed}, η = {number(rate)}: {said}", icon=f":material/{icon}:")


def loss_over_steps() -> None:
    top = 1.1 * max(race["sgd"].losses[0], 0.1)
    curves.curves(
        {shown[name]: (range(len(way.losses)), way.losses) for name, way in walked.items()},
        x_title=_("step"),
        y_title=_("loss"),
        key="optimizers.losses",
        alt=_("The loss of each optimizer by step"),
        x=(0, 1.01 * STEPS),
        y=(0, top),
        points=[
            curves.Mark(len(way.losses) - 1, way.losses[-1], color=COLORS[name])
            for name, way in walked.items()
            if way.losses[-1] <= top
        ],
        colors={shown[name]: color for name, color in COLORS.items() if name in shown},
        height=200,
    )


walked = {name: way.upto(step) for name, way in race.items()}
settings, play = st.columns([1, 4.1], gap="medium")
with settings:
    dials.show("surface", "learning_rate", "momentum", "w1", "w2", "follow", "view")
    if dials["view"] == "solid":
        dials.show("turned")
with play, st.container(key="try"):  # first on a phone
    lesson.stepper(
        dials, "step", [_("Step {n} of {all}", n=n, all=STEPS) for n in range(STEPS + 1)]
    )
    picture, right = st.columns(2, gap="medium")
with picture:
    if dials["view"] == "flat" or not plotly_component.in_3d():
        if dials["view"] != "flat":
            st.caption(
                ":material/info: "
                + _(
                    "This browser cannot draw in three dimensions (it has no WebGL), so here is "
                    "the same from above."
                )
            )
        seen_from_above()
    else:
        seen_from_the_side()
with right:
    st.latex(localised(rf"L(w) = {surface.formula}"))
    loss_over_steps()
    verdict()
    with st.expander(_("Why?")):
        st.markdown(limits())
    gone = [
        _("{name} (since step {n})", name=shown[name], n=way.outside(*SPAN))
        for name, way in walked.items()
        if way.outside(*SPAN) is not None
    ]
    if gone:
        st.caption(_("Off the map: {names}.", names=", ".join(gone)))
    elif dials["view"] == "flat":
        st.caption(_("Click on the map to start somewhere else."))

st.header(_("The next step of {name} in numbers", name=followed), anchor=False)
here = min(step, len(track.points) - 1)
if here < step:
    st.caption(_("Step {n}: the last one before the numbers become too large.", n=here + 1))
parts, after = update_rule.step(track, surface, localised(surface.slope), here)
for column, part in zip(st.columns([1.2, *[1.5] * (len(parts) - 1)]), parts, strict=True):
    column.latex(part)
if here + 1 < len(track.points):
    w1, w2 = (w.like(by_torch) for w, by_torch in zip(after, track.points[here + 1], strict=True))
    st.caption(
        _(
            "PyTorch's step {n} gives w₁ = {w1}, w₂ = {w2}: the same.",
            n=here + 1,
            w1=w1.text,
            w2=w2.text,
        )
    )
language.prose("optimizers", "rules")
lesson.finish("optimizers", dials)

"""Each layer in numbers: sizes of weights and gradients over time, quiet neurons, steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st
import torch

from playground.insight import layer_stats
from playground.insight.layer_stats import Histogram, Measured
from playground.ui.charts import ticks, vega
from playground.ui.charts.heatmap_2d import plane
from playground.ui.charts.vega import Line
from playground.ui.project.inside.session import Network, short, stage_names
from playground.ui.shell import language, palette
from playground.ui.shell.language import _
from playground.ui.shell.widget_state import bind

COLUMNS: Final = 60  # of the picture over time
HEIGHT: Final = 190


def view(network: Network) -> None:
    """The table of layers and the size of a step; of one layer, its histograms."""
    samples = network.look.samples
    network.paced("gauges", None, lambda: samples.append(sample(network)))
    now = samples[-1]
    names = stage_names([layer.stage for layer in now.layers])
    language.prose("inside", "gauges")
    table, ratios = st.columns([1.5, 1], gap="medium")
    with table:
        _table(now, names)
        st.caption(
            _(
                "Measured after step {step} on {n} validation examples, without dropout. The "
                "gradient is that of the loss on these examples. A dead neuron gives 0 for every "
                "example. A saturated one lets through less than 5% of a gradient on average.",
                step=language.number(now.step),
                n=language.number(now.examples),
            )
        )
    with ratios:
        _ratios(list(samples), names, network.name)
    layers = {str(place): name for place, name in enumerate(names)}
    key = f"{network.name}.layer"
    if st.session_state.get(key, "0") not in layers:
        st.session_state[key] = "0"
    st.segmented_control(
        _("Layer"), list(layers), format_func=layers.__getitem__, required=True, **bind(key, "0")
    )
    place = int(st.session_state[key])
    left, right = st.columns(2, gap="medium")
    of_weights = [one.layers[place].weights for one in samples]
    of_gradients = [one.layers[place].gradients for one in samples]
    steps = [one.step for one in samples]
    with left:
        _histograms(_("Weights"), _("weight"), of_weights, steps, f"{network.name}.weights")
    with right:
        _histograms(
            _("Gradients"),
            _("log₁₀ |gradient|"),
            of_gradients,
            steps,
            f"{network.name}.gradients",
        )
    st.caption(
        _(
            "Top: now. Bottom: since you opened this tab (darker = more of the layer's weights; "
            "at most the last {n} measurements). Zero gradients are drawn at −12.",
            n=samples.maxlen,
        )
    )


def sample(network: Network) -> Measured:
    """One measurement of the network as it is now."""
    layers, examples = layer_stats.measure(network.model, network.dataset, network.run.recipe)
    if network.move is None:
        return Measured(network.step, examples, layers)
    moves = layer_stats.update_ratios(network.model, network.move.before, network.move.after)
    return Measured(network.step, examples, layers, moves, network.move.step)


def _table(now: Measured, names: Sequence[str]) -> None:
    def quiet(count: int | None, units: int) -> str:
        return "–" if count is None else _("{n} of {total}", n=count, total=units)

    layers = now.layers
    st.dataframe(
        {
            _("Layer"): list(names),
            _("Weights"): [language.number(sum(one.weights.counts)) for one in layers],
            _("Spread of weights"): [short(one.spread) for one in layers],
            _("Size of the gradient, √Σg²"): [short(one.gradient) for one in layers],
            _("Dead"): [quiet(one.dead, one.stage.units) for one in layers],
            _("Saturated"): [quiet(one.saturated, one.stage.units) for one in layers],
            _("Update : weight"): [short(one) for one in now.moves] or ["–"] * len(layers),
        },
        hide_index=True,
        alt=_("Each layer in numbers"),
    )


def _ratios(samples: Sequence[Measured], names: Sequence[str], name: str) -> None:
    """How far one step went, against the size of what it moved."""
    rows: list[dict[str, Any]] = [
        {"x": one.moved, "y": max(ratio, 1e-9), "name": layer}
        for one in samples
        for layer, ratio in zip(names, one.moves, strict=False)
    ]
    span = _powers([row["y"] for row in rows])
    waiting = _(
        "Here you see how much one step changes each layer, compared with its weights. Keep this "
        "tab open while the network trains."
    )
    if not rows:
        st.caption(waiting)
        return
    colors = [palette.CLASSES[place % len(palette.CLASSES)] for place in range(len(names))]
    spec = {
        "encoding": {
            "x": {
                "field": "x",
                "type": "quantitative",
                "title": _("step"),
                "axis": {"format": "d"},
            },
            "y": {
                "field": "y",
                "type": "quantitative",
                "title": _("update : weight"),
                "scale": {"type": "log", "domain": span},
                "axis": {"format": "~e", "tickCount": 5},
            },
            "color": {
                "field": "name",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(names), "range": colors},
                "legend": {"orient": "top", "columns": 4, "offset": 0, "padding": 0},
            },
        },
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2, "point": {"size": 20, "filled": True}}},
            *vega.rules([Line(_("rule of thumb"), layer_stats.THUMB)], span, 150, logarithmic=True),
        ],
    }
    last = ", ".join(
        f"{layer} {short(ratio)}" for layer, ratio in zip(names, samples[-1].moves, strict=False)
    )
    alt = _("Update-to-weight ratio by step; the last: {names}", names=last or "–")
    vega.show(rows, spec, 220, f"{name}.ratios", alt)
    moved = samples[-1].moved
    st.caption(
        _(
            "How much single steps changed each layer: ‖change‖ : ‖weights‖. The last one "
            "shown is step {n}.",
            n=moved,
        )
        if moved
        else waiting
    )


def _powers(values: Sequence[float]) -> tuple[float, float]:
    """A span of whole powers of ten that holds ``values`` and the rule of thumb."""
    logs = torch.tensor([*values, layer_stats.THUMB]).log10()
    return 10.0 ** float(logs.min().floor()), 10.0 ** float(logs.max().floor() + 1)


def _histograms(
    title: str, x_title: str, of: Sequence[Histogram], steps: Sequence[int], key: str
) -> None:
    """The latest of one layer's histograms, and all of them as a picture over the steps."""
    now = of[-1]
    low, high = now.span
    rows: list[dict[str, Any]] = [
        {"x": now.low + place * now.width, "x2": now.low + (place + 1) * now.width, "y": count}
        for place, count in enumerate(now.counts)
        if low - 1e-9 <= now.low + place * now.width < high - 1e-9
    ]
    spec = {
        "mark": {"type": "rect", "color": palette.TRAIN},
        "encoding": {
            "x": {
                "field": "x",
                "type": "quantitative",
                "title": x_title,
                "scale": {"domain": [low, high], "nice": False, "zero": False},
                "axis": {"tickCount": 6, "grid": False},
            },
            "x2": {"field": "x2"},
            "y": {
                "field": "y",
                "type": "quantitative",
                "title": _("how many"),
                "scale": {"zero": True},
            },
            "y2": {"datum": 0},
        },
    }
    st.markdown(f"**{title}**")
    alt = _(
        "{title}: from {low} to {high}, most of them near {most}",
        title=title,
        low=ticks.written(low),
        high=ticks.written(high),
        most=ticks.written(
            now.low + (max(range(len(now.counts)), key=now.counts.__getitem__) + 0.5) * now.width
        ),
    )
    vega.show(rows, spec, HEIGHT, f"{key}.now", alt)
    if steps[0] == steps[-1]:  # one look is no picture over time
        return
    shares, low, high = layer_stats.over_time(of)
    moments = torch.tensor(steps, dtype=torch.float64)
    wanted = torch.linspace(float(moments[0]), float(moments[-1]), COLUMNS, dtype=torch.float64)
    # At each place of the picture, the latest measurement by then.
    latest = (torch.searchsorted(moments, wanted, right=True) - 1).clamp(min=0)
    # The root, so that a few weights far out are seen beside the many near zero.
    shade = (shares / shares.max(dim=0).values).sqrt()[:, latest]
    plane(
        shade.numpy(),
        (steps[0], max(steps[-1], steps[0] + 5)),
        (low, high),
        _("step"),
        x_title,
        f"{key}.time",
        _("{title} of the layer by step", title=title),
        scheme="density",
        height=HEIGHT,
    )

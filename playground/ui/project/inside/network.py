"""A network drawn: its weights as lines, and in each neuron what it responds to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st
import torch
from torch import Tensor

from playground import losses
from playground.data.dataset import Examples
from playground.insight import anatomy, neuron_responses
from playground.projects.base import Input
from playground.runtime.run import Run
from playground.ui.charts import pixels as tints
from playground.ui.charts import vega
from playground.ui.charts.pixels import Pixels
from playground.ui.project.inside import picture_source
from playground.ui.project.inside.session import (
    Network,
    asked,
    column_names,
    input_name,
    output_names,
    stage_names,
)
from playground.ui.shell import language, palette
from playground.ui.shell.language import _
from playground.ui.shell.widget_state import bind

MAX_NEURONS: Final = 12  # neurons of a layer that are drawn
SIDE: Final = 36  # pixels of a neuron's picture
NARROW: Final = 24  # on a phone
ROW: Final = 56  # pixels from one neuron to the next, the name between them included
HEAD: Final = 46  # pixels for the layers' names
FAVOURITES: Final = 9  # pictures whose mean says what a neuron likes


@dataclass(frozen=True)
class Column:
    """One layer: the units that are drawn (places counted from 0), of how many, and how."""

    title: str
    total: int
    units: Sequence[int]
    pictures: Sequence[Pixels]
    names: Sequence[str]


@dataclass(frozen=True)
class Drawing:
    """Columns from the input to the output, and the weights (to, from) between them."""

    columns: Sequence[Column]
    gaps: Sequence[Tensor]
    examples: int  # validation examples by which the units were chosen


@dataclass(frozen=True)
class Sample:
    """Some validation examples on their way through the network."""

    examples: Examples
    scaled: Tensor
    passed: Sequence[Tensor]  # by each stage

    @classmethod
    def of(cls, network: Network) -> Sample:
        examples = anatomy.examined(network.model, network.dataset)
        scaled = network.dataset.scaler(examples.inputs)
        return cls(examples, scaled, anatomy.signals(network.model, scaled))


def source(run: Run) -> bool:
    """What the neurons are asked about; True if that changes with what a person tries."""
    if run.project.pictures:
        ways = {
            "likes": _("What each neuron looks for"),
            "says": _("How each responds to one picture"),
        }
        key = f"{run.project.name}.inside.way"
        st.segmented_control(
            _("In the neurons"),
            list(ways),
            format_func=ways.__getitem__,
            required=True,
            label_visibility="collapsed",
            **bind(key, "likes"),
        )
        return st.session_state[key] == "says" and picture_source.choose(run)
    if asked(run) is None:
        return False
    held = {"mean": _("Other inputs at their mean"), "asked": _("Other inputs as set above")}
    key = f"{run.project.name}.inside.held"
    st.segmented_control(
        _("Other inputs"),
        list(held),
        format_func=held.__getitem__,
        required=True,
        label_visibility="collapsed",
        **bind(key, "mean"),
    )
    return bool(st.session_state[key] == "asked")


def view(network: Network) -> None:
    """The drawing, and what to look for."""
    if network.run.project.pictures:
        _pictures(network)
    else:
        _table(network)


# --- Tables -------------------------------------------------------------------------------


def _table(network: Network) -> None:
    words, chart = st.columns([1, 3], gap="medium")
    run, dataset = network.run, network.dataset
    with words:
        language.prose("inside", "network")
        inputs = run.project.inputs(run.recipe)
        names = {str(place): input_name(one) for place, one in enumerate(inputs)}
        axes: list[Input] = []
        for label, key, place in (
            (_("Input that grows to the right"), "x", 0),
            (_("Input that grows upwards"), "y", min(1, len(inputs) - 1)),
        ):
            whole = f"{network.name}.{key}"
            st.session_state.setdefault(whole, str(place))
            if st.session_state[whole] not in names:  # fewer inputs than before
                st.session_state[whole] = str(place)
            st.selectbox(label, list(names), format_func=names.__getitem__, **bind(whole))
            axes.append(inputs[int(st.session_state[whole])])
    first, second = axes
    row = asked(run) if st.session_state.get(f"{network.name}.held") == "asked" else None
    base = dataset.scaler.mean if row is None else row
    question = (first.place, second.place, tuple(base.tolist()), language.current())
    drawing, step = network.paced(
        "network", question, lambda: table_drawing(network, first, second, base)
    )
    with words:
        for axis, arrow in zip(axes, ("→", "↑"), strict=True):
            st.caption(f"{arrow} " + _range(axis, dataset.train.inputs))
        _conditions(step, drawing)
    with chart:
        draw(drawing, f"{network.name}.drawing")


def _range(axis: Input, inputs: Tensor) -> str:
    """An axis and what it goes through."""
    if axis.options:
        return f"{input_name(axis)} – " + ", ".join(_(option) for option in axis.options)
    values = inputs[:, axis.place]
    digits = 0 if bool((values == values.round()).all()) else 1
    ends = [language.number(float(end), digits) for end in (values.min(), values.max())]
    unit = f" {_(axis.unit)}" if axis.unit else ""
    return f"{input_name(axis)}: {ends[0]} … {ends[1]}{unit}"


def table_drawing(network: Network, first: Input, second: Input, base: Tensor) -> Drawing:
    """What each neuron says over two inputs, the others held at ``base`` (columns,)."""
    run, dataset, model = network.run, network.dataset, network.model
    train = dataset.train.inputs
    grid = neuron_responses.slice_of(
        first, second, base, train.min(dim=0).values, train.max(dim=0).values
    )
    over = neuron_responses.over_slice(model, dataset.scaler, grid)
    outputs = over[-1]
    if run.project.task != "regression":
        steps = outputs.shape[1]
        flat = losses.answer(run.project.task, outputs.reshape(len(outputs), -1).T)
        over[-1] = flat.reshape(steps, steps, -1).permute(2, 0, 1)
    # Of a probability, 1 is the full colour; all others have a scale of their own.
    scales = [0.0] * (len(over) - 1) + [float(run.project.task != "regression")]
    pictures = [
        [tints.signed(one.flip(0), scale) for one in values]
        for values, scale in zip(over, scales, strict=True)
    ]
    axes = [one.place + place for one in (first, second) for place in range(one.width)]
    return _drawing(network, Sample.of(network), column_names(run), pictures, axes)


# --- Pictures -----------------------------------------------------------------------------


def _pictures(network: Network) -> None:
    words, chart = st.columns([1, 3], gap="medium")
    says = st.session_state.get(f"{network.name}.way") == "says"
    with words:
        if says:
            language.prose("inside", "activity")
        else:
            language.prose("inside", "likes")
        picture = picture_source.picture(network) if says else None
    question = (None if picture is None else picture.numpy().tobytes(), language.current())
    drawing, step = network.paced("network", question, lambda: picture_drawing(network, picture))
    with words:
        _conditions(step, drawing)
    with chart:
        draw(drawing, f"{network.name}.drawing")


def picture_drawing(network: Network, picture: Tensor | None) -> Drawing:
    """What each neuron says to ``picture`` (h, w), or without one, what it looks for."""
    sample = Sample.of(network)
    if picture is not None:
        return _drawing(network, sample, [_("picture")], _activity(network, picture))
    return _drawing(network, sample, [_("mean picture")], _likes(network, sample))


def _activity(network: Network, picture: Tensor) -> list[list[Pixels]]:
    """Feature maps, and a plain colour for a neuron that is none; one scale for each layer."""
    scaled = network.dataset.scaler(picture.unsqueeze(0))
    said = anatomy.signals(network.model, scaled)
    said[-1] = losses.answer(network.run.project.task, said[-1])
    found = [[tints.grey(picture)]]
    for values in said:
        most = 1.0 if values is said[-1] else float(values.abs().max())
        maps = values[0] if values.dim() == 4 else values[0][:, None, None]
        found.append([tints.signed(one, most) for one in maps])
    return found


def _likes(network: Network, sample: Sample) -> list[list[Pixels]]:
    """The first layer's weights; of the others, the mean of the pictures that excite them."""
    inputs = sample.examples.inputs
    side = tuple(inputs.shape[1:])
    mean = inputs.float().mean(dim=0)
    liked = neuron_responses.favourites(sample.passed, sample.examples, FAVOURITES)
    return [
        [tints.grey(mean)],
        [tints.signed(one) for one in neuron_responses.filters(network.model, (side[0], side[1]))],
        *([tints.grey(one) for one in means] for means in liked[1:]),
    ]


# --- Both ---------------------------------------------------------------------------------


def _drawing(
    network: Network,
    sample: Sample,
    inputs: Sequence[str],
    pictures: Sequence[Sequence[Pixels]],
    always: Sequence[int] = (),
) -> Drawing:
    """The units that matter most, each with its picture; ``inputs`` are the inputs' names.

    ``always`` are inputs that are drawn whatever they move.
    """
    parts = anatomy.stages(network.model)
    strengths = anatomy.connections(network.model, network.run.project.pictures)
    matter = anatomy.influence(strengths, [sample.scaled, *sample.passed[:-1]])
    matter[0][list(always)] = torch.inf
    chosen = [anatomy.strongest(one, MAX_NEURONS) for one in matter]
    chosen.append(list(range(parts[-1].units)))
    columns = []
    for place, (units, title) in enumerate(
        zip(chosen, [_("Inputs"), *stage_names(parts)], strict=True)
    ):
        names = [f"{unit + 1}" for unit in units]
        if place == 0:
            names = [inputs[unit] for unit in units]
        elif place == len(parts):
            names = [output_names(network.run)[unit] for unit in units]
        total = len(pictures[place])
        drawn = [pictures[place][unit] for unit in units]
        columns.append(Column(title, total, units, drawn, names))
    gaps = [
        matrix[to.units][:, source.units]
        for matrix, source, to in zip(strengths, columns, columns[1:], strict=False)
    ]
    return Drawing(columns, gaps, len(sample.examples))


def _conditions(step: int, drawing: Drawing) -> None:
    """What the drawing was made of."""
    parts = [_("Weights after step {n}.", n=language.number(step))]
    if any(len(column.units) < column.total for column in drawing.columns):
        parts.append(
            _(
                "In large layers you see only the {most} neurons with the most influence. "
                "Influence = spread of the output on {n} validation examples × size of the "
                "outgoing weights.",
                most=MAX_NEURONS,
                n=language.number(drawing.examples),
            )
        )
    st.caption(" ".join(parts))


def draw(drawing: Drawing, key: str) -> None:
    """Columns of small pictures, joined by lines as wide as the weights are large."""
    most = max(len(column.units) for column in drawing.columns)
    places = [
        [
            (float(number), place + (most - len(column.units)) / 2)
            for place in range(len(column.units))
        ]
        for number, column in enumerate(drawing.columns)
    ]
    rows: list[dict[str, Any]] = []
    for left, right, matrix in zip(places, places[1:], drawing.gaps, strict=False):
        largest = float(matrix.abs().max()) or 1.0
        for (x2, y2), line in zip(right, matrix.tolist(), strict=True):
            for (x, y), weight in zip(left, line, strict=True):
                share = abs(weight) / largest
                rows.append(
                    {
                        "kind": "edge",
                        "x": x,
                        "y": y,
                        "x2": x2,
                        "y2": y2,
                        # More than in proportion, so that the few that matter stand out.
                        "width": round(0.3 + 4.7 * share**2, 2),
                        "opacity": round(0.1 + 0.8 * share**2, 2),
                        "color": palette.sign(weight),
                    }
                )
    for number, (column, spots) in enumerate(zip(drawing.columns, places, strict=True)):
        few = len(column.units) < column.total
        count = _("{n} of {total}", n=len(column.units), total=column.total) if few else ""
        rows.append({"kind": "head", "x": number, "y": -1.0, "name": column.title, "count": count})
        for (x, y), pixels, name in zip(spots, column.pictures, column.names, strict=True):
            url = tints.url(tints.larger(pixels, SIDE))
            rows.append({"kind": "node", "x": x, "y": y, "url": url, "name": name})
    alt = _(
        "The network: {layers}",
        layers=", ".join(f"{column.title} ({column.total})" for column in drawing.columns),
    )
    vega.show(rows, _spec(len(drawing.columns), most), HEAD + ROW * most, key, alt)


def _spec(columns: int, most: int) -> dict[str, Any]:
    narrow = f"width < {2 * (SIDE + 14) * columns}"
    side = {"expr": f"{narrow} ? {NARROW} : {SIDE}"}
    x = _axis("x", [-0.5, columns - 0.5])
    y = _axis("y", [most - 0.3, -0.5 - HEAD / ROW])
    only = {kind: [{"filter": f"datum.kind === '{kind}'"}] for kind in ("edge", "node", "head")}
    room = {"expr": f"width / {columns} - 6"}
    writing = {"type": "text", "color": palette.INK, "limit": room}

    def written(
        field: str, size: int, dy: Any, kind: str, weight: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Text, and under it a halo, so that no line crosses it out."""
        text = {**writing, "fontSize": size, "dy": dy, "fontWeight": weight}
        halo = {
            **text,
            "color": palette.PAPER,
            "stroke": palette.PAPER,
            "strokeWidth": 8,
            "strokeJoin": "round",
        }
        encoding = {"x": x, "y": y, "text": {"field": field}}
        under, over = (
            {"mark": mark, "transform": only[kind], "encoding": encoding} for mark in (halo, text)
        )
        return under, over

    own = {"type": "quantitative", "scale": None, "legend": None}
    return {
        "layer": [
            {
                "mark": {"type": "rule", "strokeCap": "round"},
                "transform": only["edge"],
                "encoding": {
                    "x": x,
                    "y": y,
                    "x2": {"field": "x2"},
                    "y2": {"field": "y2"},
                    "strokeWidth": {"field": "width", **own},
                    "opacity": {"field": "opacity", **own},
                    "color": {"field": "color", "type": "nominal", "scale": None, "legend": None},
                },
            },
            {
                "mark": {
                    "type": "square",
                    "opacity": 1,
                    "fill": palette.LIMIT,
                    "size": {"expr": f"pow(({narrow} ? {NARROW} : {SIDE}) + 3, 2)"},
                },
                "transform": only["node"],
                "encoding": {"x": x, "y": y},
            },
            {
                "mark": {"type": "image", "aspect": False, "width": side, "height": side},
                "transform": only["node"],
                "encoding": {"x": x, "y": y, "url": {"field": "url", "type": "nominal"}},
            },
            *written("name", 11, {"expr": f"({narrow} ? {NARROW} : {SIDE}) / 2 + 9"}, "node", 400),
            *written("name", 13, 0, "head", 600),
            *written("count", 11, 16, "head", 400),
        ],
        "config": {"view": {"stroke": None}},
    }


def _axis(field: str, domain: list[float]) -> dict[str, Any]:
    scale = {"domain": domain, "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "axis": None, "scale": scale}

"""A small network drawn with every weight and every value, whose neurons can be clicked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from playground.ui.charts import vega
from playground.ui.shell import palette
from playground.ui.shell.palette import Color

RADIUS: Final = 27  # pixels of a neuron
ABOVE: Final = 50  # pixels that the highest neuron and its label need
BELOW: Final = 66  # and the lowest one with its two lines of text
SHARE: Final = 0.37  # of an edge's way, where its weight stands if edges cross
# On a narrow screen neurons are smaller, and weights stand without their names.
NARROW: Final = "width < 150 * {columns}"


@dataclass(frozen=True)
class Node:
    """A neuron (or an input): ``layer`` counts columns from the left, ``place`` from the top."""

    id: str
    layer: int
    place: int
    label: str  # written above it
    text: str = ""  # written into it; none: not computed yet
    lit: bool = True  # a neuron that is not the subject now is pale
    note: str = ""  # written below it: its bias
    mark: str = ""  # written below that, in the accent colour: what it is about now


@dataclass(frozen=True)
class Edge:
    """A connection and its weight."""

    source: str
    target: str
    weight: float
    text: str = ""  # written at it: the weight, as a rule
    lit: bool = True
    name: str = ""  # of the weight, where there is room for it
    marked: bool = False  # the text is in the accent colour: it is about this edge now


@dataclass(frozen=True)
class Net:
    """What is drawn: neurons and the weights between them."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]


def draw(
    net: Net,
    key: str,
    alt: str,
    chosen: str | None = None,
    on_click: Callable[[str], None] | None = None,
    height: int = 340,
) -> None:
    """Columns of neurons with their values, edges with their weights.

    An edge is as wide as its weight is large, blue where it is positive, orange where
    negative. ``chosen`` has a thick rim; ``on_click`` gets the id of a neuron clicked.
    """
    places = _places(net.nodes)
    nodes = [
        {
            "kind": "node",
            "id": node.id,
            "x": places[node.id][0],
            "y": places[node.id][1],
            "label": node.label,
            "text": node.text,
            "size": _size(node.text, 13),
            "small": _size(node.text, 11),
            "note": node.note,
            "mark": node.mark,
            "rim": 4 if node.id == chosen else 1.5,
            "stroke": palette.ACCENT if node.lit else palette.LIMIT,
            "ink": palette.INK if node.lit else palette.QUIET,
            "weight": 600 if node.lit else 400,
        }
        for node in net.nodes
    ]
    widest = max((abs(edge.weight) for edge in net.edges), default=0.0) or 1.0
    counts = Counter(node.layer for node in net.nodes)
    edges = []
    for edge in net.edges:
        (x, y), (x2, y2) = places[edge.source], places[edge.target]
        # In the middle, unless edges cross there: then before they do.
        crossing = min(counts[int(x)], counts[int(x2)]) > 1
        share = SHARE if crossing else 0.5
        short = edge.text
        edges.append(
            {
                "kind": "edge",
                "x": x,
                "y": y,
                "x2": x2,
                "y2": y2,
                "tx": x + share * (x2 - x),
                "ty": y + share * (y2 - y),
                "short": short,
                "text": f"{edge.name} = {short}" if edge.name and short else short,
                "width": 1 + 5 * abs(edge.weight) / widest,
                "color": (palette.sign if edge.lit else palette.pale_sign)(edge.weight),
                "ink": _text_color(edge),
                "weight": 600 if edge.lit else 400,
            }
        )
    columns = max(node.layer for node in net.nodes)
    narrow = NARROW.format(columns=columns + 1)
    radius = f"({narrow} ? {RADIUS - 5} : {RADIUS})"
    area = {"expr": f"PI * {radius} * {radius}"}
    ys = [y for _x, y in places.values()]
    unit = ((max(ys) - min(ys)) or 1.0) / (height - ABOVE - BELOW)  # of y, a pixel
    spans = {
        "x": [-0.35, columns + 0.35],
        "y": [min(ys) - BELOW * unit, max(ys) + ABOVE * unit]
        if max(ys) > min(ys)
        else [min(ys) - 1, min(ys) + 1],
    }
    place = {"x": _axis("x", spans["x"]), "y": _axis("y", spans["y"])}
    only = {kind: [{"filter": f"datum.kind === '{kind}'"}] for kind in ("node", "edge")}
    writing = {"type": "text", "fontSize": 13, "fontWeight": {"expr": "datum.weight"}}
    on_edge: dict[str, Any] = {
        "mark": {**writing, "text": {"expr": f"{narrow} ? datum.short : datum.text"}},
        "transform": only["edge"],
        "encoding": {
            "x": _axis("tx", spans["x"]),
            "y": _axis("ty", spans["y"]),
        },
    }
    # Under each text: no line may cross it out.
    paper = palette.PAPER
    halo = {"stroke": paper, "strokeWidth": 8, "strokeJoin": "round", "color": paper}
    circle: dict[str, Any] = {"type": "circle", "size": area, "fill": paper, "opacity": 1}

    def under(layer: dict[str, Any]) -> dict[str, Any]:
        encoding = {name: how for name, how in layer["encoding"].items() if name != "color"}
        return {**layer, "mark": {**layer["mark"], **halo}, "encoding": encoding}

    def beside(field: str, color: Color, side: int, line: int) -> dict[str, Any]:
        """Text above (-1) or below (1) the neurons, on the first or a further line."""
        lift = f"{side} * ({radius} + {9 + 16 * line})"
        return {
            "mark": {
                **writing,
                "fontSize": 12,
                "fontWeight": 600,
                "dy": {"expr": lift},
                "color": color,
            },
            "transform": only["node"],
            "encoding": {**place, "text": {"field": field}},
        }

    def written(field: str, color: Color, side: int, line: int = 0) -> list[dict[str, Any]]:
        """The same with its halo."""
        layer = beside(field, color, side, line)
        return [under(layer), layer]

    spec: dict[str, Any] = {
        "layer": [
            {
                "mark": {"type": "rule", "strokeCap": "round"},
                "transform": only["edge"],
                "encoding": {
                    **place,
                    "x2": {"field": "x2"},
                    "y2": {"field": "y2"},
                    "strokeWidth": {"field": "width", "type": "quantitative", "scale": None},
                    "color": _own("color"),
                },
            },
            under(on_edge),
            {**on_edge, "encoding": {**on_edge["encoding"], "color": _own("ink")}},
            {
                "mark": circle,
                "transform": only["node"],
                "encoding": {
                    **place,
                    "strokeWidth": {"field": "rim", "type": "quantitative", "scale": None},
                    "stroke": _own("stroke"),
                },
            },
            {
                "mark": {
                    **writing,
                    "tooltip": None,
                    "fontSize": {"expr": f"{narrow} ? datum.small : datum.size"},
                },
                "transform": only["node"],
                "encoding": {**place, "text": {"field": "text"}, "color": _own("ink")},
            },
            *written("label", palette.INK, -1),
            *written("note", palette.QUIET, 1),
            *written("mark", palette.ACCENT, 1, line=1),
        ],
        "config": {"view": {"stroke": None}},
    }
    if on_click:
        # Above all else, or the number in a neuron would take the click.
        spec["layer"].append(
            {
                "mark": {**circle, "opacity": 0, "cursor": "pointer"},
                "params": [{"name": "pick", "select": {"type": "point", "fields": ["id"]}}],
                "transform": only["node"],
                # A selection must not fade what is not selected.
                "encoding": {**place, "opacity": {"value": 0}},
            }
        )

    def clicked(picked: Sequence[dict[str, Any]]) -> None:
        if picked and on_click:
            on_click(str(picked[0]["id"]))

    vega.show([*edges, *nodes], spec, height, key, alt, clicked if on_click else None)


def _text_color(edge: Edge) -> Color:
    if edge.marked:
        return palette.ACCENT
    return palette.sign(edge.weight) if edge.lit else palette.QUIET


def _size(text: str, largest: int) -> int:
    """Of the letters, so that a long number stays within its circle."""
    return max(8, min(largest, largest - (len(text) - 6)))


def _own(field: str) -> dict[str, Any]:
    """A colour that each row brings along."""
    return {"field": field, "type": "nominal", "scale": None, "legend": None}


def _axis(field: str, domain: Sequence[float]) -> dict[str, Any]:
    scale = {"domain": list(domain), "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "axis": None, "scale": scale}


def _places(nodes: Sequence[Node]) -> dict[str, tuple[float, float]]:
    """Where each neuron stands: columns from left to right, each in the middle of the height."""
    most = max(sum(other.layer == node.layer for other in nodes) for node in nodes)
    found = {}
    for node in nodes:
        count = sum(other.layer == node.layer for other in nodes)
        top = 0.5 + (count - 1) / (2 * most)
        found[node.id] = (float(node.layer), top - node.place / most)
    return found

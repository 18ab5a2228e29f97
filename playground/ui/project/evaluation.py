"""After training: how good is it really, on examples that nothing was chosen by?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from playground.data.dataset import Dataset
from playground.metrics import interval
from playground.runtime.run import Run
from playground.training import outputs_of
from playground.ui.shell import language, palette
from playground.ui.shell.language import _
from playground.ui.shell.widget_state import bind
from playground.ui.widgets import own_pictures
from playground.ui.widgets.recipe_words import unit_of


@dataclass(frozen=True)
class Tested:
    """The network's outputs on the test set, kept with the run that they belong to."""

    run: Run
    steps: int
    over: bool  # early stopping changes the weights once more without a step
    outputs: Tensor  # (n, k)
    dataset: Dataset


def tested(run: Run) -> Tested | None:
    """The test of ``run``, made once it is over or paused and somebody presses the button.

    The test set is for the final figure, so looking at it takes a decision.
    """
    name = run.project.name
    snapshot = run.snapshot()
    if snapshot.state == "ready" or snapshot.active:
        st.info(
            _(
                "Train first. When training is over, the network is measured here on the test set, "
                "which it has never seen."
            )
        )
        return None
    found: Tested | None = st.session_state.get(f"{name}.tested")
    state = (run, snapshot.history.steps, snapshot.over)
    if found is not None and (found.run, found.steps, found.over) == state:
        return found
    if not st.button(
        _("Measure on the test set"),
        icon=":material/verified:",
        key=f"{name}.test",
        help=_("Do this last: if you tune settings on the test set, it is no longer a test."),
    ):
        return None
    dataset = run.dataset()
    predictor = run.predictor()
    with st.spinner(_("Measuring …")):
        outputs = outputs_of(predictor.model, dataset.test, dataset)
    result = Tested(*state, outputs, dataset)
    st.session_state[f"{name}.tested"] = result
    st.rerun()  # now without the button
    return result


def classification(result: Tested, names: Sequence[str]) -> None:
    """Accuracy with its interval, the confusion matrix whose cells open, the worst mistakes."""
    targets = result.dataset.test.targets
    probabilities = result.outputs.softmax(dim=1)
    chosen = probabilities.argmax(dim=1)
    accuracy(int((chosen == targets).sum()), len(targets))
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        cell = confusion(targets, chosen, names, f"{result.run.project.name}.confusion")
    with right:
        if not result.run.project.pictures:
            _by_class(targets, chosen, names)
            return
        if cell is not None:
            true, said = cell
            st.markdown(
                "**" + _("{true}, mistaken for {said}", true=names[true], said=names[said]) + "**"
            )
            which = ((targets == true) & (chosen == said)).nonzero()[:, 0]
        else:
            st.markdown("**" + _("The most confident mistakes") + "**")
            which = (chosen != targets).nonzero()[:, 0]
        sure = probabilities[which].max(dim=1).values
        which = which[sure.argsort(descending=True)][:24]
        if not len(which):
            st.caption(_("No such pictures in the test set."))
        captions = [
            f"{names[int(targets[i])]} → {names[int(chosen[i])]} "
            + language.percent(float(probabilities[i].max()), 0)
            for i in which
        ]
        own_pictures.grid(result.dataset.test.inputs[which], captions, _("Test picture"))
        if cell is None:
            st.caption(_("Select a cell of the matrix to see its pictures."))


def _by_class(targets: Tensor, chosen: Tensor, names: Sequence[str]) -> None:
    """How many of each class are found, and how many of those called so really are."""
    rows: dict[str, list[str]] = {_("Class"): list(names), _("Recall"): [], _("Precision"): []}
    for number in range(len(names)):
        true, said = targets == number, chosen == number
        rows[_("Recall")].append(language.percent(_share(said, true)))
        rows[_("Precision")].append(language.percent(_share(true, said)))
    st.markdown("**" + _("Class by class, on the test set") + "**")
    st.dataframe(rows, hide_index=True)
    st.caption(
        _(
            "Recall: of the examples of a class, how many the network finds. Precision: of the "
            "examples it puts in a class, how many really belong there."
        )
    )


def accuracy(right: int, total: int) -> None:
    """The share right, and between what limits the true one lies."""
    low, high = interval(right, total)
    st.metric(
        _("Test accuracy"),
        language.percent(right / total, 2),
        help=_("The share of test examples that the network gets right."),
    )
    st.caption(
        _(
            "{right} of {total} test examples. With 95% confidence the true accuracy lies between "
            "{low} and {high}.",
            right=language.number(right),
            total=language.number(total),
            low=language.percent(low, 2),
            high=language.percent(high, 2),
        )
    )


def confusion(
    targets: Tensor, chosen: Tensor, names: Sequence[str], key: str
) -> tuple[int, int] | None:
    """The confusion matrix; the (true, said) cell that is selected, if any."""
    k = len(names)
    counts = torch.bincount(targets * k + chosen, minlength=k * k).reshape(k, k)
    shares = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    x, y = torch.meshgrid(torch.arange(k), torch.arange(k), indexing="xy")
    figure = go.Figure(
        go.Heatmap(
            z=shares.tolist(),
            x=list(range(k)),
            y=list(range(k)),
            text=counts.tolist(),
            texttemplate="%{text}",
            colorscale="Blues",
            showscale=False,
            hoverinfo="skip",
            xgap=1,
            ygap=1,
            zmin=0,
            zmax=1,
        )
    )
    # A heat map cannot be selected, so invisible markers lie over its cells.
    figure.add_scatter(
        x=x.flatten().tolist(),
        y=y.flatten().tolist(),
        mode="markers",
        marker={"size": 26, "opacity": 0, "symbol": "square"},
        showlegend=False,
        hovertemplate="%{y} → %{x}<extra></extra>",
    )
    axis: dict[str, Any] = {
        "tickvals": list(range(k)),
        "ticktext": list(names),
        "showgrid": False,
        "zeroline": False,
        "constrain": "domain",
    }
    figure.update_layout(
        xaxis={**axis, "title": _("predicted class")},
        yaxis={**axis, "title": _("true class"), "autorange": "reversed"},
        height=430,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        dragmode=False,
    )
    state = st.plotly_chart(
        figure,
        key=key,
        on_select="rerun",
        selection_mode="points",
        config={"displayModeBar": False},
        alt=_(
            "Confusion matrix: how often each true class (row) is predicted as each class (column)"
        ),
    )
    points = state["selection"]["points"]
    return (int(points[0]["y"]), int(points[0]["x"])) if points else None


def regression(result: Tested) -> None:
    """Predicted against true, and how the errors spread, on the test rows."""
    unit = unit_of(result.run.project)
    truth = result.dataset.test.targets
    predicted = result.outputs.squeeze(1)
    error = predicted - truth
    left, middle, right = st.columns([1, 2, 2], gap="medium")
    with left:
        mae, rmse = error.abs().mean().item(), error.square().mean().sqrt().item()
        st.metric(_("Mean error on test rows"), f"{language.number(mae, 2)} {unit}")
        st.metric(_("Root mean square error"), f"{language.number(rmse, 2)} {unit}")
        st.caption(_("{n} test rows, which training never saw.", n=language.number(len(truth))))
    low, high = float(min(truth.min(), predicted.min())), float(max(truth.max(), predicted.max()))
    figure = go.Figure(
        go.Scattergl(
            x=truth.tolist(),
            y=predicted.tolist(),
            mode="markers",
            marker={"size": 5, "opacity": 0.4, "color": palette.TRAIN.now},
        )
    )
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        line={"color": palette.LIMIT.now, "dash": "dash"},
    )
    with middle:
        _plot(
            figure,
            _("true") + f" [{unit}]",
            _("predicted") + f" [{unit}]",
            f"{result.run.project.name}.scatter",
            _("Predicted against true values; a perfect network would be on the dashed line"),
        )
    histogram = go.Figure(go.Histogram(x=error.tolist(), nbinsx=60, marker_color=palette.TRAIN.now))
    with right:
        _plot(
            histogram,
            _("predicted − true") + f" [{unit}]",
            _("test rows"),
            f"{result.run.project.name}.residuals",
            _("How the errors on the test rows spread"),
        )


def binary(result: Tested) -> None:
    """Threshold, confusion, ROC, precision and recall, calibration, on the test rows."""
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

    name = result.run.project.name
    truth = result.dataset.test.targets.int()
    sure = torch.sigmoid(result.outputs.squeeze(1))
    threshold = st.slider(
        _("Threshold"),
        0.0,
        1.0,
        step=0.01,
        **bind(f"{name}.threshold", 0.5),
        help=_("The probability from which an answer counts as “yes”."),
    )
    chosen = (sure >= threshold).int()
    accuracy(int((chosen == truth).sum()), len(truth))
    hits = int((chosen * truth).sum())
    precision = hits / max(int(chosen.sum()), 1)
    recall = hits / max(int(truth.sum()), 1)
    left, right = st.columns(2)
    left.metric(
        _("Precision"),
        language.percent(precision),
        help=_("Of the “yes” answers, how many are right."),
    )
    right.metric(
        _("Recall"),
        language.percent(recall),
        help=_("Of the true “yes” cases, how many are found."),
    )
    columns = st.columns(3, gap="medium")
    if truth.min() == truth.max():
        st.info(_("All test rows have the same answer, so there is no curve to draw."))
        return
    false, true, _cuts = roc_curve(truth, sure)
    with columns[0]:
        area = language.number(float(roc_auc_score(truth, sure)), 3)
        _curve(
            false,
            true,
            _("false alarms"),
            _("found (recall)"),
            f"{name}.roc",
            _("ROC, area {area}", area=area),
            diagonal=True,
            point=(_share(chosen, truth == 0), recall),
        )
    precisions, recalls, _cuts = precision_recall_curve(truth, sure)
    with columns[1]:
        _curve(
            recalls,
            precisions,
            _("found (recall)"),
            _("precision"),
            f"{name}.pr",
            _("Precision and recall"),
            point=(recall, precision),
        )
    happened, said = calibration_curve(truth, sure, n_bins=10, strategy="quantile")
    with columns[2]:
        _curve(
            said,
            happened,
            _("the network says"),
            _("actually happens"),
            f"{name}.calibration",
            _(result.run.project.calibrated),
            diagonal=True,
            markers=True,
        )


def _share(chosen: Tensor, among: Tensor) -> float:
    """The share of ``chosen`` among those where ``among`` is true."""
    return float(chosen[among].float().mean()) if bool(among.any()) else 0.0


def _curve(
    x: Sequence[float],
    y: Sequence[float],
    x_title: str,
    y_title: str,
    key: str,
    title: str,
    diagonal: bool = False,
    markers: bool = False,
    point: tuple[float, float] | None = None,
) -> None:
    mode = "lines+markers" if markers else "lines"
    line = {"color": palette.TRAIN.now, "width": 2.5}
    figure = go.Figure(go.Scatter(x=list(x), y=list(y), mode=mode, line=line))
    if diagonal:
        dashed = {"color": palette.LIMIT.now, "dash": "dash"}
        figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=dashed)
    if point is not None:
        marker = {"size": 11, "color": palette.VALIDATION.now}
        figure.add_scatter(x=[point[0]], y=[point[1]], mode="markers", marker=marker)
    st.markdown(f"**{title}**")
    _plot(figure, x_title, y_title, key, title)


def _plot(figure: go.Figure, x_title: str, y_title: str, key: str, alt: str) -> None:
    figure.update_layout(
        separators=",\u00a0" if language.current() == "pl" else ".,",
        xaxis={"title": x_title},
        yaxis={"title": y_title},
        height=300,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        showlegend=False,
        dragmode=False,
    )
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)

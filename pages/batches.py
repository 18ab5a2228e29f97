"""Epochs and batches: how the examples are dealt, and what that does to the steps."""

import math
from typing import Any, Final

import numpy as np
import streamlit as st
import torch

from playground.fields import Field
from playground.i18n import N_
from playground.lesson import batches, surfaces
from playground.ui.charts import curves, formula, heatmap_2d, vega
from playground.ui.charts.sums import Sums
from playground.ui.lesson import card_deck
from playground.ui.lesson import page as lesson
from playground.ui.shell import language, palette
from playground.ui.shell.language import _

CARDS: Final = card_deck.DIGITS * card_deck.EACH
W1: Final = (-0.5, 4.5)  # zł for one extra
W2: Final = (7.0, 16.0)  # zł for the coffee
START: Final = (3.9, 8.0)
ARROW: Final = 0.1  # of a gradient: longer, and the arrows would leave the picture
FINE: Final = 160  # points along a side of the picture
TABLE: Final = (1, 8, 32, 128)  # sizes that are always in it
HIGHEST: Final = 0.8  # of the losses shown
FITS: Final = {
    "underfits": N_(
        "**It underfits.** Both losses stay high: the network cannot even learn its training "
        "examples."
    ),
    "fits": N_("**It fits.** The validation loss ends near its lowest."),
    "overfits": N_(
        "**It overfits.** The training loss is far below the validation loss: the network has "
        "learned the noise of its training examples."
    ),
}
FIELDS: Final = (
    Field(
        "view",
        "choice",
        "cards",
        N_("What to look at"),
        choices=("cards", "noise", "overfitting"),
        choice_labels={
            "cards": N_("An epoch, dealt in batches"),
            "noise": N_("Batch size and noise"),
            "overfitting": N_("Many epochs: overfitting"),
        },
    ),
    # The cards.
    Field(
        "batch",
        "integer",
        6,
        N_("Batch size"),
        N_("How many examples are used for each step."),
        low=1,
        high=CARDS,
    ),
    Field(
        "shuffle",
        "switch",
        True,
        N_("Shuffle before each epoch"),
        N_("If off, the cards stay sorted by digit."),
    ),
    Field("step", "integer", 0, N_("Steps"), low=0, high=2 * CARDS - 1),
    # The noise of a batch.
    Field(
        "batch_size",
        "integer",
        8,
        N_("Batch size"),
        N_("How many examples are used for each step."),
        low=1,
        high=batches.RECEIPTS,
        log=True,
    ),
    Field(
        "learning_rate",
        "number",
        0.03,
        N_("Learning rate η"),
        N_("How big each step is."),
        low=0.005,
        high=0.5,
        log=True,
    ),
    Field(
        "epochs",
        "integer",
        2,
        N_("Number of epochs"),
        N_("How many times all receipts have been used."),
        low=0,
        high=5,
    ),
    # Overfitting.
    Field(
        "neurons",
        "integer",
        64,
        N_("Neurons in each of the two hidden layers"),
        low=1,
        high=128,
        log=True,
    ),
    Field(
        "examples",
        "integer",
        16,
        N_("Training examples"),
        low=8,
        high=80,
        step=4,
    ),
    Field(
        "epoch",
        "integer",
        batches.EPOCHS,
        N_("Epoch shown"),
        N_("The curve shows the network's answers after this many epochs."),
        low=0,
        high=batches.EPOCHS,
    ),
    Field(
        "seed",
        "integer",
        0,
        N_("Seed"),
        N_(
            "A different seed gives a different order, different examples and different "
            "starting weights."
        ),
        low=0,
        high=99,
    ),
)


def cards() -> None:
    """One epoch as a deck of cards, and the next one."""
    batch, seed = int(dials["batch"]), int(dials["seed"])
    dealt = batches.deal(CARDS, batch, 2, dials["shuffle"], seed)
    steps = batches.steps_per_epoch(CARDS, batch)
    labels = [
        _("Epoch {epoch}, batch {n} of {all}", epoch=epoch, n=n + 1, all=steps)
        for epoch in (1, 2)
        for n in range(steps)
    ]
    settings, play = st.columns([1, 4.1], gap="medium")
    with settings:
        dials.show("batch", "shuffle", "seed")
    with play, st.container(key="try"):  # first on a phone
        step = lesson.stepper(dials, "step", labels)
        for epoch, rows in enumerate(dealt):
            st.markdown("**" + _("Epoch {n}", n=epoch + 1) + "**")
            now = step - epoch * steps
            names = [_("batch {n}", n=n + 1) for n in range(steps)]
            card_deck.show(rows, None if now < 0 else now, names)
        last = len(dealt[0][-1])
        share = formula.tex(CARDS / batch, 0 if CARDS % batch == 0 else 2)
        sentences = [
            _("Steps per epoch: {formula}.", formula=rounded_up(batch, share, steps)),
            language.counted(
                "The last batch has only {n} card.", "The last batch has only {n} cards.", last
            )
            if last < batch
            else "",
            language.counted(
                "The weights have moved once, against the mean gradient of the cards in this "
                "batch.",
                "The weights have moved {n} times, once for each batch, against the mean gradient "
                "of its cards.",
                step + 1,
            ),
        ]
        st.markdown(" ".join(filter(None, sentences)))
        language.prose("batches", "cards")


def rounded_up(batch: int, share: str, steps: int) -> str:
    return rf"$\lceil {CARDS} / {batch} \rceil = \lceil {share} \rceil = {steps}$"


@st.cache_data(show_spinner=False)
def timed() -> list[float]:
    """Seconds of one epoch by batch size, measured once, on the computer that runs this app."""
    return [batches.epoch_seconds(size) for size in batches.SIZES]


def noise() -> None:
    """SGD's way at the chosen batch size, and what its batches disagree about."""
    size, rate, epochs = int(dials["batch_size"]), float(dials["learning_rate"]), dials["epochs"]
    steps = batches.steps_per_epoch(batches.RECEIPTS, size)
    path = batches.descend(START, size, rate, epochs, int(dials["seed"]))
    end = torch.tensor(path[-1], dtype=torch.double)
    whole = len(path) == steps * epochs + 1
    settings, picture, right = st.columns([1, 2.1, 2], gap="medium")
    with settings:
        dials.show("batch_size", "learning_rate", "epochs", "seed")
    with picture, st.container(key="try"):
        way_over_loss(path, end, size)
        if whole:
            st.markdown(
                language.counted(
                    "{receipts} receipts in batches of {size} make {n} step per epoch.",
                    "{receipts} receipts in batches of {size} make {n} steps per epoch.",
                    steps,
                    receipts=batches.RECEIPTS,
                    size=size,
                )
                + " "
                + _(
                    "Steps so far: {made}. The loss is {loss}; the lowest possible is {lowest}.",
                    made=len(path) - 1,
                    loss=language.number(float(batches.loss(end)), 2),
                    lowest=language.number(float(batches.loss(torch.tensor(batches.best()))), 2),
                )
            )
        else:
            st.error(
                _("SGD diverged at step {n}: choose a smaller learning rate.", n=len(path)),
                icon=":material/trending_up:",
            )
        st.caption(
            _(
                "price = w₁ · extras + w₂. Orange: where each batch of the next epoch pulls "
                "(downhill, a tenth of its gradient). Black: where all receipts together pull."
            )
        )
    with right:
        how_noisy(end, size)


def way_over_loss(path: tuple[tuple[float, float], ...], end: torch.Tensor, size: int) -> None:
    lowest = batches.loss(torch.tensor(batches.best()))
    # The root, so that the lines of height lie evenly.
    values = (surfaces.grid(batches.loss, W1, W2, FINE) - lowest).clamp(min=0).sqrt().numpy()
    each = batches.gradients(end)
    order = batches.deal(len(each), size, int(dials["epochs"]) + 1, True, int(dials["seed"]))[-1]
    paths: dict[str, heatmap_2d.Path] = {}
    if len(path) > 1:
        thinned = path[:: max(1, len(path) // 300)]
        xs, ys = zip(*thinned, path[-1], strict=True)
        paths["way"] = (xs, ys, palette.TRAIN)

    def pull(name: str, gradient: torch.Tensor, color: palette.Color) -> None:
        (x, y), (x2, y2) = end.tolist(), (end - ARROW * gradient).tolist()
        paths[name] = ((x, x2), (y, y2), color)

    for n, batch in enumerate(order):
        pull(f"batch {n}", each[batch].mean(0), palette.CLASSES[5])
    thin = [name for name in paths if name.startswith("batch")]
    pull("all", each.mean(0), heatmap_2d.INK)
    heatmap_2d.plane(
        values,
        W1,
        W2,
        _("w₁: price of one extra [zł]"),
        _("w₂: price of the coffee [zł]"),
        key="batches.map",
        alt=_("The loss as a function of two weights, and the path of SGD"),
        points=[
            heatmap_2d.Dot(*batches.best(), heatmap_2d.INK, shape="cross", size=60),
            heatmap_2d.Dot(*START, heatmap_2d.INK, _("start"), size=60),
            heatmap_2d.Dot(*path[-1], palette.TRAIN, size=130),
        ],
        paths=paths,
        thin=thin,
        high=float(values.max()),
        scheme="loss",
        height=400,
    )


def how_noisy(end: torch.Tensor, size: int) -> None:
    """How far a batch's gradient lies from that of all receipts, by batch size."""
    measured = {size: batches.spread(end, size) for size in batches.SIZES}
    xs = np.geomspace(1, batches.RECEIPTS, 60)
    rows: list[dict[str, Any]] = [
        {"kind": "law", "x": float(x), "y": batches.expected_spread(end, float(x))} for x in xs
    ]
    rows += [
        {"kind": "measured", "x": other, "y": far, "here": other == size}
        for other, far in measured.items()
    ]
    place = {
        "x": {
            "field": "x",
            "type": "quantitative",
            "title": _("batch size"),
            "scale": {"type": "log", "base": 2, "domain": [0.9, 145], "nice": False},
            "axis": {"values": list(batches.SIZES), "format": "d", "grid": False},
        },
        "y": {
            "field": "y",
            "type": "quantitative",
            "title": _("distance"),
            # Said outright: Vega warns of a chart whose rows come after it.
            "scale": {"domain": [0, 1.05 * max(row["y"] for row in rows)]},
            "axis": {"tickCount": 4},
        },
    }
    spec = {
        "layer": [
            {
                "mark": {"type": "line", "color": palette.LIMIT, "strokeDash": [5, 4]},
                "transform": [{"filter": "datum.kind === 'law'"}],
                "encoding": place,
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1},
                "transform": [{"filter": "datum.kind === 'measured'"}],
                "encoding": {
                    **place,
                    "size": {"condition": {"test": "datum.here", "value": 160}, "value": 60},
                    "color": {
                        "condition": {"test": "datum.here", "value": palette.VALIDATION},
                        "value": palette.TRAIN,
                    },
                },
            },
        ]
    }
    st.markdown("**" + _("How far a batch's gradient is from the gradient of all receipts") + "**")
    vega.show(rows, spec, 190, "batches.spread", _("Distance of the gradients by batch size"))
    n = batches.RECEIPTS
    sums = Sums()
    sigma = sums.number(batches.expected_spread(end, 1), places=2)
    expected = sums.of(
        lambda sigma: sigma / math.sqrt(size) * math.sqrt((n - size) / (n - 1)), sigma, places=2
    )
    st.latex(
        rf"\frac{{\sigma}}{{\sqrt{{B}}}} \sqrt{{\frac{{n - B}}{{n - 1}}}} = "
        rf"\frac{{{sigma.tex}}}{{\sqrt{{{size}}}}} "
        rf"\sqrt{{\frac{{{n - size}}}{{{n - 1}}}}} {expected.sign} {expected.tex}"
    )
    head = (_("batch"), _("steps per epoch"), _("distance"), _("time per epoch"))
    lines = ["| " + " | ".join(head) + " |", "|" + " ---: |" * 4]
    for other, seconds in zip(batches.SIZES, timed(), strict=True):
        if other not in (*TABLE, size):
            continue
        cells = (
            str(other),
            str(batches.steps_per_epoch(n, other)),
            language.number(measured[other], 2),
            f"{language.number(1000 * seconds, 1)} ms",
        )
        lines.append("| " + " | ".join(f"**{c}**" if other == size else c for c in cells) + " |")
    st.markdown("\n".join(lines))
    st.caption(
        _(
            "The distance is the root mean square over 64 shuffled epochs. The time is the fastest "
            "of 3, on the computer that runs this page (one thread, torch {version}).",
            version=torch.__version__.split("+")[0],
        )
    )


def overfitting() -> None:
    """Training and validation loss over the epochs, and the curve at one of them."""
    run = batches.overfit(int(dials["neurons"]), int(dials["examples"]), int(dials["seed"]))
    epoch = int(dials["epoch"])
    settings, losses, curve = st.columns([1, 2, 2.1], gap="medium")
    with settings:
        dials.show("neurons", "examples", "epoch", "seed")
        st.caption(
            language.counted(
                "The network has {n} parameter.", "The network has {n} parameters.", run.parameters
            )
        )
    # Names without numbers: the charts stay, and only their data is new.
    train, validation, lowest = _("training"), _("validation"), _("lowest validation loss")
    with losses, st.container(key="try"):
        curves.curves(
            {
                train: (range(len(run.train_loss)), run.train_loss),
                validation: (range(len(run.validation_loss)), run.validation_loss),
                lowest: ((run.best, run.best), (0, HIGHEST)),
            },
            x_title=_("epoch"),
            y_title=_("loss (MSE)"),
            key="batches.losses",
            alt=_("Training and validation loss by epoch"),
            x=(0, 1.01 * batches.EPOCHS),
            y=(0, HIGHEST),
            points=[
                curves.Mark(run.best, run.validation_loss[run.best], color=palette.BEST),
                curves.Mark(epoch, run.train_loss[epoch], color=palette.TRAIN),
                curves.Mark(epoch, run.validation_loss[epoch], color=palette.VALIDATION),
            ],
            rules=[vega.Line(_("the true rule"), batches.floor())],
            colors={train: palette.TRAIN, validation: palette.VALIDATION, lowest: palette.BEST},
            dashed=[lowest],
            height=400,
        )
    said, truth = _("the network"), _("the rule")
    with curve:
        xs = torch.linspace(-batches.REACH, batches.REACH, batches.PLACES)
        curves.curves(
            {
                said: (xs.tolist(), run.curves[epoch].tolist()),
                truth: (xs.tolist(), batches.rule(xs).tolist()),
            },
            x_title=_("input x"),
            y_title=_("answer y"),
            key="batches.curve",
            alt=_("The network's answers, and the training examples"),
            x=(-batches.REACH, batches.REACH),
            y=(-2.2, 2.2),
            points=[
                curves.Mark(x, y, color=palette.TRAIN)
                for x, y in zip(
                    run.train.inputs[:, 0].tolist(), run.train.targets.tolist(), strict=True
                )
            ],
            colors={said: palette.ACCENT, truth: palette.LIMIT},
            dashed=[truth],
            height=400,
        )
    st.markdown(_(FITS[run.fit]))
    sums = Sums()
    losses_now = [run.train_loss[epoch], run.validation_loss[epoch]]
    now = [sums.number(loss, places=3) for loss in losses_now]
    best = sums.number(run.validation_loss[run.best], places=3)
    last = sums.number(run.validation_loss[-1], places=3)
    ratio = sums.of(lambda last, best: last / best, last, best, digits=2)
    st.markdown(
        _(
            "After epoch {epoch} the training loss is {train} and the validation loss "
            "{validation}. The validation loss was lowest after epoch {best}: {lowest}. At the "
            "end, after epoch {last}, it is {end}, {ratio} times the lowest value.",
            epoch=epoch,
            train=now[0].text,
            validation=now[1].text,
            best=run.best,
            lowest=best.text,
            last=batches.EPOCHS,
            end=last.text,
            ratio=ratio.text,
        )
    )
    language.prose("batches", "overfitting")


dials = lesson.begin("batches", N_("Why train in batches, and when should you stop?"), FIELDS)
match lesson.views(dials, "view"):
    case "cards":
        cards()
    case "noise":
        noise()
        language.prose("batches", "noise")
    case _:
        overfitting()
lesson.finish("batches", dials)

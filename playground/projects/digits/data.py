"""The digits' data set: MNIST, European handwriting beside it, and fixed splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from playground.data import mnist, pen_strokes
from playground.data.augment import Augmentation
from playground.data.dataset import OWN_COPIES, Dataset, Examples, Scaler, with_own
from playground.data.steps import Shared, Steps, finish
from playground.fields import Field, Value
from playground.i18n import N_

SHAPE: Final = (28, 28)
LABELS: Final = tuple("0123456789")
VALIDATION: Final[dict[mnist.Source, int]] = {"full": 5_000, "small": 500}
TRAINING: Final[dict[mnist.Source, int]] = {"full": 55_000, "small": 4_000}

DATA_FIELDS: Final = (
    Field(
        "source",
        "choice",
        "small",
        N_("Digits"),
        N_(
            "All of MNIST, once it has been downloaded, or the 5,000 digits that come with the app."
        ),
        choices=("full", "small"),
        choice_labels={"full": N_("MNIST, 70,000"), "small": N_("MNIST, 5,000 of them")},
    ),
    Field(
        "examples",
        "integer",
        55_000,
        N_("Training digits"),
        N_(
            "Use at most this many of the source's training digits. With few, you can watch "
            "the network overfit."
        ),
        low=20,
        high=55_000,
        log=True,
    ),
    Field(
        "european",
        "switch",
        True,
        N_("European handwriting"),
        N_(
            "MNIST was written by Americans. This adds drawn digits as Poles write them: a 1 with "
            "a flag, a 7 with a bar, a 0 with a slash."
        ),
    ),
    Field(
        "strokes",
        "integer",
        12_000,
        N_("European digits"),
        N_("How many such digits are drawn for the training data."),
        low=100,
        high=60_000,
        log=True,
    ),
    OWN_COPIES,
)


def load(data: Mapping[str, Value], augmentation: float, own: Examples | None = None) -> Dataset:
    """The data set that the options ``data`` (see ``DATA_FIELDS``) ask for.

    Full MNIST: 55,000 / 5,000 / 10,000 for training, validation and test; small: 4,000 /
    500 / 500. The splits never depend on the seed, so that runs can be compared.
    European strokes and the student's ``own`` digits join the training data alone.

    Raises:
        MnistError: the full set is asked for, but missing or damaged.
    """
    return finish(loading(data, augmentation, own))


def loading(
    data: Mapping[str, Value], augmentation: float, own: Examples | None = None
) -> Steps[Dataset]:
    """:func:`load` in small steps."""
    source = cast(mnist.Source, data["source"])
    strokes = cast(int, data["strokes"]) if data["european"] else 0
    base = yield from _base(source, cast(int, data["examples"]), strokes, mnist.folder())
    return with_own(replace(base, augment=Augmentation.of(augmentation)), data, own)


def _made(source: mnist.Source, examples: int, strokes: int, folder: Path) -> Steps[Dataset]:
    written, test = mnist.load(source, folder)
    held_back = VALIDATION[source]
    train = Examples(*written[: min(examples, len(written) - held_back)])
    validation = Examples(*written[len(written) - held_back :])
    scaler = Scaler.fit(train)
    if strokes:
        train = train + (yield from pen_strokes.writing(strokes, seed=0))
    return Dataset(train, validation, test, scaler, source=source)


_base: Final = Shared(_made, most=4)  # the part of a data set that all sessions share

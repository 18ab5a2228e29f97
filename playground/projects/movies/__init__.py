"""Movies: a viewer and a movie -> whether the viewer likes it."""

from __future__ import annotations

from typing import Final

from playground.i18n import N_
from playground.projects.movies import data
from playground.projects.movies.thumbnail import tastes
from playground.projects.table import OWN_ROWS, GeneratedTable, presets


class Movies(GeneratedTable):
    """Likes it or not: a yes-no question about a row."""

    name = "movies"
    title = N_("Movies")
    purpose = N_("Describe a viewer and a movie: the network says whether they like it.")
    icon = "movie"
    lessons = ("batches",)
    task = "binary"
    calibrated = N_("Calibration: of those given 70%, do 70% like it?")
    labels = ("no", "yes")
    label_names = {"no": N_("does not like it"), "yes": N_("likes it")}
    encoder = data.ENCODER
    generate = staticmethod(data.generate)
    limit = staticmethod(data.limit)
    thumbnail = staticmethod(tastes)
    data_fields = (*data.DATA_FIELDS, OWN_ROWS)
    defaults = {
        "hidden": (64, 32),
        "loss": "bce",
        "optimizer": "adamw",
        "learning_rate": 0.01,
        "schedule": "one_cycle",
        "batch_size": 256,
        "epochs": 15,
    }
    presets = presets(
        N_(
            "Two hidden layers find which age likes which genre and come within one percentage "
            "point of the Bayes limit."
        ),
        N_(
            "One neuron is little more than logistic regression: it cannot learn that the same "
            "genre pleases one age and bores another."
        ),
        (
            {"data": {"examples": 300}, "batch_size": 32, "epochs": 100},
            N_(
                "A big network learns 210 answers by heart, moods included. It becomes certain "
                "where it should doubt, and the validation loss rises."
            ),
        ),
        (
            {
                "activation": "leaky_relu",
                "optimizer": "momentum",
                "learning_rate": 10.0,
                "schedule": "constant",
            },
            N_(
                "A huge learning rate with momentum: the weights grow with every step until the "
                "loss is no longer a number (NaN)."
            ),
        ),
    )
    tiny = {"data": {"examples": 400}, "epochs": 2}


PROJECT: Final = Movies()

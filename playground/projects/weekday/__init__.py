"""Weekday: how a day was spent, in hours -> which day of the week it was."""

from __future__ import annotations

from typing import Final

from playground.i18n import N_
from playground.projects.table import OWN_ROWS, GeneratedTable, presets
from playground.projects.weekday import data
from playground.projects.weekday.thumbnail import mean_days


class Weekday(GeneratedTable):
    """Which of seven days it was: a classification of a row."""

    name = "weekday"
    title = N_("Weekday")
    purpose = N_("Describe a day: the network guesses which day of the week it was.")
    icon = "calendar_month"
    task = "classification"
    labels = data.DAYS
    label_names = data.TARGET.choice_labels
    encoder = data.ENCODER
    generate = staticmethod(data.generate)
    limit = staticmethod(data.limit)
    thumbnail = staticmethod(mean_days)
    data_fields = (*data.DATA_FIELDS, OWN_ROWS)
    defaults = {
        "hidden": (64,),
        "optimizer": "adamw",
        "learning_rate": 0.02,
        "schedule": "one_cycle",
        "batch_size": 256,
        "epochs": 20,
    }
    presets = presets(
        N_(
            "64 neurons come within one percentage point of the Bayes limit; Tuesday to Thursday "
            "stay hard to tell apart for anybody."
        ),
        N_(
            "One neuron puts all days on one line. It misses many answers that larger networks get "
            "right."
        ),
        (
            {"data": {"examples": 300}, "batch_size": 32, "epochs": 100},
            N_(
                "A big network learns 210 days by heart: it knows all of them, and the validation "
                "loss rises far above its lowest value."
            ),
        ),
        (
            {
                "hidden": (64, 64, 64),
                "optimizer": "sgd",
                "learning_rate": 10.0,
                "schedule": "constant",
            },
            N_(
                "A huge learning rate in a deep network: the layers multiply each other's steps "
                "until the loss is no longer a number (NaN)."
            ),
        ),
    )
    tiny = {"data": {"examples": 400}, "epochs": 2}


PROJECT: Final = Weekday()

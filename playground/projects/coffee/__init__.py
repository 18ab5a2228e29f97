"""Coffee price: cup size, extras and takeaway -> a price in złoty."""

from __future__ import annotations

from typing import Final

from playground.i18n import N_
from playground.projects.coffee import data
from playground.projects.coffee.thumbnail import price_list
from playground.projects.table import OWN_ROWS, GeneratedTable, presets


class Coffee(GeneratedTable):
    """A price in zł, by a rule with noise: a regression."""

    name = "coffee"
    title = N_("Coffee price")
    purpose = N_("Choose a cup: the network says what it costs.")
    icon = "local_cafe"
    lessons = ("neuron", "loss", "backpropagation")
    task = "regression"
    encoder = data.ENCODER
    generate = staticmethod(data.generate)
    limit = staticmethod(data.limit)
    thumbnail = staticmethod(price_list)
    data_fields = (*data.DATA_FIELDS, OWN_ROWS)
    defaults = {
        "hidden": (32,),
        "loss": "mse",
        "optimizer": "adamw",
        "learning_rate": 0.03,
        "schedule": "one_cycle",
        "batch_size": 64,
        "epochs": 20,
    }
    presets = presets(
        N_(
            "32 neurons learn the whole price list: the error falls to the noise floor and stops "
            "there."
        ),
        N_(
            "One neuron bends one straight line: it cannot make extras more expensive in a large "
            "cup, so the error stays well above the noise floor."
        ),
        (
            {"data": {"examples": 80, "noise": 1.5}, "batch_size": 8, "epochs": 150},
            N_(
                "A big network learns 56 noisy receipts by heart, noise included: the validation "
                "loss soon rises again while the training loss does not."
            ),
        ),
        (
            {"optimizer": "sgd", "learning_rate": 0.3, "schedule": "constant"},
            N_(
                "Plain SGD with a learning rate far too large: each step overshoots further, and "
                "within five steps the loss is infinite."
            ),
        ),
    )
    tiny = {"data": {"examples": 200}, "epochs": 2}


PROJECT: Final = Coffee()

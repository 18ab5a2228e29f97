"""Coffee prices: size, extras and takeaway -> złoty, by a rule that we know.

    price = BASE[size] + EXTRA[size] * extras + PACKAGING * takeaway + noise

The price of one extra depends on the size, so the inputs *interact*: no straight line
through size and extras gives the right price, a hidden layer does. The noise (a barista
who rounds, a discount, a typing error) is Gaussian and nobody can predict it, so its size
is the smallest error that any model can reach: the noise floor.
"""

from __future__ import annotations

import math
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional

from playground.data.dataset import Examples
from playground.data.encoder import Encoder
from playground.fields import Field, Value
from playground.i18n import N_

SIZES = ("small", "medium", "large")
BASE = (9.0, 12.0, 15.0)
"""Price of a cup without extras, in zł, by size."""
EXTRA = (1.5, 2.0, 3.5)
"""Price of one extra, in zł, by size."""
PACKAGING = 1.0
"""What a takeaway cup adds, in zł."""

COLUMNS: tuple[Field, ...] = (
    Field(
        "size",
        "choice",
        "medium",
        N_("Cup size"),
        N_(
            "Small, medium or large. The network gets it as three inputs: one is 1, the "
            "others are 0."
        ),
        choices=SIZES,
        choice_labels={"small": N_("small"), "medium": N_("medium"), "large": N_("large")},
        aliases={
            "rozmiar": "size",
            "wielkość": "size",
            "mała": "small",
            "mały": "small",
            "s": "small",
            "średnia": "medium",
            "średni": "medium",
            "m": "medium",
            "duża": "large",
            "duży": "large",
            "l": "large",
        },
    ),
    Field(
        "extras",
        "integer",
        1,
        N_("Extras"),
        N_("How many extras: syrup, whipped cream, another shot. Each costs more in a large cup."),
        low=0,
        high=3,
        aliases={"dodatki": "extras", "liczba dodatków": "extras"},
    ),
    Field(
        "takeaway",
        "switch",
        False,
        N_("Takeaway"),
        N_("In a paper cup to go, or in the café."),
        aliases={
            "na wynos": "takeaway",
            "wynos": "takeaway",
            "to go": "takeaway",
            "na miejscu": "false",
            "miejsce": "false",
            "eat in": "false",
            "here": "false",
        },
    ),
)
TARGET = Field(
    "price",
    "number",
    15.0,
    N_("Price"),
    N_("What the coffee cost."),
    low=0,
    high=1000,
    step=0.01,
    unit="zł",
    aliases={"cena": "price", "kwota": "price"},
)
DATA_FIELDS: tuple[Field, ...] = (
    Field(
        "examples",
        "integer",
        10_000,
        N_("Coffees sold"),
        N_("How many receipts the café gives us. The network learns from 70% of them."),
        low=20,
        high=50_000,
        log=True,
    ),
    Field(
        "noise",
        "number",
        0.5,
        N_("Noise"),
        N_("Standard deviation of the price around the rule. No model can predict this part."),
        low=0,
        high=1.5,  # six of these below the cheapest cup is still a price
        step=0.05,
        unit="zł",
    ),
)

ENCODER = Encoder(COLUMNS, TARGET)
FEATURES = ENCODER.features
encode = ENCODER.encode
encode_rows = ENCODER.encode_rows
examples = ENCODER.examples
rows = ENCODER.rows


def price(inputs: Tensor) -> Tensor:
    """The rule: encoded inputs (n, 5) -> the expected price (n,) in zł, without noise."""
    size, extras, takeaway = inputs[:, :3], inputs[:, 3], inputs[:, 4]
    return size @ torch.tensor(BASE) + size @ torch.tensor(EXTRA) * extras + PACKAGING * takeaway


def menu() -> list[dict[str, Value]]:
    """All 24 coffees that there are, as rows without a price."""
    return [
        {"size": size, "extras": extras, "takeaway": takeaway}
        for size, extras, takeaway in product(SIZES, range(4), (False, True))
    ]


def generate(n: int, noise: float, seed: int) -> Examples:
    """``n`` receipts: each coffee of the menu equally often, prices in whole grosze.

    ``noise`` is the standard deviation around the rule in zł. Inputs (n, 5) and prices
    (n,), both float32.
    """
    generator = torch.Generator().manual_seed(seed)
    each = torch.cartesian_prod(torch.arange(3), torch.arange(4), torch.arange(2))
    size, rest = functional.one_hot(each[:, 0]), each[:, 1:]  # rest: extras, takeaway
    every = torch.cat([size, rest], dim=1).float()
    inputs = every[torch.randint(len(every), (n,), generator=generator)]
    noisy = price(inputs) + noise * torch.randn(n, generator=generator)
    return Examples(inputs, (noisy.double() * 100).round().div(100).float())


def limit(noise: float) -> dict[str, float]:
    """The noise floor: what the rule itself gets wrong, ``mse`` in zł² and ``mae`` in zł.

    For a Gaussian MSE = noise² and MAE = noise * sqrt(2 / pi). Rounding to grosze adds a
    little (0.01² / 12 to the MSE), so the sum is taken over whole grosze: k has the
    probability that the noise falls between k - 1/2 and k + 1/2.
    """
    if noise == 0:
        return {"mse": 0.0, "mae": 0.0}
    reach = math.ceil(800 * noise) + 1  # eight standard deviations, in grosze
    grosze = torch.arange(-reach, reach + 1, dtype=torch.double)
    scale = 100 * noise
    above = torch.special.ndtr((grosze + 0.5) / scale)
    chance = above - torch.special.ndtr((grosze - 0.5) / scale)
    return {
        "mse": float((chance * grosze**2).sum()) / 100**2,
        "mae": float((chance * grosze.abs()).sum()) / 100,
    }

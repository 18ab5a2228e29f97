"""Which day of the week was it? Five numbers of a diary -> one of seven days.

A day has 24 hours, shared out between morning, afternoon and evening activity, sleep,
study or work, and the rest. Each weekday comes in two kinds, equally often, each with its
own typical shares (Thursday: the club meets after six, or before). A real day scatters
around them by a Dirichlet distribution, the usual one for shares of a whole:

    shares ~ Dirichlet(concentration * typical shares)

So no day is longer than 24 hours and the density is known in closed form. Tuesday to
Thursday overlap; how well anybody could tell them apart is the Bayes limit. Tuesday has
more afternoon with more evening, Thursday more afternoon with less: no straight line
separates these two, so logistic regression stays well below the limit.
Source: Johnson, Kotz, Balakrishnan, *Continuous Multivariate Distributions*, chapter 49.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from playground.data.dataset import Examples
from playground.data.encoder import Encoder
from playground.fields import Field
from playground.i18n import N_

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PATTERNS = (
    # Two kinds of each day, equally often: mean hours of morning, afternoon and evening
    # activity, sleep, study. The rest makes 24.
    ((1.2, 2.2, 1.4, 6.6, 8.6), (1.2, 3.0, 1.8, 6.4, 8.0)),
    ((2.0, 2.1, 1.8, 7.4, 6.5), (2.0, 3.6, 3.4, 7.2, 5.8)),  # quiet, or club and a match
    ((2.0, 2.9, 2.6, 7.3, 6.2), (2.4, 2.6, 2.4, 7.5, 6.2)),
    ((2.0, 2.1, 3.5, 7.2, 6.2), (2.0, 3.6, 1.7, 7.3, 6.2)),  # club after six, or before
    ((1.2, 3.2, 5.2, 6.8, 4.6), (1.4, 4.2, 4.4, 6.6, 4.2)),
    ((2.0, 5.0, 5.0, 8.2, 1.2), (1.8, 3.8, 3.0, 9.2, 2.4)),  # out, or at home
    ((1.6, 4.6, 2.6, 9.6, 1.2), (1.2, 3.2, 3.4, 9.8, 2.2)),
)
CONCENTRATION = 150.0
"""How closely days follow their means at noise 1: sleep scatters by about one hour."""
MOMENT = 0.01
"""Hours. The densities are zero where an activity takes no time at all, so 0 counts as this."""


def _hours(name: str, default: float, label: str, text: str, *aliases: str) -> Field:
    return Field(
        name,
        "number",
        default,
        label,
        text,
        low=0,
        high=24,
        step=0.25,
        unit="h",
        aliases=dict.fromkeys(aliases, name),
    )


COLUMNS: tuple[Field, ...] = (
    _hours(
        "morning",
        2.0,
        N_("Morning activity"),
        N_("Active hours before noon: way to school, sport, errands."),
        "rano",
        "poranek",
        "aktywność rano",
    ),
    _hours(
        "afternoon",
        3.0,
        N_("Afternoon activity"),
        N_("Active hours between noon and six."),
        "popołudnie",
        "aktywność po południu",
    ),
    _hours(
        "evening",
        3.0,
        N_("Evening activity"),
        N_("Active hours, or hours out with friends, after six."),
        "wieczór",
        "aktywność wieczorem",
    ),
    _hours("sleep", 7.5, N_("Sleep"), N_("Hours asleep."), "sen", "godziny snu"),
    _hours(
        "study",
        6.0,
        N_("Study or work"),
        N_("Hours of lessons, homework or work."),
        "nauka",
        "praca",
        "nauka/praca",
        "work",
    ),
)
TARGET = Field(
    "day",
    "choice",
    "monday",
    N_("Day"),
    N_("The day of the week to be recognised."),
    choices=DAYS,
    choice_labels={
        "monday": N_("Monday"),
        "tuesday": N_("Tuesday"),
        "wednesday": N_("Wednesday"),
        "thursday": N_("Thursday"),
        "friday": N_("Friday"),
        "saturday": N_("Saturday"),
        "sunday": N_("Sunday"),
    },
    aliases={
        "dzień": "day",
        "dzień tygodnia": "day",
        "weekday": "day",
        "poniedziałek": "monday",
        "pn": "monday",
        "pon": "monday",
        "mon": "monday",
        "wtorek": "tuesday",
        "wt": "tuesday",
        "wto": "tuesday",
        "tue": "tuesday",
        "tues": "tuesday",
        "środa": "wednesday",
        "śr": "wednesday",
        "śro": "wednesday",
        "wed": "wednesday",
        "weds": "wednesday",
        "wendsday": "wednesday",
        "wensday": "wednesday",
        "czwartek": "thursday",
        "cz": "thursday",
        "czw": "thursday",
        "thu": "thursday",
        "thur": "thursday",
        "thurs": "thursday",
        "thrusday": "thursday",
        "piątek": "friday",
        "pt": "friday",
        "pią": "friday",
        "fri": "friday",
        "sobota": "saturday",
        "so": "saturday",
        "sob": "saturday",
        "saterday": "saturday",
        "sat": "saturday",
        "niedziela": "sunday",
        "nd": "sunday",
        "nie": "sunday",
        "ndz": "sunday",
        "niedz": "sunday",
        "sun": "sunday",
    },
)
DATA_FIELDS: tuple[Field, ...] = (
    Field(
        "examples",
        "integer",
        20_000,
        N_("Number of days"),
        N_("How many days were written down. The network learns from 70% of them."),
        low=70,
        high=50_000,
        log=True,
    ),
    Field(
        "noise",
        "number",
        1.0,
        N_("Irregularity"),
        N_(
            "How far days scatter around the typical day. Twice the irregularity, twice the spread."
        ),
        low=0.2,
        high=2,
        step=0.1,
    ),
)

ENCODER = Encoder(COLUMNS, TARGET, most=24)
FEATURES = ENCODER.features
encode = ENCODER.encode
encode_rows = ENCODER.encode_rows
examples = ENCODER.examples
rows = ENCODER.rows


def shapes(noise: float) -> Tensor:
    """The Dirichlet parameters (7 days, 2 kinds, 6 shares), double; the last share is the rest.

    A share's variance is mean * (1 - mean) / (concentration + 1), so the concentration
    falls with the square of ``noise``.
    """
    hours = torch.tensor(PATTERNS, dtype=torch.double)
    hours = torch.cat([hours, 24 - hours.sum(dim=2, keepdim=True)], dim=2)
    return CONCENTRATION / noise**2 * hours / 24


def probabilities(inputs: Tensor, noise: float) -> Tensor:
    """The true chance of each day given its hours: (n, 5) -> (n, 7), rows sum to 1.

    Bayes' rule with all days equally frequent. The logarithm of a Dirichlet density is
    sum((a - 1) * log(share)) + lgamma(sum(a)) - sum(lgamma(a)); a day's density is the
    mean of its two kinds. Where five hours that no generator made add up to more than 24,
    the rest counts as :data:`MOMENT`.
    """
    hours = inputs.double()
    hours = torch.cat([hours, 24 - hours.sum(dim=1, keepdim=True)], dim=1)
    logs = (hours.clamp(min=MOMENT) / 24).log()
    a = shapes(noise)
    density = torch.einsum("ns,dks->ndk", logs, a - 1)
    density += torch.lgamma(a.sum(dim=2)) - torch.lgamma(a).sum(dim=2)
    return density.logsumexp(dim=2).softmax(dim=1).float()


def generate(n: int, noise: float, seed: int) -> Examples:
    """``n`` days, all weekdays equally likely: hours (n, 5) float32, days (n,) int64 0..6.

    Gamma variables divided by their sum are Dirichlet; NumPy draws them, because torch's
    gamma sampler takes no generator.
    """
    generator = np.random.default_rng(seed)
    days = generator.integers(len(DAYS), size=n)
    kinds = generator.integers(2, size=n)
    gammas = generator.standard_gamma(shapes(noise).numpy()[days, kinds])
    hours = 24 * gammas[:, :-1] / gammas.sum(axis=1, keepdims=True)
    return Examples(torch.from_numpy(hours).float(), torch.from_numpy(days))


@cache
def limit(noise: float) -> dict[str, float]:
    """The Bayes limit: what somebody gets who knows the true densities.

    ``accuracy`` is the mean of the largest true probability, ``log_loss`` (nats) the mean
    entropy, over 200,000 generated days (standard error of the accuracy below 0.001).
    """
    chances = probabilities(generate(200_000, noise, seed=7).inputs, noise)
    return {
        "accuracy": float(chances.amax(dim=1).mean()),
        "log_loss": float(torch.special.entr(chances).sum(dim=1).mean()),
    }

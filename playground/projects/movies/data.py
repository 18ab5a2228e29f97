"""Who likes which movie? Age, genre, duration and popularity -> likes it or not.

    score = taste(genre, age) - 2 * young(age) * (minutes over 110) / 30 + (popularity - 50) / 25
    P(likes) = sigmoid(score / noise)

Each genre has an age that likes it best, so age and genre *interact*; long movies lose the
young. The answer is drawn with probability P, so even somebody who knows P is sometimes
wrong: how rarely is the Bayes limit.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from playground.data.dataset import Examples
from playground.data.encoder import Encoder
from playground.fields import Field
from playground.i18n import N_

TASTES = {
    # genre: (score far from the best age, score added at the best age, best age, width in years)
    "action": (-3.0, 6.5, 22, 16),
    "comedy": (0.5, 2.5, 35, 25),
    "drama": (-4.0, 7.5, 62, 26),
    "horror": (-5.0, 9.0, 24, 10),
    "romance": (-2.5, 5.5, 45, 20),
    "sci-fi": (-3.5, 7.0, 32, 15),
    "animation": (-2.0, 8.0, 8, 12),
    "documentary": (-4.5, 8.0, 75, 24),
    "thriller": (-4.0, 7.0, 42, 17),
}
GENRES = tuple(TASTES)
PATIENCE = 110.0
"""Minutes after which a movie is long for the young."""

COLUMNS: tuple[Field, ...] = (
    Field(
        "age",
        "integer",
        17,
        N_("Age"),
        N_("How old the viewer is."),
        low=6,
        high=90,
        unit=N_("years"),
        aliases={"wiek": "age", "lata": "age"},
    ),
    Field(
        "genre",
        "choice",
        "comedy",
        N_("Genre"),
        N_(
            "What kind of movie it is. The network gets one input per genre: one is 1, the "
            "others are 0."
        ),
        choices=GENRES,
        choice_labels={
            "action": N_("action"),
            "comedy": N_("comedy"),
            "drama": N_("drama"),
            "horror": N_("horror"),
            "romance": N_("romance"),
            "sci-fi": N_("science fiction"),
            "animation": N_("animation"),
            "documentary": N_("documentary"),
            "thriller": N_("thriller"),
        },
        aliases={
            "gatunek": "genre",
            "rodzaj": "genre",
            "akcja": "action",
            "film akcji": "action",
            "komedia": "comedy",
            "dramat": "drama",
            "romans": "romance",
            "melodramat": "romance",
            "fantastyka naukowa": "sci-fi",
            "science fiction": "sci-fi",
            "scifi": "sci-fi",
            "sf": "sci-fi",
            "animacja": "animation",
            "animowany": "animation",
            "dokument": "documentary",
            "dokumentalny": "documentary",
            "dreszczowiec": "thriller",
        },
    ),
    Field(
        "duration",
        "integer",
        110,
        N_("Duration"),
        N_("How long the movie is. Young viewers lose patience with long movies."),
        low=60,
        high=240,
        unit="min",
        aliases={"czas": "duration", "czas trwania": "duration", "długość": "duration"},
    ),
    Field(
        "popularity",
        "integer",
        50,
        N_("Popularity"),
        N_("How well known the movie is: 0 to nobody, 100 to everybody."),
        low=0,
        high=100,
        aliases={"popularność": "popularity"},
    ),
)
TARGET = Field(
    "likes",
    "switch",
    True,
    N_("Likes it"),
    N_("Whether this viewer liked this movie."),
    aliases={"lubi": "likes", "podoba się": "likes", "polubił": "likes"},
)
DATA_FIELDS: tuple[Field, ...] = (
    Field(
        "examples",
        "integer",
        20_000,
        N_("Answers collected"),
        N_(
            "How many viewers were asked, each about one movie. The network learns from 70% of "
            "them."
        ),
        low=20,
        high=50_000,
        log=True,
    ),
    Field(
        "noise",
        "number",
        1.0,
        N_("Moodiness"),
        N_("Small: taste decides. Large: answers are almost random."),
        low=0.1,
        high=5,
        step=0.1,
    ),
)

ENCODER = Encoder(COLUMNS, TARGET)
FEATURES = ENCODER.features
encode = ENCODER.encode
encode_rows = ENCODER.encode_rows
examples = ENCODER.examples
rows = ENCODER.rows


def probability(inputs: Tensor, noise: float) -> Tensor:
    """The true chance that the viewer likes the movie: encoded (n, 12) -> (n,), 0..1."""
    age, genre, duration, popularity = (
        inputs[:, 0],
        inputs[:, 1 : 1 + len(GENRES)],
        inputs[:, -2],
        inputs[:, -1],
    )
    floor, peak, best, width = (genre @ torch.tensor(list(TASTES.values()))).unbind(dim=1)
    taste = floor + peak * (-(((age - best) / width) ** 2)).exp()
    young = ((30 - age) / 5).sigmoid()
    too_long = (duration - PATIENCE).clamp(min=0) / 30
    score = taste - 2 * young * too_long + (popularity - 50) / 25
    return (score / noise).sigmoid()


def generate(n: int, noise: float, seed: int) -> Examples:
    """``n`` answers: inputs (n, 12) float32 drawn evenly from each column's range, likes (n,).

    Durations stop at 180 minutes; longer movies are allowed in a person's own table.
    ``noise`` is the temperature of the formula above.
    """
    generator = torch.Generator().manual_seed(seed)

    def whole(low: int, high: int) -> Tensor:
        return torch.randint(low, high + 1, (n,), generator=generator)

    genre = torch.nn.functional.one_hot(whole(0, len(GENRES) - 1), len(GENRES))
    viewer, movie = whole(6, 90)[:, None], [whole(60, 180)[:, None], whole(0, 100)[:, None]]
    inputs = torch.cat([viewer, genre, *movie], dim=1).float()
    likes = torch.rand(n, generator=generator) < probability(inputs, noise)
    return Examples(inputs, likes.float())


@cache
def limit(noise: float) -> dict[str, float]:
    """The Bayes limit: what somebody gets who knows the true probability.

    ``accuracy`` is the mean of max(p, 1 - p), ``log_loss`` (nats) the mean entropy of
    the answer, over 200,000 generated viewers (standard error of the accuracy below 0.001).
    """
    p = probability(generate(200_000, noise, seed=7).inputs, noise)
    return {
        "accuracy": float(torch.maximum(p, 1 - p).mean()),
        "log_loss": float((torch.special.entr(p) + torch.special.entr(1 - p)).mean()),
    }

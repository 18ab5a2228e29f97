"""Which age likes which genre."""

from __future__ import annotations

import torch

from playground.projects.movies import data
from playground.projects.sketch import HEIGHT, WIDTH, blend, pixels


def tastes() -> str:
    """How likely each age (to the right) likes each genre (a row)."""
    ages = torch.linspace(6, 90, 40)
    film = torch.tensor([110.0, 50.0]).expand(40, 2)
    rows = []
    for place in range(len(data.GENRES)):
        genre = torch.eye(len(data.GENRES))[place].expand(40, -1)
        rows.append(data.probability(torch.cat([ages[:, None], genre, film], dim=1), 1.0))
    colors = blend(torch.stack(rows), "#e9e4d8", "#0a5a8c")
    return pixels(colors, (8, 8, WIDTH - 16, HEIGHT - 16), sharp=True)

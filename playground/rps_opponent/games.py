"""How a student's own games are written down."""

from __future__ import annotations

from playground.projects.rps import data
from playground.projects.rps.data import Round
from playground.storage.codecs import Codec


def _game(content: bytes) -> list[Round]:
    rounds, problems = data.from_csv(content, "")
    if problems:
        raise ValueError(problems[0])
    return rounds


def games(name: str) -> Codec[list[Round]]:
    """A game as its file, under ``name`` on the desk."""
    return Codec(name, lambda rounds: data.to_csv(rounds).encode(), _game)

"""What the recent rounds say: many small counting tables, each a guess at the player's next move.

Every table supposes that the next move depends on some part of the last rounds (its
*situation*) and counts what followed that situation before, old counts fading. Some
count the player's own moves, others the opponent's: one who has seen through the
opponent will throw what beats its next move, so those guesses are turned by one.

The game looks the same after renaming rock -> paper -> scissors -> rock. So all guesses
are handed on relative to the player's last move: place 0 is that move again, place 1
what beats it, place 2 what it beats. A network that reads them need not learn the
same thing three times.

All arrays hold n games side by side; playing is n = 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


def _turn(ahead: Ints, behind: Ints) -> Ints:
    """How many places ``ahead`` is before ``behind`` in the circle of moves: 0, 1 or 2."""
    places: Ints = (ahead - behind) % 3
    return places


class Past(NamedTuple):
    """The last three rounds, newest first: player's and opponent's moves, (3, n) each."""

    own: Ints
    opponent: Ints

    def outcome(self, back: int) -> Ints:
        """(n,) 0 tie, 1 win, 2 loss for the player, ``back`` rounds before the last."""
        return _turn(self.own[back], self.opponent[back])

    def shift(self, back: int) -> Ints:
        """(n,) how far the player moved on from one round to the next."""
        return _turn(self.own[back], self.own[back + 1])

    def opponent_shift(self, back: int) -> Ints:
        """(n,) the same for the opponent."""
        return _turn(self.opponent[back], self.opponent[back + 1])


def _mix(*digits: Ints) -> Ints:
    """Several numbers 0..2 as one: base 3."""
    value = digits[0]
    for digit in digits[1:]:
        value = 3 * value + digit
    return value


class Table(NamedTuple):
    """One supposition: whose move, counted from what, how fast it forgets, in which situation."""

    who: str  # "player" or "opponent"
    origin: str  # "zero": moves as they are; "own", "opponent": counted from the last such move
    fade: float  # what is left of a situation's counts when it comes up again
    situation: Callable[[Past], Ints]


CELLS: Final = 81

_absolute: Final[list[tuple[float, Callable[[Past], Ints]]]] = [
    (0.95, lambda p: 0 * p.own[0]),
    (0.8, lambda p: p.own[0]),
    (0.8, lambda p: p.opponent[0]),
    (0.9, lambda p: _mix(p.own[0], p.opponent[0])),
    (0.6, lambda p: _mix(p.own[0], p.opponent[0])),
    (0.9, lambda p: _mix(p.own[0], p.own[1])),
    (0.9, lambda p: _mix(p.opponent[0], p.opponent[1])),
    (0.9, lambda p: _mix(p.own[0], p.opponent[0], p.own[1])),
    (0.9, lambda p: _mix(p.own[0], p.opponent[0], p.opponent[1])),
    (0.9, lambda p: _mix(p.own[0], p.own[1], p.own[2])),
    (0.95, lambda p: _mix(p.own[0], p.opponent[0], p.own[1], p.opponent[1])),
]
_relative: Final[list[tuple[float, Callable[[Past], Ints]]]] = [
    (0.9, lambda p: 0 * p.own[0]),
    (0.9, lambda p: p.outcome(0)),
    (0.7, lambda p: p.outcome(0)),
    (0.9, lambda p: p.shift(0)),
    (0.9, lambda p: _mix(p.outcome(0), p.outcome(1))),
    (0.9, lambda p: _mix(p.outcome(0), p.shift(0))),
    (0.9, lambda p: _mix(p.outcome(0), p.opponent_shift(0))),
    (0.9, lambda p: _mix(p.outcome(0), p.shift(0), p.outcome(1))),
    (0.9, lambda p: _mix(p.shift(0), p.shift(1))),
    (0.9, lambda p: _mix(p.outcome(0), p.outcome(1), p.outcome(2), p.shift(0))),
]

# For players who are steady but not strict: counts that hardly fade.
_slow: Final[list[Callable[[Past], Ints]]] = [
    lambda p: 0 * p.own[0],
    lambda p: p.own[0],
    lambda p: p.opponent[0],
    lambda p: _mix(p.own[0], p.opponent[0]),
    lambda p: _mix(p.own[0], p.opponent[0], p.own[1]),
]

TABLES: Final = (
    *(Table("player", "zero", fade, situation) for fade, situation in _absolute),
    *(Table("player", "own", fade, situation) for fade, situation in _relative),
    Table("player", "opponent", 0.9, lambda p: 0 * p.own[0]),
    *(Table("player", "zero", 0.99, situation) for situation in _slow),
    Table("player", "own", 0.99, lambda p: p.outcome(0)),
    *(Table("opponent", "zero", fade, s) for fade, s in _absolute if fade != 0.6),
    *(Table("opponent", "opponent", fade, s) for fade, s in _relative if fade != 0.7),
    Table("opponent", "own", 0.9, lambda p: 0 * p.own[0]),
)
EXTRA: Final = 5 * 3 + 2
FEATURES: Final = 5 * len(TABLES) + EXTRA


class Tables:
    """All tables over n games, and how well each has guessed lately."""

    def __init__(self, n: int) -> None:
        k = len(TABLES)
        self.counts = np.zeros((n, k, CELLS, 3), dtype=np.float32)
        self.losses = np.full((n, k), np.log(3), dtype=np.float32)
        self.past = Past(*np.zeros((2, 3, n), dtype=np.int64))
        self.rounds = 0
        self.wins = np.zeros(n, dtype=np.float32)
        self._rows, self._columns = np.arange(n)[:, None], np.arange(k)[None]
        self._fade = np.array([t.fade for t in TABLES], dtype=np.float32)
        self._of_player = np.array([t.who == "player" for t in TABLES])
        self._origin = np.array([("zero", "own", "opponent").index(t.origin) for t in TABLES])
        self._look()

    def _look(self) -> None:
        """Where each table looks now, and its guess (n, k, 3) relative to the player's move."""
        past, each = self.past, np.arange(3)
        self._situation = np.stack([t.situation(past) for t in TABLES], axis=1)
        bases = np.stack([0 * past.own[0], past.own[0], past.opponent[0]], axis=1)
        self._base = bases[:, self._origin]
        row = self.counts[self._rows, self._columns, self._situation]
        self._trust = row.sum(axis=2)
        guess = (row + 0.4) / (self._trust + 1.2)[..., None]
        # Place j of the answer is move own + j, counted from the base; for a table of the
        # opponent's moves it is the move which own + j beats.
        places = past.own[0][:, None] - self._base - ~self._of_player
        order = (places[..., None] + each) % 3
        self.guess = np.take_along_axis(guess, order, axis=2)

    def features(self) -> Floats:
        """(n, FEATURES): the tables' log chances, losses and trust; the last rounds; time."""
        past, n = self.past, len(self.wins)
        codes = [past.outcome(0), past.outcome(1), past.shift(0), past.shift(1)]
        codes.append(past.opponent_shift(0))
        known = np.eye(3, dtype=np.float32)[np.stack(codes, axis=1)].reshape(n, -1)
        rest = np.stack([np.full(n, min(self.rounds / 100, 3.0)), self.wins], axis=1)
        return np.concatenate(
            [
                np.log(self.guess).reshape(n, -1) + np.float32(np.log(3)),
                self.losses - np.float32(np.log(3)),
                np.log1p(self._trust) / 2,
                known,
                rest.astype(np.float32),
            ],
            axis=1,
        )

    def see(self, own: Ints, opponent: Ints) -> None:
        """Count this round's moves, (n,) each."""
        place = (own - self.past.own[0]) % 3
        missed = -np.log(self.guess[self._rows, self._columns, place[:, None]])
        self.losses += 0.1 * (missed - self.losses)
        self.wins += 0.1 * (((own - opponent) % 3 == 1) - self.wins)
        moves = np.where(self._of_player, own[:, None], opponent[:, None])
        at = (self._rows, self._columns, self._situation)
        self.counts[at] *= self._fade[:, None]
        self.counts[(*at, (moves - self._base) % 3)] += 1
        self.past = Past(
            np.stack([own, *self.past.own[:2]]), np.stack([opponent, *self.past.opponent[:2]])
        )
        self.rounds += 1
        self._look()

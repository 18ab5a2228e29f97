"""Who the student plays against: predictors that watch the rounds and expect the next move.

All have the same three methods, so that they can follow the same game side by side:

    opponent = Opponent(seed=0)
    opponent.expect()               # {"rock": 0.2, "paper": 0.5, "scissors": 0.3}
    opponent.throw()                # "scissors": it beats what is likeliest
    opponent.see("paper", "scissors")   # what the player threw, what this side threw
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from pathlib import Path
from typing import Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.projects.rps.data import MOVES, number_of
from playground.recipe import FIELDS
from playground.rps_opponent.network import Weigher
from playground.rps_opponent.tables import Tables

WEIGHTS: Final = Path(__file__).with_name("weights.npz")
"""Plain arrays by name, float16; made by ``python -m playground.rps_opponent.make_weights``."""

UNIFORM: Final = (1 / 3, 1 / 3, 1 / 3)


class Predictor(ABC):
    """One who expects a player's next move from the rounds so far, and answers it.

    Same seed, same rounds: same throws.

    Raises:
        FieldError: a seed that is no whole number from 0 on.
    """

    def __init__(self, seed: int = 0) -> None:
        seed = cast(int, FIELDS["seed"].check(seed))
        self._rng = np.random.default_rng(seed)
        self._move: str | None = None
        self.rounds = 0

    @abstractmethod
    def _chances(self) -> NDArray[np.float64]:
        """(3,) chances of rock, paper and scissors as the player's next move."""

    @abstractmethod
    def _learn(self, player: int, own: int) -> None:
        """Take in one round: the moves' numbers."""

    def expect(self) -> dict[str, float]:
        """How likely each move of the player is in the next round; the chances sum to 1."""
        return dict(zip(MOVES, self._chances().tolist(), strict=True))

    def throw(self) -> str:
        """This side's move: it beats the player's likeliest one, equal ones are drawn by lot.

        It stays the same until :meth:`see`, however often it is asked.
        """
        if self._move is None:
            chances = self._chances()
            likeliest = np.flatnonzero(chances > chances.max() - 1e-6)
            self._move = MOVES[(int(self._rng.choice(likeliest)) + 1) % 3]
        return self._move

    def see(self, player_move: str, own_move: str) -> None:
        """Take in a round that has been played: the player's move, and this side's.

        Raises:
            PlaygroundError: for a move that is not rock, paper or scissors; then nothing
                has been taken in.
        """
        player, own = number_of(player_move), number_of(own_move)
        self._learn(player, own)
        self.rounds += 1
        self._move = None


class Random(Predictor):
    """Expects nothing, throws anything: nobody can do better or worse against it than luck."""

    def _chances(self) -> NDArray[np.float64]:
        return np.array(UNIFORM)

    def _learn(self, player: int, own: int) -> None:
        pass


class Frequency(Predictor):
    """Expects each move as often as the player has thrown it (one of each is added)."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._counts = np.ones(3)

    def _chances(self) -> NDArray[np.float64]:
        shares: NDArray[np.float64] = self._counts / self._counts.sum()
        return shares

    def _learn(self, player: int, own: int) -> None:
        self._counts[player] += 1


class Markov(Predictor):
    """Expects what followed the same last ``order`` rounds (both moves of each) before."""

    def __init__(self, order: int = 1, seed: int = 0) -> None:
        super().__init__(seed)
        if order < 1:
            raise ValueError(f"order is {order}, but must be at least 1")
        self.order = order
        self._last: tuple[tuple[int, int], ...] = ()
        self._counts: dict[tuple[tuple[int, int], ...], NDArray[np.float64]] = {}

    def _chances(self) -> NDArray[np.float64]:
        counts = self._counts.get(self._last, np.zeros(3)) + 1 / 3
        shares: NDArray[np.float64] = counts / counts.sum()
        return shares

    def _learn(self, player: int, own: int) -> None:
        if len(self._last) == self.order:
            self._counts.setdefault(self._last, np.zeros(3))[player] += 1
        self._last = (*self._last, (player, own))[-self.order :]


@cache
def trained() -> Weigher:
    """The network with the weights that come with the project; shared, never changed.

    Only its weights are shared: what it has seen of a player is in each Opponent.
    """
    network = Weigher()
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        network.load_state_dict({k: torch.from_numpy(stored[k].astype(np.float32)) for k in stored})
    return network.eval().requires_grad_(False)


class Opponent(Predictor):
    """The trained predictor: counting tables, weighed by a network that knows many players.

    The network was trained on simulated players alone and does not change here; it adapts
    by what its recurrent memory holds of this game, and the tables by counting it.
    Before the first round it expects all three moves alike.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._tables = Tables(1)
        self._memory: Tensor | None = None
        self._expected = np.array(UNIFORM)
        self._look()

    def _look(self) -> None:
        features = torch.from_numpy(self._tables.features())[None]
        with torch.inference_mode():
            logits, self._memory = trained()(features, self._memory)
        if self._tables.rounds:
            # Place 0 is the player's last move again: turn back to rock, paper, scissors.
            chances = logits[0, 0].double().softmax(0).numpy()
            self._expected = np.roll(chances, int(self._tables.past.own[0, 0]))

    def _chances(self) -> NDArray[np.float64]:
        return self._expected

    def _learn(self, player: int, own: int) -> None:
        self._tables.see(np.array([player]), np.array([own]))
        self._look()

"""A game of a person against the machine, and all predictors that watch it side by side.

The machine's move is fixed when a round begins, before the person's can arrive. Nothing
here knows a screen; a page keeps one :class:`Match` for each student.
"""

from __future__ import annotations

import copy
import hashlib
import math
import secrets
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from playground import losses, optimizers
from playground.projects.base import Predictor as Network
from playground.projects.rps import data as rps
from playground.projects.rps.data import MOVES, Round
from playground.rps_opponent.opponent import UNIFORM, Frequency, Markov, Opponent, Predictor, Random

PLAYERS: Final = ("trained", "network", "learning")
"""Who may play for the machine; the other predictors only watch."""
LONGEST: Final = 1000
"""Rounds of a file that are played through again, the last ones; a second takes about 300."""


class Watcher(Predictor):
    """The student's own network as a predictor: it sees the last few rounds of the game."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.network: Network | None = None
        self.moves: list[str] = []
        self.opponent_moves: list[str] = []

    def follow(self, network: Network | None) -> None:
        """Answer with ``network`` from the next round on."""
        self.network = network

    def _chances(self) -> NDArray[np.float64]:
        if self.network is None or len(self.moves) < self.network.recipe.data["memory"]:  # type: ignore[operator]
            return np.array(UNIFORM)
        answer = self.network.predict({"moves": self.moves, "opponent_moves": self.opponent_moves})
        assert answer.probabilities is not None
        chances = np.array(list(answer.probabilities.values()))
        return chances if np.isfinite(chances).all() else np.array(UNIFORM)

    def _learn(self, player: int, own: int) -> None:
        self.moves.append(MOVES[player])
        self.opponent_moves.append(MOVES[own])


class Learner(Watcher):
    """A copy of the network that takes a few gradient steps after each round.

    It learns from this player's last rounds alone, with Adam, and so forgets the crowd
    little by little. ``steps`` and ``loss`` (before the last step) show how far it is.
    """

    STEPS: Final = 5  # after each round
    RECENT: Final = 100  # rounds that it learns from
    RATE: Final = 0.01
    MOST: Final = 150  # steps with which a fresh copy catches up with the game

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.steps = 0
        self.loss: float | None = None
        self._optimizer: torch.optim.Optimizer | None = None

    def follow(self, network: Network | None) -> None:
        """Begin again from a copy of ``network``, and learn the rounds so far."""
        self.network, self._optimizer = None, None
        self.steps, self.loss = 0, None
        if network is not None:
            copied = copy.deepcopy(network.model).requires_grad_(True)
            recipe = network.recipe.with_(
                optimizer="adam", learning_rate=self.RATE, loss="cross_entropy"
            )
            self.network = Network(network.project, recipe, copied, network.scaler)
            self._optimizer = optimizers.build(recipe, copied.parameters())
            self._practise(min(self.STEPS * len(self.moves), self.MOST))

    def _learn(self, player: int, own: int) -> None:
        super()._learn(player, own)
        self._practise(self.STEPS)

    def _practise(self, steps: int) -> None:
        """``steps`` gradient steps on the last rounds, all of them in each step."""
        if self.network is None or self._optimizer is None:
            return
        recipe, model = self.network.recipe, self.network.model
        memory = int(recipe.data["memory"])  # type: ignore[arg-type]
        last = slice(-self.RECENT - memory, None)
        game = rps.Game.of(numbered(self.moves[last], self.opponent_moves[last]))
        inputs, targets = rps.windows([game], memory, bool(recipe.data["see_opponent"]))[:]
        if not len(targets):
            return
        loss_function = losses.build(recipe)
        model.train()
        for _step in range(steps):
            loss = loss_function(model(self.network.scaler(inputs)), targets)
            self.loss = loss.item()
            if not math.isfinite(self.loss):
                break  # a network that diverged has nothing to learn with
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            self.steps += 1
        model.eval()


def numbered(moves: Iterable[str], opponent_moves: Iterable[str]) -> list[Round]:
    """Two sides' moves as rounds, numbered from 1."""
    both = zip(moves, opponent_moves, strict=True)
    return [Round(n, own, other) for n, (own, other) in enumerate(both, start=1)]


class Sealed(NamedTuple):
    """A move that is fixed but not shown: the fingerprint tells nothing without the salt."""

    move: str
    salt: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of "salt move": whoever gets both later can check that it is the same."""
        return hashlib.sha256(f"{self.salt} {self.move}".encode()).hexdigest()


class Plan(NamedTuple):
    """What one predictor has made up its mind to do in the coming round."""

    chances: dict[str, float]  # of the player's next move
    sealed: Sealed

    @property
    def guess(self) -> str:
        """The player's move that it counts on: the one that its own move beats."""
        return MOVES[(MOVES.index(self.sealed.move) - 1) % 3]


class Played(NamedTuple):
    """One round that is over."""

    player_move: str
    machine_move: str
    who: str  # of PLAYERS, or "file"
    plan: Plan | None  # of whoever played; None for a round from a file
    guesses: dict[str, str]  # by predictor: what it counted on

    @property
    def outcome(self) -> int:
        """0 a tie, 1 the player won, 2 the machine won."""
        return (MOVES.index(self.player_move) - MOVES.index(self.machine_move)) % 3


class Match:
    """A game so far, the plans for its next round, and everybody who watches."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.played: list[Played] = []
        self.network, self.learner = Watcher(seed), Learner(seed)
        self.predictors: dict[str, Predictor] = {
            "trained": Opponent(seed),
            "network": self.network,
            "learning": self.learner,
            "markov": Markov(seed=seed),
            "frequency": Frequency(seed),
            "random": Random(seed),
        }
        self.version: object = None
        self._begin()

    def _begin(self) -> None:
        """A new round: everybody's move is fixed now."""
        # Salts alone come from the system's randomness: from a seed they could be computed.
        self.plans = {
            name: Plan(predictor.expect(), Sealed(predictor.throw(), secrets.token_hex(8)))
            for name, predictor in self.predictors.items()
        }

    def follow(self, network: Network | None, version: object = None) -> None:
        """Let the student's network watch, from the next round on.

        ``version`` says which weights these are: where it has changed, the learning copy
        begins again. None: they are still moving, so the copy it has will do.
        """
        self.network.follow(network)
        if self.learner.network is None or version not in (None, self.version):
            self.version = version
            self.learner.follow(network)

    def play(self, move: str, who: str) -> None:
        """The player throws ``move`` against ``who`` of PLAYERS; then a new round begins.

        Raises:
            PlaygroundError: for what is no move; then nothing has been played.
        """
        rps.number_of(move)
        plan = self.plans[who]
        self._finish(move, plan.sealed.move, who, plan)

    def replay(self, rounds: Sequence[Round]) -> None:
        """Play through rounds from a file, at most the last LONGEST: everybody watches them."""
        for found in rounds[-LONGEST:]:
            self._finish(found.player_move, found.opponent_move, "file", None)

    def _finish(self, move: str, machine: str, who: str, plan: Plan | None) -> None:
        guesses = {name: planned.guess for name, planned in self.plans.items()}
        self.played.append(Played(move, machine, who, plan, guesses))
        for predictor in self.predictors.values():
            predictor.see(move, machine)
        self._begin()

    def rounds(self) -> list[Round]:
        """The game as a file holds it."""
        return numbered(
            (one.player_move for one in self.played), (one.machine_move for one in self.played)
        )

    def accuracy(self) -> dict[str, float]:
        """By predictor: the share of rounds in which it counted on the move that came."""
        total = max(len(self.played), 1)
        return {
            name: sum(one.guesses[name] == one.player_move for one in self.played) / total
            for name in self.predictors
        }

    def score(self) -> Score:
        """Who won how often, so far."""
        return Score.of([one.outcome for one in self.played])


class Score(NamedTuple):
    """Wins, and wins in a row, of both sides: [player, machine]."""

    wins: tuple[int, int]
    streak: tuple[int, int]
    longest: tuple[int, int]
    ties: int

    @classmethod
    def of(cls, outcomes: Sequence[int]) -> Score:
        """From outcomes 0 tie, 1 player, 2 machine; a tie ends a streak."""
        streak, longest = [0, 0], [0, 0]
        for outcome in outcomes:
            for side in (0, 1):
                streak[side] = streak[side] + 1 if outcome == side + 1 else 0
                longest[side] = max(longest[side], streak[side])
        wins = outcomes.count(1), outcomes.count(2)
        return cls(wins, (streak[0], streak[1]), (longest[0], longest[1]), outcomes.count(0))


@lru_cache(maxsize=4096)
def luck(rounds: int) -> tuple[float, float]:
    """Between which shares of wins luck alone stays in 95 of 100 games of ``rounds`` rounds.

    Each round is won with chance 1/3, so the wins are binomial; the ends are the 2.5 % and
    97.5 % quantiles, as shares.
    """
    logs = [math.lgamma(k + 1) for k in range(rounds + 1)]
    total, low = 0.0, None
    for wins in range(rounds + 1):
        ways = logs[rounds] - logs[wins] - logs[rounds - wins]
        total += math.exp(ways - rounds * math.log(3) + (rounds - wins) * math.log(2))
        if low is None and total >= 0.025:
            low = wins
        if total >= 0.975:
            return (low or 0) / rounds, wins / rounds
    return 0.0, 1.0

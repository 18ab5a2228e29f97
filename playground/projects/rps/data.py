"""Rock, paper, scissors: simulated players with human habits, and a student's own games.

Moves are numbered 0 rock, 1 paper, 2 scissors, so that ``m + 1`` (modulo 3) beats ``m``
and an outcome is ``(own - opponent) % 3``: 0 a tie, 1 a win, 2 a loss.

**How a simulated player throws.** In every round it throws move m with the chance

    p(m) = noise / 3 + (1 - noise) * h(m) * exp(s * v(m)) / sum over moves of the same
    h(m) = 0.02 + 0.94 * (w_1 * h_1(m) + w_2 * h_2(m) + ...)

where the h_k are the habits below, w the player's own weights (they sum to 1, and are
drawn anew every now and then if ``change`` > 0), and v what the player has learned about
each move against this opponent, with sharpness s (0: never learns).

| habit | next move |
|---|---|
| bias | a personal favourite: fixed chances of the three moves |
| stay, up, down | the own last move, the one that beats it, the one it beats (cycles) |
| win_stay | after a win the same; after a loss a personal shift; after a tie a personal shift |
| outcome | own last move shifted by a personal table of the outcome |
| streak | own last move shifted by a personal table of outcome and own last shift |
| anti_repeat | one of the two moves that were not the last |
| copy | the opponent's last move |
| beat_last | what beats the opponent's last move |
| lose_to_last | what the opponent's last move beats |
| sequence | a personal sequence of 2 to 6 moves, over and over |
| markov | personal chances for each pair (own last move, opponent's last move) |
| balance | the move thrown least often lately |

**How it learns** (experience-weighted attraction, Camerer and Ho 1999, without its decay of
experience). The player supposes that what is good depends on some part of the last two
rounds (a *view*: the last moves, the outcome, ...) and remembers in each situation the worth
of each move, counted from the own last move, from the opponent's, or as it is (a *frame*).
After a round in which a move would have won (+1), tied (0) or lost (-1):

    worth += rate * (result - worth)          times ``fiction`` for the moves not thrown

It holds three such suppositions and follows the one that would have earned most lately.

Opponents are drawn by the same formula: a pattern bot is a player with a single habit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.data import tables
from playground.data.dataset import Examples
from playground.data.messages import Problem
from playground.errors import PlaygroundError
from playground.fields import Field, Value
from playground.i18n import N_

MOVES: Final = ("rock", "paper", "scissors")
OPPONENTS: Final = ("mixed", "random", "pattern", "mirror", "frequency", "learner", "player")

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def number_of(move: str) -> int:
    """0, 1 or 2 for a move's name.

    Raises:
        PlaygroundError: for anything but rock, paper or scissors.
    """
    if not isinstance(move, str) or move not in MOVES:
        raise PlaygroundError(
            N_("{move} is not a move; allowed: {allowed}."),
            move=repr(move)[:80],
            allowed=" | ".join(MOVES),
        )
    return MOVES.index(move)


class Round(NamedTuple):
    """One round as people write it: its number from 1, and two moves by name."""

    round: int
    player_move: str
    opponent_move: str


@dataclass(frozen=True)
class Game:
    """One player's game: three (rounds,) arrays of int64 and, if simulated, the truth.

    ``numbers`` are the rounds' numbers; where one is missing, neighbours are not adjacent.
    ``chances`` is (rounds, 3): the player's true chances of each move before it threw.
    """

    player: Ints
    opponent: Ints
    numbers: Ints
    chances: Floats | None = None

    def __len__(self) -> int:
        return len(self.player)

    @classmethod
    def of(cls, rounds: Sequence[Round]) -> Game:
        """A game from rounds by name, put in the order of their numbers."""
        inorder = sorted(rounds, key=lambda r: r.round)
        return cls(
            np.array([number_of(r.player_move) for r in inorder], dtype=np.int64),
            np.array([number_of(r.opponent_move) for r in inorder], dtype=np.int64),
            np.array([r.round for r in inorder], dtype=np.int64),
        )

    def rounds(self) -> list[Round]:
        """The game by name, as a CSV holds it."""
        return [
            Round(int(n), MOVES[p], MOVES[o])
            for n, p, o in zip(self.numbers, self.player, self.opponent, strict=True)
        ]


# --- The crowd ---------------------------------------------------------------------------


def _point(move: Ints) -> Floats:
    """(n,) moves -> (n, 3) with certainty of that move."""
    return np.eye(3)[move % 3]


BOT_HABITS: Final = (
    "up",
    "down",
    "copy",
    "beat_last",
    "lose_to_last",
    "outcome",
    "outcome",
    "streak",
    "streak",
    "sequence",
    "markov",
)
"""What a pattern bot may follow; those with many personal variants stand twice."""

HABIT_LABELS: Final = {
    "mixed": N_("mixed"),
    "bias": N_("a favourite move"),
    "stay": N_("the same move again"),
    "up": N_("rock, paper, scissors in turn"),
    "down": N_("scissors, paper, rock in turn"),
    "win_stay": N_("repeat a move that won, change one that lost"),
    "outcome": N_("change or not, by the last result"),
    "streak": N_("change or not, by the last result and the last change"),
    "anti_repeat": N_("never the same move twice"),
    "copy": N_("copy the opponent"),
    "beat_last": N_("beat the opponent's last move"),
    "lose_to_last": N_("the move that the opponent's last move beats"),
    "sequence": N_("a fixed sequence"),
    "markov": N_("chances that depend on both players' last moves"),
    "balance": N_("the move played least often lately"),
}
OPPONENT_LABELS: Final = {
    "mixed": N_("mixed opponents"),
    "random": N_("pure chance"),
    "pattern": N_("a bot with a fixed pattern"),
    "mirror": N_("a mirror: it plays what they played"),
    "frequency": N_("a bot that beats their favourite move"),
    "learner": N_("a player who learns"),
    "player": N_("another simulated player"),
}

SUPPOSITIONS: Final = 3


class Crowd:
    """n players side by side, each with its own habits, tables and memory of the last rounds."""

    def __init__(
        self,
        weights: Floats,
        noise: Floats,
        sharpness: Floats,
        rng: np.random.Generator,
        change: float = 0.0,
    ) -> None:
        """``weights`` (n, habits) rows that sum to 1; ``noise``, ``sharpness`` (n,)."""
        n = len(noise)
        self.weights, self.noise, self.sharpness = weights, noise, sharpness
        self.change, self.rng, self.rows = change, rng, np.arange(n)
        # Who they are.
        self.favourites = rng.dirichlet([1.5] * 3, n)
        self.outcome_shift = rng.integers(0, 3, (n, 3))
        self.streak_shift = rng.integers(0, 3, (n, 3, 3))
        self.length = rng.integers(2, 7, n)
        self.sequence = rng.integers(0, 3, (n, 6))
        self.table = rng.dirichlet([0.25] * 3, (n, 3, 3))
        # How they learn.
        self.view = rng.integers(0, len(VIEWS), (n, SUPPOSITIONS))
        self.frame = rng.integers(0, 3, (n, SUPPOSITIONS))
        self.rate = np.exp(rng.uniform(np.log(0.05), np.log(0.6), n))
        self.fiction = np.where(rng.random(n) < 0.5, 1.0, rng.random(n))
        self.onset = np.where(rng.random(n) < 0.5, 0, rng.geometric(1 / 60, n))
        self.worth = np.zeros((n, SUPPOSITIONS, 9, 3))
        self.earned = np.zeros((n, SUPPOSITIONS))
        # What they remember: before the first round, two that they only imagine.
        self.time = 0
        self.recent = np.zeros((n, 3))
        self.own, self.opponent, self.shift, self.opponent_shift, self.last_outcome = rng.integers(
            0, 3, (5, n)
        )

    @property
    def outcome(self) -> Ints:
        """(n,) 0 tie, 1 win, 2 loss in the last round."""
        places: Ints = (self.own - self.opponent) % 3
        return places

    def pick(self, table: Ints) -> Ints:
        """(n, 3) personal table -> (n,) its entry for the last outcome."""
        entry: Ints = table[self.rows, self.outcome]
        return entry

    def _situation(self) -> tuple[Ints, Ints]:
        """(n, suppositions): the situation's number, and the move from which moves count."""
        seen = np.stack([view(self) for view in VIEWS], axis=1)
        origins = np.stack([np.zeros_like(self.own), self.own, self.opponent], axis=1)
        rows = self.rows[:, None]
        return seen[rows, self.view], origins[rows, self.frame]

    def _worths(self) -> Floats:
        """(n, suppositions, 3): the learned worth of each move as it is, in this situation."""
        situation, origin = self._situation()
        moves = (np.arange(3) - origin[..., None]) % 3
        at = (self.rows[:, None, None], np.arange(SUPPOSITIONS)[:, None], situation[..., None])
        worths: Floats = self.worth[(*at, moves)]
        return worths

    def chances(self) -> Floats:
        """(n, 3): each player's true chances of its next move."""
        habits = np.stack([habit(self) for habit in HABITS.values()], axis=1)
        h = 0.02 + 0.94 * np.einsum("nh,nhm->nm", self.weights, habits)
        best = self.earned.argmax(axis=1)
        sharpness = np.where(self.time >= self.onset, self.sharpness, 0.0)
        h = h * np.exp(sharpness[:, None] * self._worths()[self.rows, best])
        p = self.noise[:, None] / 3 + (1 - self.noise[:, None]) * h / h.sum(axis=1, keepdims=True)
        exact: Floats = p / p.sum(axis=1, keepdims=True)
        return exact

    def throw(self, chances: Floats) -> Ints:
        """(n, 3) chances -> (n,) drawn moves."""
        drawn: Ints = (self.rng.random((len(chances), 1)) > chances.cumsum(axis=1)[:, :2]).sum(
            axis=1
        )
        return drawn

    def see(self, own: Ints, opponent: Ints) -> None:
        """Both sides' moves of this round, (n,) each: learn from them and remember them."""
        situation, origin = self._situation()
        each = np.arange(3)
        # result[n, m]: what move m would have brought, +1, 0 or -1.
        result = np.array([0.0, 1.0, -1.0])[(each - opponent[:, None]) % 3]
        followed = self._worths().argmax(axis=2)
        self.earned += 0.15 * (result[self.rows[:, None], followed] - self.earned)
        step = self.rate[:, None] * np.where(each == own[:, None], 1.0, self.fiction[:, None])
        at = (
            self.rows[:, None, None],
            np.arange(SUPPOSITIONS)[:, None],
            situation[..., None],
            (each - origin[..., None]) % 3,
        )
        self.worth[at] += step[:, None] * (result[:, None] - self.worth[at])

        self.last_outcome = self.outcome
        self.shift = (own - self.own) % 3
        self.opponent_shift = (opponent - self.opponent) % 3
        self.own, self.opponent = own, opponent
        self.recent = 0.8 * self.recent + _point(own)
        self.time += 1
        if self.change:
            moody = self.rng.random(len(own)) < self.change
            fresh = _weights(len(own), self.rng)
            self.weights = np.where(moody[:, None], fresh, self.weights)


HABITS: Final[dict[str, Callable[[Crowd], Floats]]] = {
    "bias": lambda c: c.favourites,
    "stay": lambda c: _point(c.own),
    "up": lambda c: _point(c.own + 1),
    "down": lambda c: _point(c.own + 2),
    "win_stay": lambda c: _point(c.own + np.where(c.outcome == 1, 0, c.pick(c.outcome_shift))),
    "outcome": lambda c: _point(c.own + c.pick(c.outcome_shift)),
    "streak": lambda c: _point(c.own + c.streak_shift[c.rows, c.outcome, c.shift]),
    "anti_repeat": lambda c: (1 - _point(c.own)) / 2,
    "copy": lambda c: _point(c.opponent),
    "beat_last": lambda c: _point(c.opponent + 1),
    "lose_to_last": lambda c: _point(c.opponent + 2),
    "sequence": lambda c: _point(c.sequence[c.rows, c.time % c.length]),
    "markov": lambda c: c.table[c.rows, c.own, c.opponent],
    "balance": lambda c: _point(c.recent.argmin(axis=1)),
}
"""Each habit: the crowd as it stands before a round -> (n, 3) chances."""

# A view: the crowd -> (n,) the situation's number, 0..8.
VIEWS: Final[tuple[Callable[[Crowd], Ints], ...]] = (
    lambda c: np.zeros_like(c.own),
    lambda c: c.own,
    lambda c: c.opponent,
    lambda c: c.outcome,
    lambda c: 3 * c.own + c.opponent,
    lambda c: 3 * c.outcome + c.last_outcome,
    lambda c: 3 * c.outcome + c.shift,
    lambda c: 3 * c.outcome + c.opponent_shift,
)


def _weights(n: int, rng: np.random.Generator) -> Floats:
    """(n, habits): mostly one habit a player, or two."""
    return rng.dirichlet([0.05] * len(HABITS), n)


def _players(
    n: int, habit: str, noise: float, learners: float, change: float, rng: np.random.Generator
) -> Crowd:
    """Simulated people: a share ``learners`` of them also learns from what wins."""
    if habit == "mixed":
        weights = _weights(n, rng)
    else:
        weights = np.tile(np.eye(len(HABITS))[list(HABITS).index(habit)], (n, 1))
        change = 0.0
    sharpness = np.where(
        rng.random(n) < learners, np.exp(rng.uniform(np.log(1.0), np.log(12.0), n)), 0.0
    )
    return Crowd(weights, np.full(n, noise), sharpness, rng, change)


def _opponents(n: int, kind: str, rng: np.random.Generator) -> Crowd:
    """Those whom the players meet; "mixed" draws a kind for each game, half of them patterns."""
    kinds = np.full(n, kind)
    if kind == "mixed":
        kinds = rng.choice(["pattern", *OPPONENTS[1:]], n, p=[0.4, *[0.1] * 6])
    names = list(HABITS)
    crowd = _players(n, "mixed", 0.1, 1.0, 0.0, rng)
    crowd.sharpness[kinds == "player"] *= rng.random((kinds == "player").sum()) < 0.5
    alone = {
        "pattern": np.array([names.index(h) for h in rng.choice(BOT_HABITS, n)]),
        "mirror": np.full(n, names.index("copy")),
        "frequency": np.full(n, names.index("bias")),
    }
    for name, habits in alone.items():
        crowd.weights = np.where(
            (kinds == name)[:, None], np.eye(len(names))[habits], crowd.weights
        )
    crowd.noise = np.select(
        [kinds == "random", kinds == "pattern", kinds == "mirror"],
        [np.ones(n), np.where(rng.random(n) < 0.6, 0.1, 0.3 * rng.random(n)), np.zeros(n)],
        crowd.noise,
    )
    crowd.sharpness[np.isin(kinds, ["random", "pattern", "mirror"])] = 0.0
    # The frequency player answers the player's favourite move, whatever the situation.
    often = kinds == "frequency"
    crowd.sharpness[often], crowd.rate[often], crowd.fiction[often] = 20.0, 0.1, 1.0
    crowd.view[often], crowd.frame[often], crowd.onset[often] = 0, 0, 0
    return crowd


def simulate(
    players: int = 60,
    rounds: int = 200,
    noise: float = 0.1,
    seed: int = 0,
    *,
    habit: str = "mixed",
    opponent: str = "mixed",
    learners: float = 0.5,
    change: float = 0.0,
) -> list[Game]:
    """``players`` games of ``rounds`` rounds, by the formula at the top of this module.

    ``habit`` is "mixed" or one of HABITS for everybody; ``opponent`` is one of OPPONENTS;
    ``learners`` is the share of players that learn; ``change`` the chance a round that a
    player takes up other habits. Same arguments, same games.
    """
    rng = np.random.default_rng(seed)
    people = _players(players, habit, noise, learners, change, rng)
    others = _opponents(players, opponent, rng)
    own = np.empty((players, rounds), dtype=np.int64)
    theirs = np.empty_like(own)
    chances = np.empty((players, rounds, 3))
    for t in range(rounds):
        chances[:, t] = people.chances()
        own[:, t] = people.throw(chances[:, t])
        theirs[:, t] = others.throw(others.chances())
        people.see(own[:, t], theirs[:, t])
        others.see(theirs[:, t], own[:, t])
    numbers = np.arange(1, rounds + 1)
    return [Game(own[i], theirs[i], numbers, chances[i]) for i in range(players)]


# --- What the network sees -----------------------------------------------------------------


def encode(
    moves: Sequence[str], memory: int = 3, opponent_moves: Sequence[str] | None = None
) -> Tensor:
    """The last ``memory`` moves, oldest first -> one float32 input, one-hot.

    (memory * 3,), or (memory * 6,) if ``opponent_moves`` (as many as ``moves``, of the
    same rounds) are given: first the player's moves, then the opponent's.

    Raises:
        PlaygroundError: fewer moves than ``memory``, or something that is no move.
    """
    sides = [moves] if opponent_moves is None else [moves, opponent_moves]
    if min(len(side) for side in sides) < memory:
        raise PlaygroundError(
            N_("The network looks at the last {memory} moves, but only {count} have been played."),
            memory=memory,
            count=min(len(side) for side in sides),
        )
    last = [[number_of(move) for move in side[len(side) - memory :]] for side in sides]
    return torch.from_numpy(_one_hot(np.array(last, dtype=np.int64)[None]))[0]


def _one_hot(windows: Ints) -> NDArray[np.float32]:
    """(n, sides, memory) moves -> (n, sides * memory * 3)."""
    n, sides, memory = windows.shape
    return np.eye(3, dtype=np.float32)[windows].reshape(n, sides * memory * 3)


def _windows(game: Game, memory: int, opponent: bool) -> tuple[Ints, Ints]:
    """A game's (n, sides, memory) windows and the (n,) places of the rounds after them."""
    places = np.arange(memory, len(game))
    # Rounds are missing between the window's first and the next one: not adjacent, not used.
    places = places[game.numbers[places] - game.numbers[places - memory] == memory]
    back = places[:, None] - np.arange(memory, 0, -1)
    sides = [game.player[back], game.opponent[back]] if opponent else [game.player[back]]
    return np.stack(sides, axis=1), places


def windows(games: Sequence[Game], memory: int = 3, opponent: bool = False) -> Examples:
    """Every ``memory`` rounds in a row as an input (see :func:`encode`), the next move as target.

    Inputs are float32 (n, memory * 3), with the opponent's moves (n, memory * 6); targets
    are int64 (n,). Windows never reach across missing rounds or from game to game.
    """
    parts = [_windows(game, memory, opponent) for game in games]
    sides = 2 if opponent else 1
    seen = [np.empty((0, sides, memory), dtype=np.int64), *(window for window, _ in parts)]
    after = [
        np.empty(0, dtype=np.int64),
        *(game.player[places] for game, (_, places) in zip(games, parts, strict=True)),
    ]
    return Examples(
        torch.from_numpy(_one_hot(np.concatenate(seen))), torch.from_numpy(np.concatenate(after))
    )


def limits(games: Sequence[Game], memory: int = 3, opponent: bool = False) -> dict[str, float]:
    """The best accuracy that anything could reach on these simulated games, on average.

    ``window``: for a predictor that sees what the network sees (the Bayes limit of its
    task): the players' true chances are averaged over all rounds with the same window, and
    the likeliest move is chosen. The average needs many rounds a window: with few (long
    memory, small data) the figure comes out too high, never above ``player``.
    ``player``: for one who knows each player's habits, memory and mood exactly.
    """
    chances, codes = [], []
    for game in games:
        if game.chances is None:
            raise ValueError("only simulated games know their true chances")
        seen, places = _windows(game, memory, opponent)
        flat = seen.reshape(len(seen), -1)
        codes.append(flat @ 3 ** np.arange(flat.shape[1]))
        chances.append(game.chances[places])
    truth = np.concatenate(chances)
    _, group = np.unique(np.concatenate(codes), return_inverse=True)
    sums = np.stack([np.bincount(group, truth[:, move]) for move in range(3)], axis=1)
    return {
        "window": float(sums.max(axis=1).sum() / len(truth)),
        "player": float(truth.max(axis=1).mean()),
    }


def from_options(options: Mapping[str, Value], seed: int) -> list[Game]:
    """The games that the recipe's data ``options`` (values of DATA_FIELDS) ask for."""
    names = ("players", "rounds", "noise", "habit", "opponent", "learners", "change")
    return simulate(seed=seed, **{name: options[name] for name in names})  # type: ignore[arg-type]


DATA_FIELDS: Final[tuple[Field, ...]] = (
    Field(
        "players",
        "integer",
        100,
        N_("Players"),
        N_("How many simulated players take part, each with their own habits."),
        low=1,
        high=500,
        log=True,
    ),
    Field(
        "rounds",
        "integer",
        200,
        N_("Rounds"),
        N_("How many rounds each of them plays."),
        low=20,
        high=500,
        step=10,
    ),
    Field(
        "noise",
        "number",
        0.1,
        N_("Noise"),
        N_("The share of moves that follow no habit. No model can predict these."),
        low=0,
        high=1,
        step=0.05,
    ),
    Field(
        "memory",
        "integer",
        3,
        N_("Memory (rounds)"),
        N_("How many of the last rounds the network sees."),
        low=1,
        high=6,
    ),
    Field(
        "see_opponent",
        "switch",
        False,
        N_("Opponent's moves too"),
        N_("Whether the network also sees what the opponent played in these rounds."),
    ),
    Field(
        "habit",
        "choice",
        "mixed",
        N_("Habit"),
        N_("Mixed: each player has a few habits. Otherwise everyone has the one you choose."),
        choices=("mixed", *HABITS),
        choice_labels=HABIT_LABELS,
    ),
    Field(
        "opponent",
        "choice",
        "mixed",
        N_("They play against"),
        N_("Who the simulated players play against. Some habits react to the opponent."),
        choices=OPPONENTS,
        choice_labels=OPPONENT_LABELS,
    ),
    Field(
        "learners",
        "number",
        0.5,
        N_("Learners"),
        N_("The share of players who also learn what wins against their opponent."),
        low=0,
        high=1,
        step=0.1,
    ),
    Field(
        "change",
        "number",
        0.0,
        N_("Change of habits"),
        N_("The chance, in each round, that a player changes habits."),
        low=0,
        high=0.2,
        step=0.01,
    ),
)
"""The options of the generated data, as a recipe holds them."""


# --- Games as files ------------------------------------------------------------------------

MOVE_LABELS: Final = {"rock": N_("Rock"), "paper": N_("Paper"), "scissors": N_("Scissors")}
_ALIASES: Final = {
    "kamień": "rock",
    "papier": "paper",
    "nożyce": "scissors",
    "nożyczki": "scissors",
    "scissor": "scissors",
}
COLUMNS: Final[tuple[Field, ...]] = (
    Field(
        "round",
        "integer",
        1,
        N_("Round"),
        N_("The number of the round, from 1."),
        low=1,
        high=100_000,
        aliases={"runda": "round"},
    ),
    Field(
        "player_move",
        "choice",
        "rock",
        N_("Player's move"),
        choices=MOVES,
        choice_labels=MOVE_LABELS,
        aliases={**_ALIASES, "gracz": "player_move", "ruch gracza": "player_move"},
    ),
    Field(
        "opponent_move",
        "choice",
        "paper",
        N_("Opponent's move"),
        choices=MOVES,
        choice_labels=MOVE_LABELS,
        aliases={**_ALIASES, "przeciwnik": "opponent_move", "ruch przeciwnika": "opponent_move"},
    ),
)
"""The columns of a game's CSV; moves may be written in Polish."""


def to_csv(rounds: Sequence[Round]) -> str:
    """A game as CSV text: round, player_move, opponent_move; :func:`from_csv` reads it back."""
    return tables.to_csv([r._asdict() for r in rounds], COLUMNS)


def from_csv(raw: bytes | str, name: str = "") -> tuple[list[Round], list[Problem]]:
    """The rounds that can be used, in order, and everything that is wrong with the others.

    Of two rows with the same number the first is used.

    Raises:
        PlaygroundError: if the file as a whole is no table of these columns.
    """
    table = tables.parse(raw.encode() if isinstance(raw, str) else raw, COLUMNS, name)
    problems = list(table.problems)
    rounds: dict[int, Round] = {}
    for row in table.rows:
        found = Round(int(row["round"]), str(row["player_move"]), str(row["opponent_move"]))  # type: ignore[arg-type]
        if found.round in rounds:
            problems.append(
                Problem(
                    N_("Column round: round {value} appears more than once."),
                    {"value": found.round},
                    column="round",
                    value=str(found.round),
                )
            )
        rounds.setdefault(found.round, found)
    return [rounds[number] for number in sorted(rounds)], problems

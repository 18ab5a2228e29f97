"""Rock, paper, scissors: a player's last moves -> which move comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from playground.data.dataset import Dataset, Examples, Scaler
from playground.data.messages import Problem
from playground.errors import PlaygroundError
from playground.fields import Value
from playground.i18n import N_
from playground.projects.base import Exported, Input, Preset, Project
from playground.projects.rps import data as rps
from playground.projects.rps import hands
from playground.projects.rps.data import Floats, Game, Ints
from playground.projects.rps.thumbnail import throws
from playground.projects.table import FEWEST, OWN_ROWS, SHARES
from playground.recipe import Recipe

OWN_GAMES: Final = replace(
    OWN_ROWS,
    label=N_("Games"),
    help=N_(
        "Your own games are added to the training set only, so validation and test stay "
        "comparable. With “my own only” they are split by time into all three sets."
    ),
)


SIDES: Final = (N_("Player's move, {n} back"), N_("Opponent's move, {n} back"))


class Parts(NamedTuple):
    """The games of each split: players of one split are in no other."""

    train: list[Game]
    validation: list[Game]
    test: list[Game]


class Rps(Project):
    """A player's next move from the last ones: a classification of a sequence."""

    name = "rps"
    title = N_("Rock, paper, scissors")
    purpose = N_("Play: the network guesses your next move from your last ones, and beats it.")
    icon = "sports_mma"
    task = "classification"
    labels = rps.MOVES
    label_names = rps.MOVE_LABELS
    thumbnail = staticmethod(throws)
    neutral = frozenset({"memory", "see_opponent"})
    amounts = frozenset({"players", "rounds"})
    data_fields = (*rps.DATA_FIELDS, OWN_GAMES)
    defaults = {
        "hidden": (32,),
        "optimizer": "adam",
        "learning_rate": 0.005,
        "batch_size": 256,
        "epochs": 15,
    }
    presets = (
        Preset(
            "well",
            N_("Works well"),
            N_(
                "Many players, and the network also sees their opponents' moves. It needs them: "
                "many habits depend on who won the last round."
            ),
            {
                "data": {"see_opponent": True, "players": 500},
                "hidden": (64,),
                "schedule": "one_cycle",
            },
        ),
        Preset(
            "small",
            N_("Too small"),
            N_(
                "One neuron sums up the last moves in one number. That shows little more than a "
                "favourite move."
            ),
            {"hidden": (1,)},
        ),
        Preset(
            "overfits",
            N_("Overfits"),
            N_(
                "A big network learns the games of four players by heart, luck included. The next "
                "player has other habits, and the validation loss climbs."
            ),
            {
                "data": {"players": 6, "rounds": 60, "memory": 6, "see_opponent": True},
                "hidden": (128, 128),
                "learning_rate": 0.003,
                "batch_size": 32,
                "epochs": 60,
            },
        ),
        Preset(
            "diverges",
            N_("Diverges"),
            N_(
                "Plain SGD with a huge learning rate: each step overshoots further, until the "
                "loss is no longer a number (NaN)."
            ),
            {
                "hidden": (32, 32),
                "activation": "leaky_relu",
                "optimizer": "sgd",
                "learning_rate": 10.0,
            },
        ),
    )

    tiny = {"data": {"players": 6, "rounds": 30}, "epochs": 2}

    def css(self) -> str:
        return f"{hands.css()}\n{(self.folder / 'style.css').read_text('utf-8')}"

    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        return load(recipe.data, recipe.seed, own)

    def parts(self, recipe: Recipe) -> Parts:
        """The simulated games of each split, see :func:`parts`."""
        return parts(recipe.data, recipe.seed)

    def limits(self, recipe: Recipe, split: str) -> dict[str, float]:
        """The accuracy to expect on ``split`` ("train", "validation", "test") of the best.

        ``window``: one who sees what the network sees and knows how the whole crowd
        plays (the Bayes limit of the network's task, on these players). ``player``: one
        who knows each player's habits, memory and mood.
        """
        all_parts = self.parts(recipe)
        codes, chances = _codes(recipe.data, [game for part in all_parts for game in part])
        kinds = 3 ** (self.input_shape(recipe)[0] // 3)
        crowd = np.stack([np.bincount(codes, row, minlength=kinds) for row in chances.T], axis=1)
        codes, chances = _codes(recipe.data, getattr(all_parts, split))
        guess = crowd.argmax(axis=1)[codes]
        return {
            "window": float(chances[np.arange(len(codes)), guess].mean()),
            "player": float(chances.max(axis=1).mean()),
        }

    def best(self, recipe: Recipe, split: str) -> Mapping[str, float]:
        if recipe.data["rows"] == "own":
            return {}
        return {"accuracy": self.limits(recipe, split)["window"]}

    def windows(self, games: Sequence[Game], recipe: Recipe) -> Examples:
        """``games`` as the inputs and targets of the recipe's network."""
        return _windows(games, recipe.data)

    def encode(self, raw: Any, recipe: Recipe) -> Tensor:
        """Moves, oldest first -> one input (memory * 3,), with the opponent's (memory * 6,).

        ``raw`` is ``["rock", "paper", "scissors"]``, or ``{"moves": [...]}`` to which a
        network that sees both sides needs ``"opponent_moves": [...]`` of the same rounds.

        Raises:
            PlaygroundError: too few moves, something that is no move, a side missing.
        """
        memory, opponent = _seen(recipe.data)
        given = raw if isinstance(raw, Mapping) else {"moves": raw}
        names = ("moves", "opponent_moves")
        sides = [given.get(name) for name in names[: 2 if opponent else 1]]
        lists = all(isinstance(side, Sequence) and not isinstance(side, str) for side in sides)
        if not lists or not set(given) <= set(names):
            raise PlaygroundError(
                N_("Give a list of moves by name for each of: {names}."),
                names=", ".join(names[: len(sides)]),
            )
        moves = [cast(Sequence[str], side) for side in sides]
        if len({len(side) for side in moves}) > 1:
            raise PlaygroundError(
                N_("Both sides need the same number of moves, not {moves} and {opponent_moves}."),
                moves=len(moves[0]),
                opponent_moves=len(moves[1]),
            )
        return rps.encode(moves[0], memory, moves[1] if opponent else None)

    def typed(self, text: str) -> list[str]:
        """The moves of one side."""
        return text.replace(",", " ").split()

    def read(self, raw: bytes, name: str, recipe: Recipe) -> tuple[Examples, Sequence[Problem]]:
        """The rounds of one game in a CSV file."""
        rounds, problems = rps.from_csv(raw, name)
        return self.windows([Game.of(rounds)], recipe), problems

    def inputs(self, recipe: Recipe) -> list[Input]:
        memory, opponent = _seen(recipe.data)
        moves = tuple(self.label_names.values())
        return [
            Input(SIDES[n // memory], 3 * n, moves, 3, {"n": memory - n % memory})
            for n in range(memory * (1 + opponent))
        ]

    def exported(self, recipe: Recipe) -> Exported:
        memory, opponent = _seen(recipe.data)
        moves = str(list((self.labels * memory)[:memory])).replace("'", '"')
        # Own games alone need no simulator, which would be half of the file.
        own = recipe.data["rows"] == "own"
        return Exported(
            {"load": alone if own else load, "encode": rps.encode},
            "found = {load}(data, own)" if own else "found = {load}(data, seed, own)",
            takes="moves, opponent_moves" if opponent else "moves",
            says=f"How likely each next move is after the last {memory}, oldest first.",
            inputs=f"{{encode}}(moves, {memory}{', opponent_moves' * opponent})",
            example=f"{moves}, {moves}" if opponent else moves,
        )

    def several(self, raw: Any) -> list[Any] | None:
        if isinstance(raw, list | tuple) and (not raw or any(isinstance(one, str) for one in raw)):
            return None  # one input: its moves
        return super().several(raw)

    def input_shape(self, recipe: Recipe) -> tuple[int, ...]:
        return (_values(recipe.data),)


PROJECT: Final = Rps()


def load(data: Mapping[str, Value], seed: int, own: Examples | None = None) -> Dataset:
    """Windows over simulated games, or over the student's own, or both.

    ``own`` are the student's :func:`windows <playground.projects.rps.data.windows>`, with the same
    memory and sides, in the order in which they were played.

    Raises:
        PlaygroundError: own windows of another length, or fewer than 20 of them where
            they are used alone.
    """
    if data["rows"] == "own":
        return alone(data, own)
    _fits(data, own)
    base = _generated(tuple(sorted(data.items())), seed)
    if own is None or not len(own) or data["rows"] == "generated":
        return base
    train = base.train + own
    return replace(base, train=train, scaler=Scaler.fit(train), own=len(own))


def alone(data: Mapping[str, Value], own: Examples | None) -> Dataset:
    """The student's own games and no simulated ones, cut in time into the three splits."""
    _fits(data, own)
    count = 0 if own is None else len(own)
    if own is None or count < FEWEST:
        raise PlaygroundError(
            N_(
                "Training on only your own games needs at least {least} rounds to learn from, "
                "and there are {n}. Play more, or use simulated games too."
            ),
            least=FEWEST,
            n=count,
        )
    first = round(count * SHARES[0])
    second = first + round(count * SHARES[1])
    pieces = (slice(first), slice(first, second), slice(second, None))
    train, validation, test = (Examples(*own[piece]) for piece in pieces)
    return Dataset(train, validation, test, Scaler.fit(train), source="own", own=count)


def _fits(data: Mapping[str, Value], own: Examples | None) -> None:
    if own is not None and own.inputs.shape[1:] != (_values(data),):
        raise PlaygroundError(
            N_("Each of your own inputs has {found} values, but this network takes {wanted}."),
            found=own.inputs[0].numel() if len(own) else 0,
            wanted=_values(data),
        )


def parts(data: Mapping[str, Value], seed: int) -> Parts:
    """The simulated games of each split.

    The network is judged on players that it has never met: windows of one game,
    spread over all splits, would let it recognise the player. Fewer than three
    players cannot be shared out; then each game is cut in time instead.
    """
    view = ("memory", "see_opponent", "rows")  # does not change the games
    options = {name: value for name, value in data.items() if name not in view}
    games = _games(tuple(sorted(options.items())), seed)
    if len(games) < 3:
        pieces = [_cut(game, _seen(data)[0]) for game in games]
        return Parts(*(list(part) for part in zip(*pieces, strict=True)))
    order = torch.randperm(len(games), generator=torch.Generator().manual_seed(seed))
    held_out = max(1, round(len(games) * SHARES[1]))
    shuffled = [games[i] for i in order.tolist()]
    return Parts(
        shuffled[2 * held_out :],
        shuffled[:held_out],
        shuffled[held_out : 2 * held_out],
    )


def _seen(data: Mapping[str, Value]) -> tuple[int, bool]:
    """How many rounds the network sees, and whether both sides of them."""
    return cast(int, data["memory"]), bool(data["see_opponent"])


def _values(data: Mapping[str, Value]) -> int:
    """How many numbers one input has: three a move."""
    memory, opponent = _seen(data)
    return memory * (6 if opponent else 3)


def _windows(games: Sequence[Game], data: Mapping[str, Value]) -> Examples:
    memory, opponent = _seen(data)
    return rps.windows(games, memory, opponent)


def _cut(game: Game, memory: int) -> list[Game]:
    """One game as three, one after the other in time.

    Each later piece begins ``memory`` rounds early, so that its first own round has a window.
    """
    assert game.chances is not None
    first, second = (round(len(game) * share) for share in np.cumsum(SHARES[:2]))
    pieces = (slice(first), slice(first - memory, second), slice(second - memory, None))
    return [
        Game(game.player[at], game.opponent[at], game.numbers[at], game.chances[at])
        for at in pieces
    ]


def _codes(data: Mapping[str, Value], games: Sequence[Game]) -> tuple[Ints, Floats]:
    """Simulated games' windows as numbers (n,), and the true chances (n, 3) of what follows."""
    seen = _windows(games, data).inputs.numpy()
    digits = seen.reshape(len(seen), -1, 3).argmax(axis=2)
    memory = _seen(data)[0]
    chances = [game.chances[memory:] for game in games if game.chances is not None]
    return digits @ 3 ** np.arange(digits.shape[1]), np.concatenate(chances)


Options = tuple[tuple[str, Value], ...]


@lru_cache(maxsize=8)
def _games(options: Options, seed: int) -> list[Game]:
    return rps.from_options(dict(options), seed)


@lru_cache(maxsize=8)
def _generated(options: Options, seed: int) -> Dataset:
    """The part of a data set that all sessions share."""
    data = dict(options)
    train, validation, test = (_windows(part, data) for part in parts(data, seed))
    return Dataset(train, validation, test, Scaler.fit(train))

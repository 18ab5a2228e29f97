"""The rock, paper, scissors project: its splits, limits, encoder, and the game."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from scipy.stats import binom

import playground
from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.projects.base import Predictor
from playground.projects.rps import Rps
from playground.projects.rps import data as rps
from playground.projects.rps.data import MOVES, Game
from playground.rps_opponent import Opponent
from playground.rps_opponent.match import LONGEST, PLAYERS, Learner, Match, Score, luck, numbered

PROJECT = playground.project("rps")
assert isinstance(PROJECT, Rps)
SMALL = {"players": 10, "rounds": 40}


def network(memory: int = 3, see_opponent: bool = False, epochs: int = 1) -> Predictor:
    data = {**SMALL, "memory": memory, "see_opponent": see_opponent}
    run = playground.train("rps", data=data, epochs=epochs, threads=1)
    return Predictor(PROJECT, run.recipe, run.model, run.dataset.scaler)


def game(moves: list[str], answers: list[str]) -> Game:
    return Game.of(numbered(moves, answers))


def test_the_opponent_is_there() -> None:
    opponent = Opponent(seed=0)
    assert set(opponent.expect()) == set(MOVES)
    opponent.see("rock", opponent.throw())
    assert opponent.throw() in MOVES


def test_no_player_is_in_two_splits() -> None:
    recipe = PROJECT.recipe(data=SMALL, seed=3)
    parts = PROJECT.parts(recipe)
    assert [len(part) for part in parts] == [6, 2, 2]
    everybody = rps.from_options(dict(recipe.data), recipe.seed)
    numbers = [
        next(i for i, one in enumerate(everybody) if (one.chances == game.chances).all())
        for part in parts
        for game in part
    ]
    assert sorted(numbers) == list(range(10))
    dataset = PROJECT.load(recipe)
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [
        37 * 6,
        37 * 2,
        37 * 2,
    ]


@pytest.mark.parametrize("players", [1, 2])
def test_two_players_are_cut_in_time(players: int) -> None:
    recipe = PROJECT.recipe(data={"players": players, "rounds": 100})
    parts = PROJECT.parts(recipe)
    assert [len(part) for part in parts] == [players] * 3
    assert [part[0].numbers[[0, -1]].tolist() for part in parts] == [[1, 70], [68, 85], [83, 100]]
    dataset = PROJECT.load(recipe)
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [
        67 * players,
        15 * players,
        15 * players,
    ]


@pytest.mark.parametrize(
    "data", [{"rounds": 20, "memory": 6}, {"players": 1, "rounds": 20, "memory": 6}]
)
def test_the_smallest_data_can_be_trained_on(data: dict[str, int]) -> None:
    run = playground.train("rps", data=data, epochs=1, threads=1)
    assert run.history.ended == "finished"


def test_limits_by_hand() -> None:
    """Everybody repeats the last move, or throws anything with the chance 0.4."""
    data = {"habit": "stay", "learners": 0.0, "noise": 0.4, "opponent": "random"}
    recipe = PROJECT.recipe(data={**SMALL, **data, "memory": 1})
    truth = 0.4 / 3 + 0.6 * (0.02 + 0.94) / (3 * 0.02 + 0.94)
    for split in ("train", "validation", "test"):
        found = PROJECT.limits(recipe, split)
        assert found["window"] == pytest.approx(truth)
        assert found["player"] == pytest.approx(truth)


def test_the_network_stays_below_the_window_limit_which_stays_below_the_players() -> None:
    run = playground.train("rps", epochs=5, threads=1)
    limits = PROJECT.limits(run.recipe, "test")
    assert 0.4 < run.test()["accuracy"] < limits["window"] + 0.02
    assert limits["window"] < limits["player"] < 1


def test_own_games_join_the_training_split() -> None:
    recipe = PROJECT.recipe(data=SMALL)
    own = PROJECT.windows([game(["rock", "paper"] * 15, ["scissors"] * 30)], recipe)
    alone, joined = PROJECT.load(recipe), PROJECT.load(recipe, own)
    assert len(own) == 27
    assert len(joined.train) == len(alone.train) + 27
    assert joined.own == 27
    assert torch.equal(joined.test.inputs, alone.test.inputs)
    without = PROJECT.load(recipe.with_(data={"rows": "generated"}), own)
    assert without.own == 0


def test_own_games_alone_are_cut_in_time() -> None:
    recipe = PROJECT.recipe(data={**SMALL, "rows": "own"})
    own = PROJECT.windows([game(["rock", "paper"] * 15, ["scissors"] * 30)], recipe)
    dataset = PROJECT.load(recipe, own)
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [19, 4, 4]
    assert torch.equal(dataset.train.inputs, own.inputs[:19])
    with pytest.raises(PlaygroundError, match="at least 20 rounds"):
        PROJECT.load(recipe, Examples(*own[:10]))
    with pytest.raises(PlaygroundError, match="there are 0"):
        PROJECT.load(recipe)


def test_own_games_of_another_memory_are_refused() -> None:
    recipe = PROJECT.recipe(data=SMALL)
    longer = recipe.with_(data={"memory": 4})
    own = PROJECT.windows([game(["rock"] * 30, ["paper"] * 30)], longer)
    with pytest.raises(PlaygroundError, match="12 values, but this network takes 9"):
        PROJECT.load(recipe, own)


def test_a_list_or_both_sides_are_an_input() -> None:
    recipe = PROJECT.recipe()
    moves = ["scissors", "rock", "paper", "scissors"]
    one = PROJECT.encode(moves, recipe)
    assert one.tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert torch.equal(one, PROJECT.encode({"moves": moves, "opponent_moves": moves}, recipe))
    both = recipe.with_(data={"see_opponent": True, "memory": 1})
    found = PROJECT.encode({"moves": ["rock"], "opponent_moves": ["paper"]}, both)
    assert found.tolist() == [1, 0, 0, 0, 1, 0]
    assert PROJECT.input_shape(both) == (6,)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("rock", "list of moves"),
        (None, "list of moves"),
        ({"moves": "rock"}, "list of moves"),
        ({"move": ["rock"]}, "list of moves"),
        (["rock"], "last 3 moves"),
        (["rock", "paper", "well"], "'well' is not a move"),
    ],
)
def test_what_is_no_input_is_refused(raw: object, said: str) -> None:
    with pytest.raises(PlaygroundError, match=said):
        PROJECT.encode(raw, PROJECT.recipe())


def test_both_sides_must_be_there_and_equally_long() -> None:
    recipe = PROJECT.recipe(data={"see_opponent": True})
    three = ["rock", "paper", "scissors"]
    with pytest.raises(PlaygroundError, match="opponent_moves"):
        PROJECT.encode(three, recipe)
    with pytest.raises(PlaygroundError, match="the same number of moves"):
        PROJECT.encode({"moves": three, "opponent_moves": three * 2}, recipe)


def test_the_facade_predicts() -> None:
    run = playground.train("rps", data={"see_opponent": True}, epochs=1, threads=1)
    answer = run.predict({"moves": ["rock"] * 3, "opponent_moves": ["paper"] * 3})
    assert answer.label in MOVES
    assert answer.probabilities is not None
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)


# --- The game -----------------------------------------------------------------------------


def moves(n: int, seed: int = 0) -> list[str]:
    return [MOVES[i] for i in np.random.default_rng(seed).integers(0, 3, n)]


@pytest.mark.parametrize("who", PLAYERS)
def test_the_move_is_fixed_before_the_players_arrives(who: str) -> None:
    match = Match(seed=1)
    match.follow(network(), 1)
    for move in moves(10):
        before = match.plans[who].sealed
        fingerprint = before.fingerprint
        match.play(move, who)
        last = match.played[-1]
        assert last.machine_move == before.move
        assert last.plan is not None
        assert last.plan.sealed.fingerprint == fingerprint
    text = f"{before.salt} {last.machine_move}".encode()
    assert hashlib.sha256(text).hexdigest() == fingerprint


def test_a_move_that_is_none_changes_nothing() -> None:
    match = Match()
    plans = match.plans
    with pytest.raises(PlaygroundError, match="not a move"):
        match.play("well", "trained")
    assert not match.played
    assert match.plans is plans


def test_score_and_accuracies_add_up() -> None:
    match = Match()
    match.follow(network(), 1)
    for move in moves(40):
        match.play(move, "trained")
    score = match.score()
    assert sum(score.wins) + score.ties == 40
    counted_on = [one.guesses["trained"] == one.player_move for one in match.played]
    # The machine wins exactly where it counted on the right move.
    assert sum(counted_on) == score.wins[1]
    assert match.accuracy()["trained"] == score.wins[1] / 40


def test_streaks() -> None:
    score = Score.of([1, 1, 1, 0, 1, 2, 2])
    assert score == Score(wins=(4, 2), streak=(0, 2), longest=(3, 2), ties=1)
    assert Score.of([]) == Score((0, 0), (0, 0), (0, 0), 0)


def test_a_game_saved_and_loaded_goes_on_as_it_would_have() -> None:
    followed = network(see_opponent=True)
    first, second = Match(seed=2), Match(seed=2)
    first.follow(followed, 1)
    second.follow(followed, 1)
    for move in moves(30):
        first.play(move, "learning")
    rounds, problems = rps.from_csv(rps.to_csv(first.rounds()))
    assert not problems
    second.replay(rounds)
    assert second.rounds() == first.rounds()
    for name, plan in first.plans.items():
        assert second.plans[name].chances == plan.chances
        assert second.plans[name].sealed.move == plan.sealed.move
    assert second.accuracy() == first.accuracy()


def test_of_a_long_file_the_last_rounds_are_played_through() -> None:
    names = ["rock"] * (LONGEST + 5)
    match = Match()
    match.predictors = {"frequency": match.predictors["frequency"]}
    match.replay(numbered(names, names))
    assert len(match.played) == LONGEST


def test_an_untrained_game_needs_no_network() -> None:
    match = Match()
    match.follow(None)
    match.play("rock", "network")
    assert match.plans["learning"].chances == pytest.approx(dict.fromkeys(MOVES, 1 / 3))


def test_the_learning_copy_learns_and_the_network_does_not() -> None:
    followed = network(memory=1)
    before = [weights.clone() for weights in followed.model.parameters()]
    match = Match()
    match.follow(followed, 1)
    for _round in range(20):  # rock, paper, scissors in turn
        for move in MOVES:
            match.play(move, "trained")
    assert match.learner.steps == Learner.STEPS * 59  # the first round has nothing before it
    assert match.learner.loss is not None
    assert match.learner.loss < 0.5
    assert match.plans["learning"].chances["rock"] > 0.7
    for old, new in zip(before, followed.model.parameters(), strict=True):
        assert torch.equal(old, new)


def test_the_copy_begins_again_only_where_the_weights_have_changed() -> None:
    followed = network()
    match = Match()
    match.follow(followed, 1)
    for move in moves(20):
        match.play(move, "trained")
    copied = match.learner.network
    match.follow(followed, 1)
    match.follow(followed, None)  # still training: keep the copy
    assert match.learner.network is copied
    match.follow(network(memory=2), 2)
    assert match.learner.network is not copied
    assert match.learner.steps == Learner.STEPS * 20


def test_a_network_without_finite_answers_expects_nothing() -> None:
    followed = network()
    for weights in followed.model.parameters():
        weights.data.fill_(float("nan"))
    match = Match()
    match.follow(followed, 1)
    for move in moves(6):
        match.play(move, "learning")
    assert match.plans["network"].chances == pytest.approx(dict.fromkeys(MOVES, 1 / 3))
    assert match.learner.steps == 0


@pytest.mark.parametrize("rounds", [1, 2, 7, 40, 500, 3000])
def test_luck_is_the_binomial_band(rounds: int) -> None:
    low, high = luck(rounds)
    assert low == binom.ppf(0.025, rounds, 1 / 3) / rounds
    assert high == binom.ppf(0.975, rounds, 1 / 3) / rounds

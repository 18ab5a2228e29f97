"""Predictors of a rock, paper, scissors player: the trained one and the simple ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from playground.errors import PlaygroundError
from playground.projects.rps.data import MOVES, Game, simulate
from playground.rps_opponent import Frequency, Markov, Opponent, Predictor, Random
from playground.rps_opponent.make_weights import BATCH, PEAK_RATE, featurise, rate, train
from playground.rps_opponent.network import WIDTH, Weigher
from playground.rps_opponent.opponent import WEIGHTS, trained
from playground.rps_opponent.tables import CELLS, FEATURES, TABLES, Past, Tables

KINDS: list[Callable[[int], Predictor]] = [
    lambda seed: Opponent(seed=seed),
    lambda seed: Frequency(seed=seed),
    lambda seed: Markov(1, seed=seed),
    lambda seed: Markov(2, seed=seed),
    lambda seed: Random(seed=seed),
]


def hits(predictor: Predictor, game: Game) -> float:
    """The share of the game's rounds in which the likeliest move was thrown."""
    right = 0
    for round_ in game.rounds():
        expected = predictor.expect()
        right += max(expected, key=expected.__getitem__) == round_.player_move
        predictor.see(round_.player_move, round_.opponent_move)
    return right / len(game)


# --- What all of them promise -------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_expects_chances_and_throws_what_beats_the_likeliest(
    kind: Callable[[int], Predictor],
) -> None:
    predictor = kind(0)
    for round_ in simulate(1, 30, seed=1)[0].rounds():
        expected = predictor.expect()
        assert list(expected) == list(MOVES)
        assert sum(expected.values()) == pytest.approx(1)
        assert min(expected.values()) > 0
        beaten = MOVES[MOVES.index(predictor.throw()) - 1]
        assert expected[beaten] == pytest.approx(max(expected.values()), abs=1e-5)
        predictor.see(round_.player_move, round_.opponent_move)
    assert predictor.rounds == 30


@pytest.mark.parametrize("kind", KINDS)
def test_a_throw_is_fixed_until_the_round_is_seen(kind: Callable[[int], Predictor]) -> None:
    predictor = kind(0)
    assert len({predictor.throw() for _ in range(20)}) == 1
    assert predictor.expect() == predictor.expect()


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_throws_and_seeds_differ_before_anything_is_known(
    kind: Callable[[int], Predictor],
) -> None:
    assert len({kind(seed).throw() for seed in range(20)}) == 3
    one, two = kind(5), kind(5)
    for round_ in simulate(1, 20, seed=2)[0].rounds():
        assert one.throw() == two.throw()
        for predictor in (one, two):
            predictor.see(round_.player_move, predictor.throw())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", ["lizard", "Rock", "", None, 0])
def test_a_move_that_is_none_is_refused_and_changes_nothing(
    kind: Callable[[int], Predictor], wrong: object
) -> None:
    predictor, same = kind(0), kind(0)
    for pair in ((wrong, "rock"), ("rock", wrong)):
        with pytest.raises(PlaygroundError, match=r"rock \| paper \| scissors"):
            predictor.see(*pair)  # type: ignore[arg-type]
    assert predictor.rounds == 0
    assert predictor.expect() == same.expect()


def test_markov_needs_an_order() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Markov(0)


# --- The simple ones ----------------------------------------------------------------------


def test_frequency_counts() -> None:
    predictor = Frequency()
    for move in ("rock", "rock", "paper"):
        predictor.see(move, "rock")
    assert predictor.expect() == pytest.approx({"rock": 3 / 6, "paper": 2 / 6, "scissors": 1 / 6})


def test_markov_counts_what_followed_the_last_rounds() -> None:
    predictor = Markov(1)
    for player, own in (("rock", "rock"), ("paper", "rock"), ("rock", "rock")):
        predictor.see(player, own)
    assert predictor.expect() == pytest.approx({"rock": 1 / 6, "paper": 4 / 6, "scissors": 1 / 6})


# --- The trained one ----------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["r", "rp", "rps", "spr", "rrps", "prsspr"])
def test_sees_through_a_simple_pattern(pattern: str) -> None:
    names = {name[0]: name for name in MOVES}
    opponent = Opponent(seed=0)
    right = []
    for i in range(80):
        move = names[pattern[i % len(pattern)]]
        expected = opponent.expect()
        right.append(max(expected, key=expected.__getitem__) == move)
        opponent.see(move, opponent.throw())
    assert np.mean(right[-30:]) > 0.9


def test_beats_a_habit_and_cannot_beat_chance() -> None:
    def won(noise: float) -> float:
        # The habit needs no opponent's move, so these players play against the opponent itself.
        shares = []
        for game in simulate(6, 120, noise, 3, habit="up", opponent="random", learners=0):
            opponent, wins = Opponent(seed=0), 0
            for move in game.player:
                own = opponent.throw()
                wins += (MOVES.index(own) - move) % 3 == 1
                opponent.see(MOVES[move], own)
            shares.append(wins / len(game))
        return float(np.mean(shares))

    assert won(0.1) > 0.75
    assert won(1.0) == pytest.approx(1 / 3, abs=0.06)


def test_expects_more_than_the_simple_ones_do_from_players_who_learn() -> None:
    games = simulate(8, 150, 0.05, 11, opponent="pattern", learners=1.0)
    trained_hits = np.mean([hits(Opponent(), game) for game in games])
    for other in (Markov(1), Markov(2), Frequency()):
        fresh = type(other)
        simple = [
            hits(fresh(other.order) if isinstance(other, Markov) else fresh(), g) for g in games
        ]
        assert trained_hits > np.mean(simple) + 0.02


def test_renaming_all_moves_renames_the_expectation() -> None:
    one, turned = Opponent(), Opponent()
    for round_ in simulate(1, 25, seed=4)[0].rounds():
        turn = {move: MOVES[(i + 1) % 3] for i, move in enumerate(MOVES)}
        one.see(round_.player_move, round_.opponent_move)
        turned.see(turn[round_.player_move], turn[round_.opponent_move])
    expected = {turn[move]: chance for move, chance in one.expect().items()}
    # Not exactly: before the first round both remember rounds that they only imagine.
    assert turned.expect() == pytest.approx(expected, abs=0.1)


def test_opponents_do_not_share_what_they_have_seen() -> None:
    before = {name: array.clone() for name, array in trained().state_dict().items()}
    one, other = Opponent(), Opponent()
    for _ in range(10):
        one.see("rock", "paper")
    assert other.expect() == Opponent().expect()
    assert all(torch.equal(before[name], array) for name, array in trained().state_dict().items())


def test_weights_are_small_plain_arrays_that_fit_the_network() -> None:
    assert WEIGHTS.stat().st_size < 300_000
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        shapes = {name: stored[name].shape for name in stored}
        assert all(np.isfinite(stored[name]).all() for name in stored)
    assert shapes == {name: tuple(t.shape) for name, t in Weigher().state_dict().items()}


# --- Tables and training ------------------------------------------------------------------


def test_every_situation_has_its_cell() -> None:
    rng = np.random.default_rng(0)
    past = Past(*rng.integers(0, 3, (2, 3, 2000)))
    for table in TABLES:
        cells = table.situation(past)
        assert cells.min() >= 0
        assert cells.max() < CELLS


def test_tables_guess_relative_to_the_players_last_move() -> None:
    tables = Tables(2)
    for t in range(30):  # one cycles upwards, one always throws scissors; the opponent copies
        own = np.array([t % 3, 2])
        tables.see(own, np.array([(t - 1) % 3, 2]))
    assert np.isfinite(tables.features()).all()
    assert tables.features().shape == (2, FEATURES)
    shift = next(
        k for k, t in enumerate(TABLES) if (t.who, t.origin, t.fade) == ("player", "own", 0.9)
    )
    assert tables.guess[0, shift].argmax() == 1
    assert tables.guess[1, shift].argmax() == 0
    # What beats the opponent's expected move: it will throw 29 % 3 (copied), place 1 beats it.
    seen = next(k for k, t in enumerate(TABLES) if (t.who, t.origin) == ("opponent", "own"))
    assert tables.guess[0, seen].argmax() == 1
    np.testing.assert_allclose(tables.guess.sum(axis=2), 1, rtol=1e-5)


def test_one_game_at_a_time_reads_the_same_as_many() -> None:
    games = simulate(3, 60, seed=6)
    many, _ = featurise(games)
    alone, _ = featurise(games[1:2])
    np.testing.assert_array_equal(many[1], alone[0])


def test_the_weights_can_be_made_again(capsys: pytest.CaptureFixture[str]) -> None:
    games = simulate(BATCH + 5, 30, seed=0)
    one, two = train(games, 2, seed=0), train(games, 2, seed=0)
    for name, array in one.state_dict().items():
        assert torch.equal(array, two.state_dict()[name])
    first, second = (float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()[:2])
    assert second < first


def test_the_rate_rises_and_falls_to_nothing() -> None:
    rates = [rate(i, 100) for i in range(100)]
    assert max(rates) == pytest.approx(PEAK_RATE)
    assert rates.index(max(rates)) == 14
    assert 0 < rates[-1] < 0.01 * PEAK_RATE


def test_the_network_goes_on_where_it_was() -> None:
    network = trained()
    features = torch.randn(1, 6, FEATURES, generator=torch.Generator().manual_seed(0))
    whole, _ = network(features)
    first, memory = network(features[:, :4])
    rest, memory = network(features[:, 4:], memory)
    torch.testing.assert_close(torch.cat([first, rest], dim=1), whole)
    assert memory.shape == (1, 1, WIDTH)

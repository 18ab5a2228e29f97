"""Simulated players, the windows the network sees, and games as files."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import PlaygroundError
from playground.projects.rps.data import (
    DATA_FIELDS,
    HABITS,
    MOVES,
    OPPONENTS,
    Game,
    Round,
    encode,
    from_csv,
    from_options,
    limits,
    number_of,
    simulate,
    to_csv,
    windows,
)

moves = st.sampled_from(MOVES)


def game(player: str, opponent: str | None = None, numbers: list[int] | None = None) -> Game:
    """A game from initials: "rps" is rock, paper, scissors."""
    names = {name[0]: name for name in MOVES}
    opponent = opponent or "r" * len(player)
    numbers = numbers or list(range(1, len(player) + 1))
    return Game.of(
        [Round(n, names[p], names[o]) for n, p, o in zip(numbers, player, opponent, strict=True)]
    )


# --- The simulation -----------------------------------------------------------------------


def test_same_seed_same_games_and_another_seed_others() -> None:
    one, two, other = simulate(5, 50, seed=3), simulate(5, 50, seed=3), simulate(5, 50, seed=4)
    for a, b in zip(one, two, strict=True):
        assert (a.player == b.player).all()
        assert (a.opponent == b.opponent).all()
    assert any((a.player != b.player).any() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("opponent", OPPONENTS)
def test_stated_chances_are_the_frequencies_of_the_moves(opponent: str) -> None:
    games = simulate(300, 100, noise=0.2, seed=1, opponent=opponent, change=0.02)
    chances = np.concatenate([g.chances for g in games if g.chances is not None])
    thrown = np.concatenate([g.player for g in games])
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert (chances >= 0.2 / 3).all()
    for move in range(3):
        for low in np.arange(0, 1, 0.2):
            said = (chances[:, move] >= low) & (chances[:, move] < low + 0.2)
            if said.sum() > 100:
                expected = chances[said, move].mean()
                error = (expected * (1 - expected) / said.sum()) ** 0.5
                assert (thrown[said] == move).mean() == pytest.approx(expected, abs=5 * error)


@pytest.mark.parametrize(
    ("habit", "rule"),
    [
        ("stay", lambda own, opp: own),
        ("up", lambda own, opp: (own + 1) % 3),
        ("down", lambda own, opp: (own + 2) % 3),
        ("copy", lambda own, opp: opp),
        ("beat_last", lambda own, opp: (opp + 1) % 3),
        ("lose_to_last", lambda own, opp: (opp + 2) % 3),
    ],
)
def test_a_habit_does_what_its_name_says(habit: str, rule) -> None:  # type: ignore[no-untyped-def]
    games = simulate(50, 100, noise=0, seed=2, habit=habit, learners=0)
    kept = [(g.player[1:] == rule(g.player[:-1], g.opponent[:-1])).mean() for g in games]
    # h = 0.02 + 0.94 for the move of the habit.
    assert np.mean(kept) == pytest.approx(0.96, abs=0.012)


def test_win_stay_stays_after_wins_and_anti_repeat_never_repeats() -> None:
    for g in simulate(20, 100, noise=0, seed=2, habit="win_stay", learners=0):
        won = (g.player - g.opponent)[:-1] % 3 == 1
        if won.sum() > 20:
            assert (g.player[1:] == g.player[:-1])[won].mean() > 0.8
    repeats = [
        (g.player[1:] == g.player[:-1]).mean()
        for g in simulate(20, 100, noise=0, seed=2, habit="anti_repeat", learners=0)
    ]
    assert np.mean(repeats) == pytest.approx(0.02, abs=0.02)


def test_all_noise_is_pure_chance() -> None:
    games = simulate(50, 100, noise=1.0, seed=0)
    assert limits(games)["player"] == pytest.approx(1 / 3)


def test_learners_win_more_against_patterns_than_others() -> None:
    def won(learners: float) -> float:
        games = simulate(200, 200, 0.05, 5, opponent="pattern", learners=learners)
        return float(np.mean([((g.player - g.opponent) % 3 == 1)[100:].mean() for g in games]))

    assert won(1.0) > won(0.0) + 0.1


@pytest.mark.parametrize("habit", HABITS)
def test_every_habit_gives_games_of_legal_moves(habit: str) -> None:
    for g in simulate(3, 30, seed=0, habit=habit, change=0.1):
        assert len(g) == 30
        assert set(g.player) | set(g.opponent) <= {0, 1, 2}


def test_the_default_options_make_games() -> None:
    options = {field.name: field.default for field in DATA_FIELDS} | {"players": 4, "rounds": 30}
    games = from_options(options, seed=7)
    assert [len(g) for g in games] == [30] * 4


# --- Windows and limits -------------------------------------------------------------------


def test_windows_hold_the_last_moves_oldest_first_and_the_next_as_target() -> None:
    examples = windows([game("rpsr")], memory=3)
    assert examples.inputs.dtype == torch.float32
    assert examples.targets.dtype == torch.int64
    assert examples.inputs.tolist() == [[1, 0, 0, 0, 1, 0, 0, 0, 1]]
    assert examples.targets.tolist() == [0]


def test_windows_with_the_opponent_put_its_moves_behind() -> None:
    examples = windows([game("rp", "sr")], memory=1, opponent=True)
    assert examples.inputs.tolist() == [[1, 0, 0, 0, 0, 1]]
    assert examples.targets.tolist() == [1]


def test_windows_never_reach_across_a_missing_round_or_another_game() -> None:
    gap = game("rpsrp", numbers=[1, 2, 4, 5, 6])
    assert len(windows([gap], memory=2)) == 1  # rounds 4, 5 -> 6
    assert len(windows([game("rps"), game("rps")], memory=2)) == 2
    assert windows([game("r")], memory=3).inputs.shape == (0, 9)
    assert windows([], memory=2, opponent=True).inputs.shape == (0, 12)


@given(st.lists(st.tuples(moves, moves), min_size=1, max_size=12), st.integers(1, 6), st.booleans())
@settings(max_examples=50, deadline=None)
def test_encode_is_what_windows_hold(pairs: list[tuple[str, str]], memory: int, both: bool) -> None:
    own, theirs = [p for p, _ in pairs], [o for _, o in pairs]
    examples = windows([Game.of([Round(i, p, o) for i, (p, o) in enumerate(pairs)])], memory, both)
    assert len(examples) == max(0, len(pairs) - memory)
    for i in range(len(examples)):
        said = encode(own[: memory + i], memory, theirs[: memory + i] if both else None)
        assert torch.equal(said, examples.inputs[i])
        assert MOVES[int(examples.targets[i])] == own[memory + i]


def test_encode_refuses_too_few_moves_and_what_is_no_move() -> None:
    with pytest.raises(PlaygroundError, match="last 3 moves, but only 2"):
        encode(["rock", "paper"])
    with pytest.raises(PlaygroundError, match="'lizard'"):
        encode(["rock", "paper", "lizard"])
    with pytest.raises(PlaygroundError):
        number_of(0)  # type: ignore[arg-type]


def test_limits_bound_the_best_table_and_grow_with_what_is_seen() -> None:
    games = simulate(200, 200, seed=0)
    three, both = limits(games, 3), limits(games, 3, opponent=True)
    assert 1 / 3 < three["window"] < both["window"] < both["player"]
    # A table of the likeliest move for each window cannot do better on fresh games of
    # the same players' kind than the limit, and comes close.
    examples = windows(games, 3)
    code = (examples.inputs.view(-1, 3, 3).argmax(2) @ torch.tensor([9, 3, 1])).numpy()
    counts = np.zeros((27, 3))
    np.add.at(counts, (code, examples.targets.numpy()), 1)
    found = counts.max(axis=1).sum() / len(examples)
    assert found == pytest.approx(three["window"], abs=0.01)


def test_limits_need_the_truth() -> None:
    with pytest.raises(ValueError, match="true chances"):
        limits([game("rpsrps")])


# --- CSV ----------------------------------------------------------------------------------


@given(st.lists(st.tuples(moves, moves), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_csv_round_trip(pairs: list[tuple[str, str]]) -> None:
    rounds = [Round(i, p, o) for i, (p, o) in enumerate(pairs, start=1)]
    assert from_csv(to_csv(rounds)) == (rounds, [])
    assert Game.of(rounds).rounds() == rounds


def test_csv_reads_polish_words_and_headings() -> None:
    text = "runda;ruch gracza;ruch przeciwnika\n1;Kamień;papier\n2;nożyce;NOŻYCZKI\n"
    rounds, problems = from_csv(text.encode("cp1250"))
    assert not problems
    assert rounds == [Round(1, "rock", "paper"), Round(2, "scissors", "scissors")]


def test_csv_reports_all_problems_at_once_and_uses_the_rest() -> None:
    text = (
        "round,player_move,opponent_move\n"
        "1,rock,well\n"
        "x,paper,paper\n"
        "3,rock,paper\n"
        "3,paper,paper\n"
        "2,=1+1,rock\n"
    )
    rounds, problems = from_csv(text)
    assert rounds == [Round(3, "rock", "paper")]
    assert [(p.column, p.value) for p in problems] == [
        ("opponent_move", "well"),
        ("round", "x"),
        ("player_move", "=1+1"),
        ("round", "3"),
    ]
    assert "well" in str(problems[0])
    assert [p.row for p in problems[:3]] == [2, 3, 6]


def test_a_file_that_is_no_table_of_rounds_is_refused() -> None:
    with pytest.raises(PlaygroundError):
        from_csv("size,price\n1,2\n")

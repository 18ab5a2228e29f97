"""The class board: nicknames, the secret, what a run brings, and the order."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from playground.board import gate as gate_module
from playground.board import nicknames, ranking
from playground.board.gate import FREE, LONGEST_WAIT, SECRET, Gate, GateError
from playground.board.nicknames import LONGEST
from playground.errors import PlaygroundError
from playground.history import EpochRow, History
from playground.projects import PROJECTS
from playground.recipe import Recipe
from playground.runtime.run import Snapshot
from playground.storage.records import BoardEntry, Member, Score

# --- Nicknames ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Ala", "Ala"),
        ("  Żółw   Łukasz ", "Żółw Łukasz"),
        ("ﬁlip", "filip"),
        ("Z\u0307o\u0301\u0142w", "Żółw"),
        ("A\u00a0B", "A B"),
        ("x" * LONGEST, "x" * LONGEST),
        ("<b>Ala</b>", "<b>Ala</b>"),  # text, and shown as such
        ("李小龙", "李小龙"),
        ("R2-D2 🤖", "R2-D2 🤖"),
    ],
)
def test_a_nickname_is_taken_as_text_on_one_line(typed: str, shown: str) -> None:
    assert nicknames.nickname(typed) == unicodedata.normalize("NFKC", shown)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "2 to 24"),
        ("   ", "2 to 24"),
        ("A", "2 to 24"),
        ("x" * (LONGEST + 1), "2 to 24"),
        ("\ufdfa\ufdfa", "2 to 24"),  # one sign that stands for eighteen
        ("A\nB", "invisible"),
        ("A\0B", "invisible"),
        ("A\u202eB", "invisible"),  # turns the writing round
        ("A\u2066B\u2069", "invisible"),
        ("A\u200bla", "invisible"),  # no width
        ("A\u00adla", "invisible"),
        ("\u3164\u3164", "invisible"),  # a letter without a shape
        ("\u2800\u2800", "invisible"),
        ("Ala\ufe0f", "invisible"),
        ("Ala\U000e0041", "invisible"),
        ("Al\ud800", "invisible"),
        ("--", "a letter or a digit"),
        ("🙂🙂", "a letter or a digit"),
        ("Za" + "\u0335" * 3, "accents on one letter"),
    ],
)
def test_a_nickname_that_nobody_could_read_is_refused(typed: str, why: str) -> None:
    with pytest.raises(PlaygroundError, match=why):
        nicknames.nickname(typed)


@given(some.text(max_size=30))
@example("ﬃ" * 24)
@example("İstanbul")
@example("ΐΐ")
def test_any_text_is_a_clean_nickname_or_refused(typed: str) -> None:
    try:
        name = nicknames.nickname(typed)
    except PlaygroundError:
        return
    assert 2 <= len(name) <= LONGEST
    assert name == name.strip()
    assert name.isprintable()
    assert nicknames.nickname(name) == name
    assert len(nicknames.folded(name)) <= 256
    assert len(name) <= 64


@given(some.text("aąbcćdeęfghilłmnńoóprsśtuwyzźżABCxyz019 -éßžΣσčж", min_size=2, max_size=24))
def test_case_makes_no_other_nickname(typed: str) -> None:
    try:
        name = nicknames.nickname(typed)
    except PlaygroundError:
        return
    assert (
        nicknames.folded(name.upper()) == nicknames.folded(name.lower()) == nicknames.folded(name)
    )


@pytest.mark.parametrize(
    ("one", "other"), [("Ala", "aLA"), ("ŻÓŁW", "żółw"), ("Straße", "STRASSE"), ("ﬁlip", "FILIP")]
)
def test_nicknames_that_count_as_one(one: str, other: str) -> None:
    assert nicknames.folded(nicknames.nickname(one)) == nicknames.folded(nicknames.nickname(other))


# --- The secret -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "found"),
    [
        ([{}, {}], None),
        ([{SECRET: "  "}, {}], None),
        ([{SECRET: " tea "}, {SECRET: "other"}], "tea"),
        ([{}, {SECRET: "other"}], "other"),
        ([{}, {SECRET: 1234}], "1234"),
        ([{}, {SECRET: True}], None),
        ([{}, {SECRET: {"a": "b"}}], None),
    ],
)
def test_where_the_secret_stands(places: Sequence[dict[str, Any]], found: str | None) -> None:
    assert gate_module.secret(*places) == found


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_guessing_takes_longer_and_longer() -> None:
    clock = Clock()
    gate = Gate(clock)
    for _guess in range(FREE):
        assert not gate.admits("x", "tea")
    waits = []
    for _guess in range(12):
        with pytest.raises(GateError):
            gate.admits("tea", "tea")  # not even the right one
        begun = clock.now
        while True:
            clock.now += 0.5
            try:
                assert not gate.admits("x", "tea")
            except GateError:
                continue
            break
        waits.append(clock.now - begun)
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == LONGEST_WAIT
    clock.now += LONGEST_WAIT
    assert gate.admits(" tea ", "tea")
    assert not gate.admits("x", "tea"), "and from the beginning again"
    assert gate.admits("tea", "tea")


@given(some.text(), some.text(min_size=1))
def test_only_the_secret_opens(given_: str, secret: str) -> None:
    assert Gate(Clock()).admits(given_, secret) == (given_.strip() == secret)


# --- What a run brings ----------------------------------------------------------------------


def snapshot(recipe: Recipe, *values: float, state: Any = "finished", **more: Any) -> Snapshot:
    name = PROJECTS[recipe.project].metric.name
    rows = [
        EpochRow(n, 10 * n, {"loss": 0.1, name: 9.0}, {"loss": 1 - value, name: value}, n, n)
        for n, value in enumerate(values, start=1)
    ]
    history = History(losses=[0.5] * 10 * len(values), epochs=rows, training=2.5)
    history.data = {"train": 70, "validation": 15, "test": 15}
    history.ended = more.pop("ended", state)
    return Snapshot(state, recipe, history, history.steps, **more)


def test_a_finished_run_brings_its_validation_figure() -> None:
    recipe = PROJECTS["digits"].recipe()
    found = ranking.entry_of(snapshot(recipe, 0.5, 0.9, 0.8), 123, 7.0)
    assert found == BoardEntry("digits", 0.8, None, 15, 123, 2.5, 30, 7.0)


def test_with_early_stopping_it_is_that_of_the_epoch_that_remained() -> None:
    recipe = PROJECTS["digits"].recipe(patience=2)
    found = ranking.entry_of(snapshot(recipe, 0.5, 0.9, 0.8, ended="patience"), 1, 0.0)
    assert found is not None
    assert found.value == 0.9


@pytest.mark.parametrize("state", ["ready", "waiting", "running", "paused", "diverged", "failed"])
def test_other_runs_bring_nothing(state: str) -> None:
    assert ranking.entry_of(snapshot(PROJECTS["digits"].recipe(), 0.5, state=state), 1, 0.0) is None


def test_a_network_from_a_file_and_a_run_without_an_epoch_bring_nothing() -> None:
    recipe = PROJECTS["digits"].recipe()
    assert ranking.entry_of(snapshot(recipe, 0.5, ended="loaded"), 1, 0.0) is None
    assert ranking.entry_of(snapshot(recipe, state="stopped"), 1, 0.0) is None
    assert ranking.entry_of(snapshot(recipe, math.nan), 1, 0.0) is None


@pytest.mark.parametrize(
    ("name", "data", "other"),
    [
        ("coffee", {}, {}),
        ("coffee", {"noise": 0.0}, {"noise": 0.0}),
        ("coffee", {"examples": 200}, {"examples": 200}),
        ("coffee", {"examples": 20_000}, {}),  # a larger validation set of the same kind
        ("coffee", {"rows": "own"}, {"rows": "own"}),
        ("coffee", {"rows": "generated"}, {}),
        ("digits", {"examples": 100, "european": False, "strokes": 100}, {}),  # training alone
        ("shapes", {"wobble": 0.0}, {"wobble": 0.0}),
        ("shapes", {"own_copies": 100}, {}),
        ("rps", {"memory": 6, "see_opponent": True, "players": 500}, {}),
        ("rps", {"noise": 0.0, "players": 5}, {"noise": 0.0, "players": 5}),
    ],
)
def test_which_data_make_another_task(
    name: str, data: dict[str, Any], other: dict[str, Any]
) -> None:
    recipe = PROJECTS[name].recipe(data=data)
    assert ranking.other_task(recipe) == other
    found = ranking.entry_of(snapshot(recipe, 0.5), 1, 0.0)
    assert found is not None
    assert json.loads(found.other or "{}") == other


def test_the_best_of_many_runs_with_its_limit() -> None:
    coffee, digits = PROJECTS["coffee"], PROJECTS["digits"]
    runs = [
        (snapshot(coffee.recipe(), 0.9), 10),
        (snapshot(coffee.recipe(seed=1), 0.5), 20),
        (snapshot(coffee.recipe(data={"noise": 0.0}), 0.1), 5),  # another task
        (snapshot(digits.recipe(), 0.9), 30),
        (snapshot(digits.recipe(), 0.8), 30),
        (snapshot(digits.recipe(), 0.99, state="failed"), 30),
    ]
    first, second = ranking.best(runs, {})
    assert (first.project, first.value, first.parameters) == ("coffee", 0.5, 20)
    assert first.best == pytest.approx(coffee.best(coffee.recipe(), "validation")["mae"])
    assert ranking.to_limit(first) == pytest.approx(0.5 - 0.3989, abs=1e-3)
    assert (second.project, second.value, second.best) == ("digits", 0.9, None)
    assert ranking.to_limit(second) is None
    # What stands there already is beaten, or nothing comes.
    assert ranking.best(runs, {"coffee": first, "digits": second}) == []
    better = replace(second, value=0.95)
    assert ranking.best(runs, {"coffee": first, "digits": better}) == []
    worse = replace(second, value=0.85)
    assert [one.value for one in ranking.best(runs, {"coffee": first, "digits": worse})] == [0.9]


# --- The order ------------------------------------------------------------------------------


def figure(project: str = "digits", **changes: Any) -> BoardEntry:
    return replace(BoardEntry(project, 0.9, None, 500, 100, 10.0, 50, 1.0), **changes)


def member(name: str, *figures: BoardEntry, score: Score | None = None) -> Member:
    by_project = {one.project: one for one in figures}
    return Member(f"h-{name}", name, 1.0, score or Score(), by_project)


def test_places_by_metric_then_parameters_then_training_time() -> None:
    members = [
        member("slow", figure(seconds=20.0)),
        member("best", figure(value=0.95, parameters=9_000)),
        member("large", figure(parameters=200)),
        member("fast", figure()),
        member("late", figure(at=2.0)),  # as good as "fast": one place
        member("easy", figure(value=1.0, other='{"noise": 0}')),
        member("none"),
    ]
    found = [(place, one.nickname) for place, one, _figure in ranking.leaders(members, "digits")]
    assert found == [
        (1, "best"),
        (2, "fast"),
        (2, "late"),
        (4, "slow"),
        (5, "large"),
        (None, "easy"),
    ]


def test_of_an_error_less_is_better() -> None:
    members = [
        member("far", figure("coffee", value=0.9)),
        member("near", figure("coffee", value=0.4)),
    ]
    assert [one.nickname for _place, one, _figure in ranking.leaders(members, "coffee")] == [
        "near",
        "far",
    ]
    assert ranking.leaders(members, "digits") == []


def test_distance_to_the_limit_is_less_when_better() -> None:
    assert ranking.to_limit(figure(value=0.9, best=0.95)) == pytest.approx(0.05)
    assert ranking.to_limit(figure(value=0.96, best=0.95)) == pytest.approx(-0.01)
    assert ranking.to_limit(figure("coffee", value=0.5, best=0.4)) == pytest.approx(0.1)


numbers = some.floats(0, 1)


@given(some.lists(some.tuples(numbers, some.integers(0, 9), numbers, some.booleans())))
def test_places_never_fall_and_nobody_is_lost(rows: list[tuple[float, int, float, bool]]) -> None:
    members = [
        member(
            str(n),
            figure(value=value, parameters=size, seconds=seconds, other="{}" if other else ""),
        )
        for n, (value, size, seconds, other) in enumerate(rows)
    ]
    found = ranking.leaders(members, "digits")
    assert sorted(one.nickname or "" for _place, one, _figure in found) == sorted(
        map(str, range(len(rows)))
    )
    places = [place for place, _one, _figure in found if place is not None]
    assert places == sorted(places)
    assert [place is None for place, _one, _figure in found] == sorted(row[3] for row in rows)


def test_players_by_their_lead() -> None:
    members = [
        member("one lucky round", score=Score(1, 0, 0)),
        member("many", score=Score(40, 30, 20)),
        member("same", score=Score(40, 30, 20)),
        member("behind", score=Score(10, 30, 5)),
        member("watches"),
    ]
    assert [(place, one.nickname) for place, one in ranking.players(members)] == [
        (1, "many"),
        (1, "same"),
        (3, "one lucky round"),
        (4, "behind"),
    ]
    assert members[1].score.rounds == 90

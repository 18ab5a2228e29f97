from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.history import Change, EpochRow, History, HistoryError
from playground.optimizers import Settings
from playground.training import Epoch, Step

SETTINGS = Settings(0.1, 0.0)


def test_it_collects_what_the_loop_yields() -> None:
    history = History(data={"source": "small", "train": 4000})
    history.add(Step(1, 2.0, SETTINGS, {"accuracy": 0.25}), 1.0, 0.5)
    history.add(Step(2, 1.0, SETTINGS, {"accuracy": 0.75}), 2.0, 1.0)
    history.add(Epoch(1, 2, {"loss": 1.5}, {"loss": 1.25}), 3.0, 1.5)
    assert history.steps == 2
    assert history.losses == [2.0, 1.0]
    assert history.figures == {"accuracy": [0.25, 0.75]}
    assert history.epochs == [EpochRow(1, 2, {"loss": 1.5}, {"loss": 1.25}, 3.0, 1.5)]
    assert history.series("train", "loss") == [1.5]
    assert history.series("validation", "loss") == [1.25]
    assert (history.wall, history.training, history.ended) == (3.0, 1.5, None)


def test_each_change_of_a_control_is_kept_with_its_step_and_time() -> None:
    history = History()
    history.add(Step(1, 1.0, SETTINGS), 1, 1)
    history.add(Step(2, 1.0, Settings(0.2, 0.0)), 2, 1.5)
    history.add(Step(3, 1.0, Settings(0.2, 0.0)), 3, 2)
    history.add(Step(4, 1.0, Settings(0.3, 0.01)), 4, 2.5)
    assert history.changes == [
        Change(2, "learning_rate", 0.2, 2, 1.5),
        Change(4, "learning_rate", 0.3, 4, 2.5),
        Change(4, "weight_decay", 0.01, 4, 2.5),
    ]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_it_and_stays_out_of_the_curve(loss: float) -> None:
    history = History()
    history.add(Step(1, 1.0, SETTINGS))
    history.add(Step(2, loss, SETTINGS))
    assert history.losses == [1.0]
    assert history.ended == "diverged"
    assert json.loads(history.to_json())["ended"] == "diverged"


def test_a_copy_no_longer_grows() -> None:
    history = History(data={"source": "x"})
    history.add(Step(1, 1.0, SETTINGS, {"accuracy": 1.0}))
    copy = history.copy()
    before = copy.to_json()
    history.data["source"] = "y"
    history.add(Step(2, 1.0, Settings(0.5, 0.0), {"accuracy": 1.0}))
    history.add(Epoch(1, 2, {}, {}))
    assert copy.to_json() == before
    assert history.to_json() != before


finite = st.floats(allow_nan=False, allow_infinity=False)
named = st.dictionaries(st.text(max_size=5), finite, max_size=3)
rows = st.builds(EpochRow, st.integers(), st.integers(), named, named, finite, finite)
changes = st.builds(Change, st.integers(), st.text(max_size=5), finite, finite, finite)
histories: st.SearchStrategy[Any] = st.builds(
    History,
    data=st.dictionaries(st.text(max_size=5), st.text() | st.integers(), max_size=3),
    losses=st.lists(finite, max_size=5),
    figures=st.dictionaries(st.text(max_size=5), st.lists(finite, max_size=3), max_size=2),
    epochs=st.lists(rows, max_size=3),
    changes=st.lists(changes, max_size=3),
    wall=finite,
    training=finite,
    ended=st.sampled_from([None, "finished", "stopped", "diverged", "failed"]),
    reason=st.text(max_size=9),
)


@given(histories)
def test_json_brings_back_an_equal_history(history: History) -> None:
    assert History.from_json(history.to_json()) == history


def test_what_an_earlier_version_did_not_write_has_its_default() -> None:
    assert History.from_json('{"losses": [1, 2.5]}') == History(losses=[1.0, 2.5])
    assert History.from_json("{}") == History()


@pytest.mark.parametrize(
    "text",
    [
        '{"grid": []}',
        '{"losses": [true]}',
        '{"losses": ["1"]}',
        '{"losses": [NaN]}',
        '{"losses": [1e999]}',
        '{"losses": 3}',
        '{"wall": null}',
        '{"ended": "won"}',
        '{"data": {"train": 1.5}}',
        '{"epochs": [{"epoch": 1}]}',
        '{"changes": [[1, "learning_rate", 0.1, 1.0, 1.0]]}',
        '{"_settings": null}',
        "[]",
        "{",
        "[" * 100_000,
        '{"reason": "\ud800"}',
    ],
)
def test_what_is_no_history_is_said(text: str) -> None:
    with pytest.raises(HistoryError, match="not a run history"):
        History.from_json(text)

"""Data sets in small steps: shared while they are made, and kept for the next."""

from __future__ import annotations

import gc

import pytest

from playground.data.steps import Shared, Steps, finish


def counted(made: list[int]) -> Shared[[int], str]:
    def make(count: int) -> Steps[str]:
        made.append(count)
        for done in range(count):
            yield done, count
        if count == 13:
            raise ValueError(count)
        return "x" * count

    return Shared(make, most=2)


def test_two_who_ask_for_the_same_share_its_steps() -> None:
    made: list[int] = []
    shared = counted(made)
    first, second = shared(4), shared(4)
    assert [next(first), next(second), next(first)] == [(0, 4), (1, 4), (2, 4)]
    assert finish(second) == "xxxx"
    assert finish(first) is finish(shared(4))
    assert made == [4]


def test_the_last_results_are_kept() -> None:
    made: list[int] = []
    shared = counted(made)
    for count in (1, 2, 1, 3, 1, 2):
        finish(shared(count))
    assert made == [1, 2, 3, 2]


def test_what_nobody_goes_on_with_is_forgotten() -> None:
    made: list[int] = []
    shared = counted(made)
    steps = shared(5)
    next(steps)
    del steps
    gc.collect()
    assert next(shared(5)) == (0, 5)
    assert made == [5, 5]


def test_who_waits_hears_what_went_wrong_and_the_next_tries_again() -> None:
    made: list[int] = []
    shared = counted(made)
    first, second = shared(13), shared(13)
    next(second)
    for steps in (first, second):
        with pytest.raises(ValueError, match="13"):
            finish(steps)
    del first, second, steps
    gc.collect()
    with pytest.raises(ValueError, match="13"):
        finish(shared(13))
    assert made == [13, 13]

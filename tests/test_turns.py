"""Who waits for whom, made certain by events: no test here waits for a clock, or sleeps."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from playground.runtime.page_queue import PageQueue, RateLimit

LONG = 30.0  # seconds: only a broken test waits as long


class Crowd:
    """Threads that each take a turn and keep it until told."""

    def __init__(self, turns: PageQueue) -> None:
        self.turns = turns
        self.order: list[int] = []
        self.threads: list[threading.Thread] = []
        self.entered: list[threading.Event] = []
        self.leave: list[threading.Event] = []

    def come(self) -> int:
        """One more thread, which has its place or stands in the queue when this returns."""
        number, before = len(self.threads), self.turns.waiting
        self.entered.append(threading.Event())
        self.leave.append(threading.Event())
        self.threads.append(threading.Thread(target=self._page, args=(number,)))
        self.threads[number].start()
        while not self.entered[number].is_set() and self.turns.waiting == before:
            self.entered[number].wait(0.001)
        return number

    def _page(self, number: int) -> None:
        with self.turns.slot():
            self.order.append(number)
            self.entered[number].set()
            assert self.leave[number].wait(LONG)

    def go(self, number: int) -> None:
        self.leave[number].set()
        self.threads[number].join(LONG)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    crowd = Crowd(PageQueue(at_once=2, slow=LONG))
    yield crowd
    for number in range(len(crowd.threads)):
        crowd.go(number)


def test_two_compute_and_the_third_waits(crowd: Crowd) -> None:
    for _ in range(3):
        crowd.come()
    assert crowd.order == [0, 1]
    assert crowd.turns.waiting == 1
    crowd.go(1)
    assert crowd.entered[2].wait(LONG)


def test_who_waits_longest_comes_next(crowd: Crowd) -> None:
    for _ in range(6):
        crowd.come()
    for number in range(4):
        crowd.go(number)
        assert crowd.entered[number + 2].wait(LONG)
    assert crowd.order == [0, 1, 2, 3, 4, 5]


def test_a_block_within_a_block_has_its_place() -> None:
    turns = PageQueue(at_once=1, slow=LONG)
    with turns.slot(), turns.slot():
        assert turns.waiting == 0
    with turns.slot():  # it was given back once, not twice
        crowd = Crowd(turns)
        crowd.come()
        assert crowd.order == []
    crowd.go(0)
    assert crowd.order == [0]


def test_who_waits_for_something_else_lets_others_go_on() -> None:
    turns = PageQueue(at_once=1, slow=LONG)
    crowd = Crowd(turns)
    with turns.slot():
        crowd.come()
        with turns.released():
            assert crowd.entered[0].wait(LONG)
            crowd.leave[0].set()
        assert turns.waiting == 0
        crowd.come()
        assert crowd.order == [0]  # the place is this thread's again
    crowd.go(1)
    assert crowd.order == [0, 1]


def test_aside_without_a_place_is_nothing() -> None:
    turns = PageQueue(at_once=1, slow=LONG)
    with turns.released(), turns.slot():
        assert turns.waiting == 0


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_a_page_that_breaks_off_gives_its_place_back(error: type[BaseException]) -> None:
    turns = PageQueue(at_once=1, slow=LONG)
    with pytest.raises(error), turns.slot():
        raise error
    crowd = Crowd(turns)
    crowd.come()
    assert crowd.order == [0]
    crowd.go(0)


def test_nobody_waits_for_one_that_is_slow() -> None:
    turns = PageQueue(at_once=1, slow=0.01)
    crowd = Crowd(turns)
    crowd.come()
    with turns.slot():  # though the other goes on
        assert crowd.order == [0]
        assert crowd.threads[0].is_alive()
    crowd.go(0)
    crowd.come()  # and the count is right afterwards
    assert crowd.order == [0, 1]
    crowd.go(1)


def test_sparing_says_yes_once_in_a_while() -> None:
    seldom = RateLimit(every=LONG)
    assert [seldom.allow() for _ in range(3)] == [True, False, False]
    often = RateLimit(every=0.0)
    assert all(often.allow() for _ in range(3))

"""Whose turn it is, decided without threads, clocks or networks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.runtime.fair_queue import MAX_LOADING, ROUND, FairQueue
from playground.runtime.run import CpuAccount

TURN = 0.05  # seconds


@dataclass(eq=False)
class Job:
    """A job that says of itself what a test wants."""

    name: str = ""
    share: CpuAccount = field(default_factory=CpuAccount)
    background: bool = False
    threads: int = 1
    wants: bool = True
    loaded: bool = True
    loading: bool = False


def turns(queue: FairQueue[Job], count: int, seconds: float = TURN) -> list[str]:
    """The names of those whose turns the next ``count`` are, for a single worker."""
    names = []
    held: Job | None = None
    for _turn in range(count):
        held = held or queue.take()
        if held is None:
            break
        names.append(held.name)
        if not queue.keeps(held, seconds):
            queue.give_back(held)
            held = None
    if held is not None:
        queue.give_back(held)
    return names


def filled(*jobs: Job, workers: int = 1) -> FairQueue[Job]:
    queue: FairQueue[Job] = FairQueue(workers)
    for job in jobs:
        queue.level(job)
        assert queue.add(job)
    return queue


# --- Turns ----------------------------------------------------------------------------------


def test_who_came_first_is_served_first_and_all_in_turn() -> None:
    queue = filled(*map(Job, "abc"))
    assert "".join(turns(queue, 9)) == "abcabcabc"


def test_a_job_is_in_the_queue_once() -> None:
    job = Job()
    queue = filled(job)
    assert not queue.add(job)
    assert queue.take() is job
    assert job in queue
    assert not queue.add(job), "a worker has it"
    assert queue.take() is None
    assert queue.give_back(job)
    assert list(queue) == [job]
    queue.remove(job)
    assert job not in queue


def test_one_that_is_alone_stays_with_its_worker() -> None:
    job = Job()
    queue = filled(job)
    assert queue.take() is job
    assert queue.keeps(job, TURN)
    queue.add(Job())
    assert not queue.keeps(job, TURN)


def test_one_that_wants_no_more_is_let_go() -> None:
    job = Job()
    queue = filled(job)
    assert queue.take() is job
    job.wants = False
    assert not queue.keeps(job, TURN)
    assert not queue.give_back(job)
    assert job not in queue


# --- Students -------------------------------------------------------------------------------


def test_a_hundred_students_get_the_same_whatever_they_train() -> None:
    """Some let six train at once, and some have a network whose step takes ten turns' time."""
    jobs = []
    for n in range(100):
        share = CpuAccount()
        jobs += [Job(f"{n}", share) for _run in range(6 if n % 10 == 0 else 1)]
    queue = filled(*jobs)
    used: Counter[str] = Counter()
    for _turn in range(20_000):
        job = queue.take()
        assert job is not None
        seconds = 10 * TURN if int(job.name) % 7 == 0 else TURN
        used[job.name] += round(seconds * 1000)
        queue.keeps(job, seconds)
        queue.give_back(job)
    assert len(used) == 100
    assert max(used.values()) - min(used.values()) <= 1000 * (ROUND + 10 * TURN)


def test_helper_threads_count_as_work() -> None:
    queue = filled(Job("two", threads=2), Job("one"))
    count = Counter(turns(queue, 300))
    assert count["one"] == pytest.approx(2 * count["two"], abs=4)


def test_who_comes_late_has_saved_up_nothing() -> None:
    early, late = Job("e"), Job("l")
    queue = filled(early)
    turns(queue, 100)
    queue.level(late)
    queue.add(late)
    assert late.share.seconds == early.share.seconds
    assert Counter(turns(queue, 100))["l"] == pytest.approx(50, abs=2)


def test_a_second_run_of_who_trains_already_begins_where_the_first_is() -> None:
    share = CpuAccount()
    others = Job("o")
    queue = filled(Job("a", share), others)
    turns(queue, 100)
    others.share.seconds += 100
    used = share.seconds
    queue.level(Job("b", share))
    assert share.seconds == used


# --- The background -------------------------------------------------------------------------


def test_the_background_waits_for_all_others() -> None:
    front = Job("f")
    queue = filled(Job("1", background=True), Job("2", background=True), front)
    assert turns(queue, 5) == ["f"] * 5
    front.wants = False
    queue.remove(front)
    assert "".join(turns(queue, 4)) == "1212"


def test_what_the_background_has_costs_its_student_nothing() -> None:
    job = Job(background=True)
    queue = filled(job)
    turns(queue, 10)
    assert job.share.seconds == 0


def test_the_background_takes_a_core_that_is_free_and_leaves_it() -> None:
    front, behind = Job("f"), Job("b", background=True)
    queue = filled(front, behind, workers=2)
    assert queue.take() is front
    assert queue.core_free
    assert queue.take(first=False) is behind
    assert queue.keeps(behind, TURN)
    second = Job("s")
    queue.add(second)
    assert not queue.keeps(behind, TURN), "somebody in front waits"
    queue.give_back(behind)
    assert queue.take(first=False) is second
    assert queue.take() is None


def test_one_with_all_cores_leaves_none_to_the_background() -> None:
    front = Job("f", threads=2)
    queue = filled(front, Job("b", background=True), workers=2)
    assert queue.take() is front
    assert not queue.core_free
    assert queue.take(first=False) is None
    assert queue.keeps(front, TURN), "the background is not waited for"


# --- Workers --------------------------------------------------------------------------------


def test_helper_threads_are_for_the_first_worker_alone() -> None:
    many, one = Job("m", threads=2), Job("o")
    queue = filled(many, one, workers=2)
    assert queue.take(first=False) is one
    assert queue.take(first=False) is None
    assert queue.take(first=True) is many


def test_one_worker_of_several_loads_nothing() -> None:
    slow = [Job(f"{n}", loaded=False) for n in range(3)]
    ready = Job("r")
    queue = filled(*slow, ready, workers=3)
    assert [queue.take() for _worker in range(3)] == [slow[0], slow[1], ready]


def test_a_single_worker_loads_too() -> None:
    slow = Job(loaded=False)
    assert filled(slow).take() is slow


def test_only_so_many_data_sets_are_begun_before_one_is_done() -> None:
    begun = [Job(f"{n}", loaded=False, loading=True) for n in range(MAX_LOADING)]
    late = Job("late", loaded=False)
    queue = filled(late, *begun)
    assert queue.take() is begun[0]
    queue.give_back(begun[0])
    begun[1].loading, begun[1].loaded = False, True
    assert queue.take() is late


def test_data_of_the_background_do_not_hold_up_those_in_front() -> None:
    behind = [Job(background=True, loaded=False, loading=True) for _n in range(MAX_LOADING)]
    front = Job("f", loaded=False)
    assert filled(*behind, front).take() is front


# --- Whatever comes -------------------------------------------------------------------------

jobs = st.builds(
    Job,
    background=st.booleans(),
    threads=st.integers(1, 3),
    loaded=st.booleans(),
    loading=st.booleans(),
)


@given(st.lists(jobs, max_size=8), st.integers(1, 3), st.data())
def test_nobody_is_lost_and_nobody_is_held_twice(
    all_jobs: list[Job], workers: int, data: st.DataObject
) -> None:
    queue = filled(*all_jobs, workers=workers)
    held: list[Job] = []
    for _step in range(30):
        if held and data.draw(st.booleans()):
            job = held.pop(data.draw(st.integers(0, len(held) - 1)))
            if queue.keeps(job, TURN):
                held.append(job)
            else:
                assert queue.give_back(job)
        elif (taken := queue.take(first=not held)) is not None:
            assert taken not in held
            held.append(taken)
        assert sorted(map(id, queue)) == sorted(map(id, all_jobs))
        assert queue.held == set(held)

"""How many threads torch uses: each thread's own count, and nobody else's business."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
import torch

from playground.runtime import torch_threads

T = TypeVar("T")


def in_a_thread(work: Callable[[], T]) -> T:
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def gradient() -> torch.Tensor:
    """The weight gradient of a last layer: MKL sums it in another order with two threads."""
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn(64, 96, generator=draw)
    errors = torch.randn(64, 10, generator=draw)
    return errors.t() @ inputs


def test_a_count_holds_for_the_thread_that_asked_and_later_ones_start_with_one() -> None:
    def two() -> int:
        torch_threads.use(2)
        assert in_a_thread(torch.get_num_threads) == 1
        return torch.get_num_threads()

    assert in_a_thread(two) == 2
    assert torch.get_num_threads() == 1  # the tests' own, from conftest


def test_another_threads_count_does_not_change_a_digit() -> None:
    def alone() -> torch.Tensor:
        torch_threads.use(2)
        return gradient()

    def disturbed() -> torch.Tensor:
        torch_threads.use(2)
        in_a_thread(lambda: torch_threads.use(1))
        in_a_thread(lambda: torch.set_num_threads(1))
        return gradient()

    assert torch.equal(in_a_thread(alone), in_a_thread(disturbed))


SCRIPT = """
import threading, time
from playground.runtime import torch_threads

def script(seconds):
    time.sleep(seconds)
    print("done", flush=True)

def page():
    torch_threads.end_after_scripts()
    torch_threads.end_after_scripts()
    print([one.name for one in threading.enumerate()].count("last"), flush=True)

one = threading.Thread(target=page, daemon=True)
one.start()
one.join()
for name, seconds in (("ScriptRunner.scriptThread", 0.7), ("another", 99)):
    threading.Thread(target=script, args=(seconds,), name=name, daemon=True).start()
"""


def test_the_program_ends_after_the_scripts_of_pages_and_waits_for_no_other_daemon() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parent.parent,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "1\ndone\n"


@pytest.mark.skipif(
    not hasattr(os, "confstr") or "CS_GNU_LIBC_VERSION" not in os.confstr_names,
    reason="another C library than GNU's",
)
def test_glibc_takes_the_number_of_heaps() -> None:
    assert torch_threads.share_heaps()

"""What a process has once, whoever asks first, and whatever a browser asks Streamlit to empty."""

from __future__ import annotations

import ast
import threading
from pathlib import Path
from typing import Final

import streamlit as st

from playground.ui.shell.once import once

ROOT: Final = Path(__file__).parent.parent.parent.parent


def test_the_first_callers_get_the_same() -> None:
    together = threading.Barrier(8)
    found: list[object] = []

    @once
    def thing() -> object:
        return object()

    def ask() -> None:
        together.wait()
        found.append(thing())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
    before = thing()
    st.cache_resource.clear()
    st.cache_data.clear()
    assert thing() is before
    thing.clear()
    assert thing() is not before


def test_one_may_be_made_from_another_and_a_failure_is_tried_again() -> None:
    tries = 0

    @once
    def inner() -> list[int]:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError
        return [tries]

    @once
    def outer() -> list[list[int]]:
        return [inner()]

    for _ in range(2):
        try:
            made = outer()
        except OSError:
            continue
    assert made == [[2]]
    assert outer() is made


def test_nothing_that_all_share_is_in_a_cache_of_streamlit() -> None:
    """There is only what can be computed anew at any time, of a function with arguments."""
    found = [
        f"{path.name}:{node.lineno}"
        for folder in ("playground", "pages")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        and any("cache_resource" in ast.unparse(one) for one in node.decorator_list)
        and not node.args.args
    ]
    assert not found

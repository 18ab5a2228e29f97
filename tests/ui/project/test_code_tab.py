"""The script beside the sliders."""

from __future__ import annotations

import difflib
from typing import Any

import pytest

from playground.ui.project import code_tab


def test_many_equal_rows_are_cut_before_they_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    whole = difflib.SequenceMatcher

    def counted(junk: Any, old: list[str], new: list[str], autojunk: bool) -> Any:
        compared.append(len(old) * len(new))
        return whole(junk, old, new, autojunk=autojunk)

    monkeypatch.setattr(code_tab.difflib, "SequenceMatcher", counted)
    monkeypatch.setattr(code_tab.language, "current", lambda: "en")
    rows = ["[1.0, 0.0, 14.9],"] * 20_000
    found = code_tab.changed_rows("\n".join(["a = 2", *rows]), "\n".join(["a = 1", *rows]))
    assert max(compared) <= 2 * code_tab.LONGEST**2
    assert [row.new for row in found[:3]] == [True, False, False]
    assert found[-1].text == "# … 19,941 more lines"
    assert len(found) == code_tab.LONGEST + 1

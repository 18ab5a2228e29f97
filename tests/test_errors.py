"""Sentences that quote a stranger: with an end, and of signs that can be written down."""

from __future__ import annotations

import pytest

from playground.data import pictures, tables
from playground.data.messages import Problem
from playground.errors import LONGEST, PlaygroundError
from playground.projects.coffee.data import ENCODER

COLUMNS = (*ENCODER.columns, ENCODER.target)
NAMES = ["x" * 200_000 + ".csv", "half \ud83d.csv", "\udfff" * 5000 + ".zip"]


@pytest.mark.parametrize("name", NAMES, ids=["long", "half", "both"])
def test_a_files_name_stands_in_a_sentence_whatever_it_is(name: str) -> None:
    with pytest.raises(PlaygroundError) as caught:
        tables.parse(b"", COLUMNS, name)
    found = pictures.load_many([(name, b"no picture")], "a")
    sentences = [caught.value.text(), str(caught.value), Problem.of(caught.value, name).value]
    sentences += [said for one in found.problems for said in (one.text(), one.value)]
    for said in sentences:
        said.encode()
        assert len(said) < 2 * LONGEST + 500

"""What is remembered is remembered by all that it depends on."""

from __future__ import annotations

import pytest
import torch

from playground.data.dataset import Examples
from playground.projects import project
from playground.projects.table import TableProject
from playground.runtime.run import Run
from playground.ui.project import baselines

COFFEE = project("coffee")
assert isinstance(COFFEE, TableProject)
ENCODER = COFFEE.encoder


def menu(times: float) -> Examples:
    """The 24 drinks of everybody's template, at one student's prices."""
    rows = [
        {"size": size, "extras": extras, "takeaway": takeaway}
        for size in ("small", "medium", "large")
        for extras in range(4)
        for takeaway in (False, True)
    ]
    return Examples(ENCODER.encode_rows(rows), times * torch.arange(9.0, 33.0))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_baselines_of_the_same_inputs_with_other_answers(split: str) -> None:
    recipe = COFFEE.recipe(data={"rows": "own"})
    mine, yours, again = (
        {row.name: row.figures["mae"] for row in baselines.fitted(run, split).result()}
        for run in (Run(COFFEE, recipe, menu(times)) for times in (1, 5, 1))
    )
    assert yours["Mean"] == pytest.approx(5 * mine["Mean"], rel=1e-5)
    assert again == mine


def test_own_examples_are_told_apart_by_all_that_is_in_them() -> None:
    inputs, answers = torch.arange(6.0).reshape(3, 2), torch.tensor([0, 1, 2])
    others = [
        None,
        Examples(inputs, answers),
        Examples(inputs, answers.flip(0)),
        Examples(inputs, answers.float()),
        Examples(inputs.flip(0), answers),
        Examples(inputs.reshape(3, 1, 2), answers),
        Examples(inputs.to(torch.uint8), answers),
    ]
    assert len({baselines.fingerprint(one) for one in others}) == len(others)
    same = Examples(inputs.clone(), answers.clone())
    assert baselines.fingerprint(same) == baselines.fingerprint(others[1])

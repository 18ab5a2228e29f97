"""What a preset's sentence promises: its own settings, or a figure that a benchmark prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playground.projects import PROJECTS
from playground.projects.base import Preset

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
# (project, preset) -> the script that prints what its sentence says.
PRINTED = {("weekday", "well"): "tables.py", ("movies", "well"): "tables.py"}
PROMISE = re.compile(
    r"%|per cent|percent|\bseconds?\b|\bminutes?\b|\bquarter\b|\bhalf of\b|\btwice\b"
)
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
TRAINING = (1.0, 0.8, 0.7)  # of the examples are for training

ALL = [(name, preset) for name, project in sorted(PROJECTS.items()) for preset in project.presets]


@pytest.mark.parametrize(("name", "preset"), ALL, ids=lambda one: getattr(one, "name", one))
def test_a_sentence_gives_no_figure_that_nobody_has_measured(name: str, preset: Preset) -> None:
    recipe = PROJECTS[name].preset(preset.name)
    values = {**recipe.to_dict(), **recipe.data}.values()
    settings: set[float] = set()
    for value in values:
        for one in value if isinstance(value, tuple | list) else (value,):
            if isinstance(one, int | float):
                settings |= {round(one * share, 6) for share in TRAINING}
    script = PRINTED.get((name, preset.name))
    if script is not None:
        assert (BENCHMARKS / script).is_file()
        return
    found = PROMISE.search(preset.sentence)
    assert found is None, found
    for number in NUMBER.findall(preset.sentence):
        assert float(number.replace(",", "")) in settings, number

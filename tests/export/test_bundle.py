"""What is gathered runs by itself, and clashing names are told apart."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from playground.export.bundle import Bundle, read
from playground.projects.coffee import data as coffee
from playground.projects.digits import data as digits
from playground.projects.weekday import data as weekday


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of two modules that use the same names for different things."""
    folder = tmp_path / "playground_made"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "low.py").write_text(
        '''SCALE = 2  # of everything
"""Said below it."""


# Right above it.
def load(value):
    """Recursion, and a local name like the other module's function."""
    size = value
    return load(value - 1) if size > 3 else size * SCALE
'''
    )
    (folder / "high.py").write_text(
        """from __future__ import annotations
import math
from playground_made import low
from playground_made.low import SCALE


class Box:
    side: int = SCALE
    size: int = 0

    def twice(self) -> Box:
        return Box()


def size(load=low.load):
    return load


def load(value):
    low_value = [low.load(size) for size in range(value)]
    return math.prod(low_value) * SCALE * size()(1) * Box().twice().side
"""
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("playground.export.bundle.PACKAGE", "playground_made")
    yield
    for name in ("playground_made", "playground_made.low", "playground_made.high"):
        sys.modules.pop(name, None)
    read.cache_clear()


def run(code: str) -> ModuleType:
    module = ModuleType("exported")
    sys.modules["exported"] = module  # where dataclasses look their annotations up
    exec(compile("from __future__ import annotations\n" + code, "exported", "exec"), vars(module))
    return module


@pytest.mark.usefixtures("made")
def test_clashing_names_are_told_apart_and_the_rest_stays_as_it_was() -> None:
    from playground_made import high  # type: ignore[import-not-found]

    bundle = Bundle(taken=["SCALE"])
    place = bundle.need(high.load)
    code = bundle.code()
    names = bundle.names()
    assert sorted(names.values()) == ["Box", "high_load", "low_SCALE", "low_load", "size"]
    assert "# Right above it.\ndef low_load(value):" in code
    assert 'low_SCALE = 2  # of everything\n"""Said below it."""' in code
    assert bundle.imports() == {("math", "", "math")}
    exported = run("import math\n" + code)
    assert [getattr(exported, names[place])(n) for n in range(6)] == [
        high.load(n) for n in range(6)
    ]


def test_a_real_function_runs_alone() -> None:
    bundle = Bundle()
    bundle.need(weekday.generate)
    imports = "import torch\nimport numpy as np\nimport math\nfrom torch import Tensor\n"
    imports += "from dataclasses import dataclass, replace\n"
    imports += "from collections.abc import Callable, Mapping\n"
    exported = run(imports + bundle.code())
    made, wanted = exported.generate(50, 0.5, 3), weekday.generate(50, 0.5, 3)
    assert made.inputs.equal(wanted.inputs)
    assert made.targets.equal(wanted.targets)


def test_what_is_not_needed_is_left_out() -> None:
    bundle = Bundle()
    bundle.need(coffee.generate)
    gathered = {name for _module, name in bundle.places}
    assert {"generate", "price", "Examples"} <= gathered
    assert not gathered & {"Encoder", "COLUMNS", "Field", "limit"}
    bundle.need(digits.load)
    assert ("playground.data.mnist", "load") in bundle.places
    assert ("playground.data.mnist", "fetch") not in bundle.places

"""The notebook is the script, a cell a part, in a form that Jupyter reads."""

from __future__ import annotations

import json

import pytest

from playground.export import script
from playground.export.notebook import FUTURE, notebook
from playground.projects import project
from playground.prose import sections
from playground.ui.project.code_tab import _prose

PARTS = script.parts(project("coffee").recipe(epochs=1, threads=1))


@pytest.mark.parametrize("language", ["en", "pl"])
def test_a_cell_a_part_with_prose_before_it(language: str) -> None:
    prose = {name: text for name, text in sections("export", language).items() if name != "intro"}
    whole = json.loads(notebook(PARTS, prose))
    assert (whole["nbformat"], whole["nbformat_minor"]) == (4, 5)
    kinds = [cell["cell_type"] for cell in whole["cells"]]
    assert kinds == ["markdown", "code"] * len(script.PARTS)
    assert len({cell["id"] for cell in whole["cells"]}) == len(kinds)
    said = ["".join(cell["source"]) for cell in whole["cells"]]
    codes = [code.removeprefix(f"{FUTURE}\n\n") for code in said[1::2]]
    assert codes[1:] == [part.code for part in PARTS][1:]
    assert said[1] == PARTS[0].code
    assert said[0::2] == [prose[name] for name in script.PARTS]


def test_its_cells_run_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    import sys
    from types import ModuleType

    module = ModuleType("notebook_cells")
    sys.modules["notebook_cells"] = module
    for cell in json.loads(notebook(PARTS, _prose()))["cells"]:
        if cell["cell_type"] == "code":
            code = compile("".join(cell["source"]), "cell", "exec", dont_inherit=True)
            exec(code, vars(module))
    assert capsys.readouterr().out.startswith("epoch 1: train loss ")

"""A seventh project is a folder, a page and a line, and everything takes it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
COPIED: Final = ("playground", "pages", "tests", "app.py", "pyproject.toml", ".streamlit")
NAME: Final = "sonar"
FOLDER: Final = {
    "__init__.py": '''"""Sonar: sixty echoes -> a rock, or a mine."""

from __future__ import annotations

from typing import Final

from playground.projects.base import Preset
from playground.projects.sketch import BLUE, path
from playground.projects.sonar import data
from playground.projects.table import OWN_ROWS, RealTable


class Sonar(RealTable):
    name = "sonar"
    title = "Sonar"
    purpose = "Train a real network, watch it learn, then use it."  # which is in the catalogue
    icon = "sailing"
    lessons = ("neuron",)
    task = "classification"
    labels = data.LABELS
    encoder = data.ENCODER
    rows = staticmethod(data.rows)
    data_fields = (OWN_ROWS,)
    defaults = {"hidden": (16,), "epochs": 5, "batch_size": 16}
    presets = (Preset("well", "Works well", "Sixteen neurons.", {}),)
    tiny = {"epochs": 2}

    @staticmethod
    def thumbnail() -> str:
        return path([(10, 80), (80, 10), (150, 80)], BLUE)


PROJECT: Final = Sonar()
''',
    "data.py": '''"""Sixty echoes each of rocks and of mines."""

from __future__ import annotations

import torch

from playground.data.encoder import Encoder
from playground.data.dataset import Examples
from playground.fields import Field

LABELS = ("rock", "mine")
COLUMNS = tuple(
    Field(f"echo{n}", "number", 0.5, f"Echo {n}", "How loud it was.", low=0, high=1, step=0.01)
    for n in range(1, 61)
)
TARGET = Field("what", "choice", "rock", "What it is", "A rock or a mine.", choices=LABELS)
ENCODER = Encoder(COLUMNS, TARGET)


def rows() -> Examples:
    """208 echoes that somebody has measured."""
    generator = torch.Generator().manual_seed(60)
    targets = torch.randint(2, (208,), generator=generator)
    echoes = torch.rand(208, 60, generator=generator)
    return Examples((echoes + 0.2 * targets[:, None]).clamp(0, 1), targets)
''',
    "en.md": "<!-- data -->\nSixty echoes from the sea.\n",
    "pl.md": "<!-- data -->\nSześćdziesiąt ech z morza.\n",
}
PAGE: Final = '''"""Sonar: a table that was measured."""

from playground.projects import project
from playground.ui.charts import vega
from playground.ui.project import evaluation, table_page
from playground.ui.project.baselines import comparison
from playground.ui.project.page import begin, project_page
from playground.ui.project.verdict import guessing
from playground.ui.project.workbench import predictor_or_message
from playground.ui.shell import language

SONAR = project("sonar")
begin(SONAR)
own = table_page.OwnTable(SONAR)
NAMES = {label: label for label in SONAR.labels}


def try_it(run):
    row = table_page.ask(SONAR, places=3)
    predictor = predictor_or_message(run)
    if predictor is not None:
        vega.probability_bars(predictor.predict(row).probabilities, NAMES, "sonar.bars")
        guessing(run)


def data(panel, run):
    language.prose("sonar", "data")
    table_page.data(panel, run, own)


def evaluate(run):
    result = evaluation.tested(run)
    if result is not None:
        evaluation.classification(result, list(NAMES))
        comparison(result)


project_page(SONAR, try_it=try_it, data=data, evaluate=evaluate, own=own.examples)
'''
# What walks the list of projects; of the tests with a name in theirs, that of the new one.
TAKE_IT: Final = (
    "tests/test_projects.py",
    "tests/test_presets.py",
    "tests/test_limits.py",
    "tests/experiments/test_permalink.py",
    "tests/test_versions.py",
    "tests/export/test_script.py",
    "tests/export/test_onnx_file.py",
    "tests/export/test_weights.py",
    "tests/insight/test_inside.py",
    "tests/ui/charts/test_thumbnails.py",
    "tests/pages/test_pages.py",
    "tests/pages/test_links_page.py",
    "tests/pages/test_inside_tab.py",
    "tests/pages/test_weights_page.py",
    "tests/pages/test_runs_page.py",
)
WHOLE: Final = ("tests/pages/test_start_page.py",)
BOARD: Final = """
from opening import open_page

from playground.board import ranking
from playground.projects import PROJECTS


def test_the_board_takes_it_sonar() -> None:
    kind = PROJECTS["sonar"]
    assert ranking.other_task(kind.recipe()) == {}
    assert list(ranking.other_task(kind.recipe(data={"rows": "own"}))) == ["rows"]


def test_its_page_says_where_one_tries_it_sonar() -> None:
    app = open_page("sonar", "en")
    asked = [one for one in app.select_slider if one.key.startswith("sonar.ask.")]
    assert len(asked) == 60
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the whole with one folder, one page and one line more."""
    copy = tmp_path_factory.mktemp("house")
    unwanted = shutil.ignore_patterns("__pycache__", "browser", "node_modules")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=unwanted)
        else:
            shutil.copy(ROOT / name, copy / name)
    folder = copy / "playground" / "projects" / NAME
    folder.mkdir()
    for name, text in FOLDER.items():
        (folder / name).write_text(text, "utf-8")
    (copy / "pages" / f"{NAME}.py").write_text(PAGE, "utf-8")
    names = copy / "playground" / "projects" / "__init__.py"
    text = names.read_text("utf-8")
    longer = text.replace('"digits")\n', f'"digits", "{NAME}")\n', 1)
    assert longer != text
    names.write_text(longer, "utf-8")
    (copy / "tests" / "pages" / "test_sonar.py").write_text(BOARD, "utf-8")
    return copy


def passed(house: Path, *options: str) -> str:
    """What pytest says at the end, once all of it has passed."""
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *options]
    environment = {**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=house, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


def test_everything_that_walks_the_projects_takes_another(house: Path) -> None:
    said = passed(house, "-k", NAME, *TAKE_IT, "tests/pages/test_sonar.py")
    assert int(said.split()[0]) > 40


def test_the_start_page_shows_it(house: Path) -> None:
    passed(house, *WHOLE)

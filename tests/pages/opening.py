"""How a test opens a page, for tests of pages."""

from __future__ import annotations

import base64
import io
import math
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from streamlit.testing.v1 import AppTest

from playground.experiments import permalink
from playground.projects import PROJECTS
from playground.runtime.run import Run
from playground.ui.shell import frame

ROOT = Path(__file__).parent.parent.parent
SECONDS = 60


def open_page(
    stem: str, language: str = "en", state: Mapping[str, Any] | None = None, **parameters: str
) -> AppTest:
    """``pages/{stem}.py`` by a link with these parameters, run once without an exception.

    ``state``: what the session knows already.
    """
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.switch_page(f"pages/{stem}.py")
    for key, value in (state or {}).items():
        app.session_state[key] = value
    for name, text in {"lang": language, **parameters}.items():
        app.query_params[name] = text
    app.run()
    assert not app.exception, [one.value for one in app.exception]
    return app


def the_run(app: AppTest, stem: str) -> Run:
    """The run of a project's page."""
    run: Run = app.session_state["desk"].runs[stem]
    return run


def train(app: AppTest, stem: str, button: str = "main") -> Run:
    """Press Train, or another button, and come back when the run stands still."""
    app.button(key=f"{stem}.{button}").click().run()
    run = the_run(app, stem)
    end = time.monotonic() + SECONDS
    while run.active and time.monotonic() < end:
        time.sleep(0.01)
    assert not run.active, run.error
    app.run()
    assert not app.exception
    return run


def tiny(stem: str) -> dict[str, str]:
    """What a link to a project says so that it trains in a second."""
    changes = PROJECTS[stem].tiny
    settings = {name: value for name, value in changes.items() if name != "data"}
    values = {**changes.get("data", {}), **settings}
    return {name: permalink.written(value) for name, value in values.items()}


def data_url(picture: Image.Image) -> str:
    """A picture as the canvas sends it."""
    file = io.BytesIO()
    picture.convert("RGBA").save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def wait_for_data(run: Run) -> None:
    """Wait for a run's data as a page does, which asks again and again.

    Data that nobody asks for are not made.
    """
    end = time.monotonic() + SECONDS
    while not frame.service().load(run, patience=0.5):
        assert time.monotonic() < end, "its data did not come"


def formulas(app: AppTest) -> str:
    """All that the page writes in LaTeX."""
    return " ".join(element.value for element in app.latex)


def says(text: str, value: float, behind: str = "=") -> bool:
    """Whether a formula gives ``value``, with three digits that matter, behind ``behind``."""
    found = re.findall(
        rf"{re.escape(behind)}\s*(-?[\d.]+)(?: \\cdot 10\^\{{(-?\d+)\}})?", text.replace("{,}", ".")
    )
    numbers = [float(f"{digits.rstrip('.')}e{power or 0}") for digits, power in found]
    return any(math.isclose(number, value, rel_tol=5e-3, abs_tol=1e-12) for number in numbers)

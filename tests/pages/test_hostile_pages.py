"""Whatever stands in a page's address: no page breaks, the usual value is used, and it is said."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import pytest
from opening import open_page
from streamlit.testing.v1 import AppTest

from playground.experiments import permalink
from playground.fields import Field, Value
from playground.projects import PROJECTS
from playground.ui.shell import frame, server
from playground.ui.shell.problems import plain
from playground.ui.widgets import controls, draw_pad

PAGES: Final = [stem for entries in frame.PAGES.values() for stem, _title, _icon in entries]
HOSTILE: Final = {
    "words": "<img src=x onerror=alert(1)>[x](javascript:alert(1))`*_$\\frac{1}{0}$ :red[x]",
    "numbers": "-1e999",
    "large": "9" * 3000,
    "brackets": "[" * 3000,
    "nothing": "",
    "letters": "\u202e\0\ud7ff\U0010ffff",
}


@pytest.fixture(autouse=True)
def empty_canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: None)


@pytest.fixture(scope="module", autouse=True)
def no_worker_is_left() -> Iterator[None]:
    """A data set that is being drawn while the interpreter ends would abort it."""
    yield
    server.backend().close()
    server.backend.clear()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, controls.Dials]:
    """The dials of the pages that have been opened, by name."""
    found: dict[str, controls.Dials] = {}
    seed = controls.Dials.seed

    def noted(dials: controls.Dials) -> None:
        found[dials.name] = dials
        seed(dials)

    monkeypatch.setattr(controls.Dials, "seed", noted)
    return found


FIELDS: Final[dict[str, dict[str, Field]]] = {}  # of each page, asked once


def fields(stem: str, seen: dict[str, controls.Dials]) -> dict[str, Field]:
    if stem not in FIELDS:
        open_page(stem)
        FIELDS[stem] = dict(seen[stem].by_name) if stem in seen else {}
    return FIELDS[stem]


def value(app: AppTest, stem: str, name: str) -> Any:
    return app.session_state[f"{stem}.{name}"]


@pytest.mark.parametrize(
    ("stem", "kind", "language"),
    [
        # Each page meets some of them, and all of them meet some page.
        (stem, list(HOSTILE)[(place + turn) % len(HOSTILE)], ("en", "pl")[turn])
        for place, stem in enumerate(PAGES)
        for turn in range(2)
    ],
)
def test_every_parameter_of_a_page_may_be_hostile(
    stem: str, kind: str, language: str, seen: dict[str, controls.Dials]
) -> None:
    text = HOSTILE[kind]
    known = fields(stem, seen)
    app = open_page(stem, language, **dict.fromkeys([*known, "another"], text), show=text)
    said = "\n".join(one.value for one in app.warning)
    for name, field in known.items():
        if not _takes(field, text):
            assert value(app, stem, name) == field.default
            assert plain(name) in said or name in said, name
    if known:
        assert "another" in said
    # A stranger's text is shown as text: none of its signs is left without a backslash.
    assert HOSTILE["words"] not in said
    assert "![" not in said


def _takes(field: Field, text: str) -> bool:
    return field.kind == "choice" and text in field.choices


def ends(field: Field, high: bool) -> Value:
    """The smallest or the largest that a field takes."""
    if field.kind == "choice":
        return field.choices[-1 if high else 0]
    if field.kind == "switch":
        return high
    end = field.high if high else field.low
    if field.kind == "integers":
        return (int(end),) * (field.longest if high else 1)
    return end if field.kind == "number" else int(end)


@pytest.mark.parametrize("high", [False, True], ids=["smallest", "largest"])
@pytest.mark.parametrize("stem", PAGES)
def test_every_parameter_of_a_page_may_be_at_its_end(
    stem: str, high: bool, seen: dict[str, controls.Dials]
) -> None:
    known = fields(stem, seen)
    # Not the largest data sets: drawing them takes workers half a minute.
    options = {field.name for field in PROJECTS[stem].data_fields} if stem in PROJECTS else set()
    asked = {
        name: permalink.written(ends(field, high))
        for name, field in known.items()
        if not (high and name in options)
    }
    app = open_page(stem, **asked)
    assert not [one.value for one in app.warning if "link" in one.value]
    for name in asked:  # some are cut to what the others leave room for
        assert known[name].check(value(app, stem, name)) == value(app, stem, name), name


GIANT: Final = {
    "channels": "128,128,128,128",
    "kernels": "3,3,3,3",
    "strides": "1,1,1,1",
    "batch_size": "1024",
    "size": "64",
}


@pytest.mark.parametrize("language", ["en", "pl"])
def test_a_network_too_large_is_refused_where_it_is_chosen(language: str) -> None:
    app = open_page("shapes", language, **GIANT)
    said = [one.value for one in app.error]
    assert len(said) == 1
    for figure in ("23848", "3351", "20498", "1024"):
        assert figure in said[0]
    buttons = {one.key: one for one in app.button}
    for name in ("main", "batch", "epoch"):
        assert buttons[f"shapes.{name}"].disabled
    # The sliders stay as they were asked for, and the network of before can be tried.
    assert value(app, "shapes", "channels") == (128,) * 4
    run = app.session_state["desk"].runs["shapes"]
    assert run.recipe.channels == (24, 48, 96)
    # One slider back, and it trains.
    app.session_state["shapes.more"] = True  # where they are
    app.run()
    slider = partial(app.select_slider, key=f"shapes.strides.1@{language}")
    assert slider().value == 1
    for place in range(1, 5):
        app.select_slider(key=f"shapes.channels.{place}@{language}").set_value(8)
    app.select_slider(key=f"shapes.batch_size@{language}").set_value(16)
    for place in range(1, 5):
        app.select_slider(key=f"shapes.strides.{place}@{language}").set_value(2)
    app.run()
    assert not app.exception
    assert not app.error
    assert not next(one for one in app.button if one.key == "shapes.main").disabled
    assert app.session_state["desk"].runs["shapes"].recipe.channels == (8,) * 4


def test_a_run_that_trains_may_go_on_while_the_sliders_ask_for_too_much() -> None:
    app = open_page("shapes", examples="300", epochs="500")
    app.button(key="shapes.main").click().run()
    run = app.session_state["desk"].runs["shapes"]
    assert run.state != "ready"
    before = dict(app.session_state["shapes.fits"])
    app.session_state["shapes.more"] = True  # where its other sliders are
    app.session_state["shapes.batch_size"] = 1024
    app.session_state["shapes.channels.1"] = 128
    app.session_state["shapes.strides.1"] = 1
    app.session_state["shapes.strides.2"] = 1
    app.session_state["shapes.learning_rate"] = 0.5
    app.run()
    assert not app.exception
    assert app.error
    assert app.session_state["desk"].runs["shapes"] is run
    assert app.session_state["shapes.fits"] == before
    assert run.controls.now.learning_rate == 0.5  # this still takes effect
    buttons = {one.key: one for one in app.button}
    assert not buttons["shapes.main"].disabled  # Pause
    buttons["shapes.stop"].click().run()
    assert not app.exception
    assert {one.key: one for one in app.button}["shapes.main"].disabled

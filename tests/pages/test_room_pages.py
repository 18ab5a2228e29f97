"""What a student is told who may start no more for now, and what stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from opening import open_page
from streamlit.testing.v1 import AppTest

from playground import resources
from playground.ui.shell import frame, server
from playground.ui.widgets import draw_pad

SAID = {
    "en": ("One desk can train at most 4 networks at a time", "too little memory left"),
    "pl": ("Przy jednym biurku mogą się uczyć naraz najwyżej 4 sieci", "za mało wolnej pamięci"),
}
BUSY = ("coffee", "weekday", "movies", "rps")


@pytest.fixture(autouse=True)
def empty_canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: None)


@pytest.fixture(autouse=True)
def own_service() -> Iterator[None]:
    server.backend.clear()
    yield
    server.backend().close()
    server.backend.clear()


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def go(app: AppTest, stem: str) -> AppTest:
    app.switch_page(f"pages/{stem}.py").run()
    assert not app.exception
    return app


def errors(app: AppTest) -> list[str]:
    return [one.value for one in app.error]


@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_fifth_run_of_a_desk_is_refused_in_a_sentence(language: str) -> None:
    app = open_page(BUSY[0], language)
    for stem in BUSY:
        go(app, stem)
        app.session_state[f"{stem}.epochs"] = 500  # long enough to be there still
        press(app.run(), f"{stem}.main")
    runs = app.session_state["desk"].runs
    assert [runs[stem].active for stem in BUSY] == [True] * 4
    go(app, "digits")
    before = runs["digits"]
    press(app, "digits.main")
    (said,) = errors(app)
    assert SAID[language][0] in said
    assert runs["digits"] is before
    assert before.state == "ready"
    frame.service().stop(runs["rps"])
    press(app, "digits.main")
    assert not errors(app)
    assert before.active


@pytest.mark.parametrize("language", ["en", "pl"])
def test_without_memory_the_network_of_before_stays(
    language: str, wait_until: Callable[[Callable[[], object]], None]
) -> None:
    app = open_page("coffee", language, epochs="1", examples="100")
    press(app, "coffee.main")
    run = app.session_state["desk"].runs["coffee"]
    wait_until(lambda: run.over)
    app.run()
    frame.service().memory = 1000
    press(app, "coffee.main")
    (said,) = errors(app)
    assert SAID[language][1] in said
    assert app.session_state["desk"].runs["coffee"] is run
    assert app.metric  # the price that it says
    frame.service().memory = resources.budget()
    press(app, "coffee.main")
    assert not errors(app)
    assert app.session_state["desk"].runs["coffee"] is not run


@pytest.mark.parametrize("language", ["en", "pl"])
def test_a_sweep_without_room_is_refused_and_leaves_no_runs(language: str) -> None:
    app = open_page("runs", language)
    frame.service().memory = 1000
    app.session_state["runs.tabs"] = app.tabs[1].label
    app.run()
    press(app, "sweep.start")
    assert any(SAID[language][1] in one for one in errors(app))
    assert app.session_state["desk"].kept.runs == []
    frame.service().memory = resources.budget()
    press(app, "sweep.start")
    assert not any(SAID[language][1] in one for one in errors(app))
    runs = app.session_state["desk"].kept.runs
    assert len(runs) > 1
    for one in runs:
        if one.run is not None:
            frame.service().stop(one.run)

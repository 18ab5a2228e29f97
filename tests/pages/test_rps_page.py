"""The game on the rock, paper, scissors page, as its script runs."""

from __future__ import annotations

import pytest
from opening import open_page
from streamlit.testing.v1 import AppTest

from playground.projects.rps import data as rps
from playground.projects.rps.data import Round
from playground.runtime.service import RunService
from playground.ui.project.rps_game import FINISHED

SMALL = {"players": "10", "rounds": "40"}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page goes on without its data after a while; here the data are what is looked at."""
    monkeypatch.setattr(RunService.load, "__defaults__", (60.0,))


def open_game(**parameters: str) -> AppTest:
    return open_page("rps", **{**SMALL, **parameters})


def throw(app: AppTest, *moves: str) -> AppTest:
    for move in moves:
        app.button(key=f"rps.{move}").click().run()
        assert not app.exception
    return app


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def test_a_throw_is_answered_with_the_sealed_move() -> None:
    app = open_game()
    assert "The machine has decided" in text(app)
    sealed = app.session_state["desk"].live["rps.match"].plans["trained"].sealed
    assert f"`{sealed.fingerprint}`" in [one.value for one in app.markdown]
    throw(app, "paper")
    played = app.session_state["desk"].live["rps.match"].played
    assert [one.machine_move for one in played] == [sealed.move]
    assert any(sealed.salt in line.value for line in app.markdown)
    assert "1 round," in text(app)
    # Of somebody's first move it knows nothing, and says so.
    assert "It had no idea" in text(app)


@pytest.mark.parametrize("who", ["network", "learning"])
def test_the_students_network_plays(who: str) -> None:
    app = open_game(see_opponent="true", memory="2")
    app.selectbox(key="rps.who@en").select(who).run()
    throw(app, "rock", "paper", "rock", "paper")
    played = app.session_state["desk"].live["rps.match"].played
    assert [one.who for one in played] == [who] * 4
    assert "Gradient steps so far: 10" in text(app)


def test_another_page_and_a_new_game() -> None:
    app = throw(open_game(), "rock", "rock")
    app.session_state["rps.who"] = "network"
    app.switch_page("pages/start.py").run()
    app.switch_page("pages/rps.py").run()
    assert len(app.session_state["desk"].live["rps.match"].played) == 2
    assert app.selectbox(key="rps.who@en").value == "network"
    app.button(key="rps.new").click().run()
    assert not app.exception
    assert not app.session_state["desk"].live["rps.match"].played
    assert len(app.session_state["desk"].things(FINISHED)) == 1


def test_own_games_join_the_next_training_when_asked_to() -> None:
    app = throw(open_game(), *["rock", "paper", "scissors"] * 3)
    assert app.session_state["desk"].runs["rps"].own is None
    app.button(key="rps.use").click().run()
    assert not app.exception
    assert len(app.session_state["desk"].runs["rps"].own) == 6
    assert "next training: 9" in text(app)
    app.slider(key="rps.memory@en").set_value(5).run()
    assert not app.exception
    assert len(app.session_state["desk"].runs["rps"].own) == 4
    app.button(key="rps.remove").click().run()
    assert app.session_state["desk"].runs["rps"].own is None


def test_own_games_alone_need_enough_rounds() -> None:
    app = open_game(rows="own")
    assert not app.exception
    assert any("at least 20 rounds" in error.value for error in app.error)
    throw(app, "rock")  # the game goes on without a network


def test_a_file_is_loaded_and_its_problems_are_said() -> None:
    app = throw(open_game(), "rock")
    good = [Round(n, "paper", "rock") for n in range(1, 11)]
    csv = rps.to_csv(good) + "11,well,rock\n"
    app.file_uploader(key="rps.file").upload("game.csv", csv.encode(), "text/csv").run()
    assert not app.exception
    match = app.session_state["desk"].live["rps.match"]
    assert [one.player_move for one in match.played] == ["paper"] * 10
    assert any("1 problem" in warning.value for warning in app.warning)
    assert app.session_state["desk"].things(FINISHED) == [
        [Round(1, "rock", app.session_state["desk"].things(FINISHED)[0][0].opponent_move)]
    ]
    throw(app, "paper")
    assert match.score().wins[0] >= 10


def test_another_untrained_network_is_another_one_to_learn_from() -> None:
    """The one before it is gone, and the new one may lie at its very place in memory."""
    app = open_game()
    run = app.session_state["desk"].runs["rps"]
    assert app.session_state["desk"].live["rps.match"].version[0] is run
    app.selectbox(key="rps.activation@en").select("tanh").run()
    now = app.session_state["desk"].runs["rps"]
    assert now is not run
    found = app.session_state["desk"].live["rps.match"]
    assert found.version[0] is now
    assert found.learner.network.recipe.activation == "tanh"

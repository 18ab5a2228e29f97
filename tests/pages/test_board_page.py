"""The class board: joined and left in the desk's menu, shown to whoever knows the secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from opening import SECONDS, open_page, wait_for_data
from streamlit.testing.v1 import AppTest

from playground.backend import Backend
from playground.board import gate
from playground.board import ranking as rules
from playground.desks.desk import Desk
from playground.desks.registry import Desks
from playground.projects import PROJECTS
from playground.runtime.run import Run
from playground.storage.records import BoardEntry, Score
from playground.storage.store import Store
from playground.ui.runs import board
from playground.ui.shell import board_join, frame, server

LANGUAGES: Final = ("en", "pl")
SECRET: Final = "tea at five"
HOSTILE: Final = (
    "<b>Ala</b>",
    "<img src=x onerror=1>",
    "[x](javascript:1)",
    "$\\frac{1}{0}$",
    ":red[x] **b** `c`",
    "&lt;i&gt; {name} %s",
    "=1+1",
    "שלום עולם",
)
FIGURE: Final = BoardEntry("digits", 0.934, None, 500, 12_345, 42.0, 600, 1.0)
open_board = partial(open_page, "board")


@pytest.fixture
def desks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Desks]:
    found = Backend(Store(f"sqlite:///{tmp_path}/playground.db"))
    monkeypatch.setattr(server, "backend", lambda: found)
    yield found.desks
    found.close()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    board.gate.clear()
    monkeypatch.setenv(gate.SECRET, SECRET)
    yield SECRET
    board.gate.clear()


@pytest.fixture(autouse=True)
def _no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(gate.SECRET, raising=False)


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.warning, app.error, app.info)
    return "\n".join(element.value for kind in kinds for element in kind)


def tables(app: AppTest) -> list[str]:
    bodies = [element.proto.body for element in app.get("html")]
    return [body for body in bodies if '<table class="board"' in body]


def enter(app: AppTest, given: str = SECRET) -> AppTest:
    app.text_input(key="board.secret").set_value(given)
    next(one for one in app.button if "FormSubmitter:board.gate" in one.key).click().run()
    assert not app.exception
    return app


def join(app: AppTest, nickname: str) -> AppTest:
    app.text_input(key="board.nickname").set_value(nickname)
    next(one for one in app.button if "FormSubmitter:board.form" in one.key).click().run()
    assert not app.exception
    return app


def seat(desks: Desks, nickname: str, *figures: BoardEntry, score: Score | None = None) -> Desk:
    """A student on the board."""
    desk = desks.fresh()
    desks.board.join(desk, nickname)
    assert desks.flush()
    assert desk.id is not None
    desk.member = desks.store.board.post(desk.id, figures, rules.rank)
    if score is not None:
        desks.store.board.set_score(desk.id, score)
    return desk


# --- Off ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_secret_there_is_no_board(desks: Desks, language: str) -> None:
    app = open_board(language)
    assert {"en": "The class board is off", "pl": "Tablica wyników jest wyłączona"}[
        language
    ] in said(app)
    assert not app.text_input
    assert not tables(app)
    seat(desks, "Ala", FIGURE)
    assert "Ala" not in said(app.run())
    # Nor is joining offered.
    other = open_page("runs", language)
    assert not [one for one in other.text_input if one.key == "board.nickname"]
    assert not [one for one in other.button if "board" in str(one.key)]


def test_only_with_a_secret_it_stands_in_the_navigation(
    monkeypatch: pytest.MonkeyPatch, desks: Desks
) -> None:
    shown: list[str] = []

    def page(path: Path, **options: str) -> object:
        if path.stem == "board":
            shown.append(options["visibility"])
        return real(path, **options)

    real = frame.st.Page
    monkeypatch.setattr(frame.st, "Page", page)
    open_page("runs")
    monkeypatch.setenv(gate.SECRET, "  ")
    open_page("runs")
    monkeypatch.setenv(gate.SECRET, SECRET)
    open_page("runs")
    # The page is asked for more than once in a run.
    assert shown == sorted(shown)
    assert set(shown[: len(shown) * 2 // 3]) == {"hidden"}
    assert shown[-1] == "visible"


def test_the_secret_may_stand_in_streamlits_file(
    monkeypatch: pytest.MonkeyPatch, desks: Desks
) -> None:
    app = AppTest.from_file(str(frame.ROOT / "app.py"), default_timeout=SECONDS)
    app.secrets[gate.SECRET] = SECRET
    app.switch_page("pages/board.py")
    app.run()
    board.gate.clear()
    seat(desks, "Ala", FIGURE)
    assert len(tables(enter(app))) == 1


# --- The secret -----------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_shown_before_the_secret(secret: str, desks: Desks, language: str) -> None:
    seat(desks, "Ala", FIGURE)
    app = open_board(language)
    assert not app.metric
    assert not tables(app)
    enter(app, "guess")
    assert {"en": "Wrong password", "pl": "Nieprawidłowe hasło"}[language] in said(app)
    assert not tables(app)
    enter(app)
    assert "Ala" in tables(app)[0]
    assert "secret" not in str(dict(app.query_params)).lower()
    assert secret not in str(dict(app.query_params))
    assert app.session_state["board.secret"] in ("", None) if "board.secret" in app else True
    # Another page and back: it is still open, until somebody closes it.
    app.switch_page("pages/runs.py").run()
    app.switch_page("pages/board.py").run()
    assert tables(app)
    app.button(key="board.lock").click().run()
    assert not tables(app)
    assert not app.metric
    assert not tables(open_board(language)), "another session has not been let in"


def test_a_guesser_waits_and_an_open_board_stays_open(
    secret: str, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board.gate(), "clock", lambda: 0.0)  # a slow machine waits the wait off
    seat(desks, "Ala", FIGURE)
    teacher = enter(open_board())
    for _guess in range(3):
        enter(open_board(), "guess")
    late = enter(open_board())
    assert "Too many wrong passwords" in said(late)
    assert not tables(late)
    assert tables(teacher.run())


def test_another_secret_closes_what_the_old_one_opened(
    secret: str, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat(desks, "Ala", FIGURE)
    app = enter(open_board())
    monkeypatch.setenv(gate.SECRET, "another")
    assert not tables(app.run())
    monkeypatch.delenv(gate.SECRET)
    assert "The class board is off" in said(app.run())


# --- What the teacher sees --------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_board_says_what_to_do(secret: str, desks: Desks, language: str) -> None:
    app = enter(open_board(language))
    assert {"en": "Nobody is on the board yet", "pl": "nie ma jeszcze nikogo"}[language] in said(
        app
    )
    assert [one.value for one in app.metric] == ["0", "0", "0"]
    assert app.button(key="board.clear").disabled
    seat(desks, "Ala")
    app.run()
    assert {"en": "No run of this project", "pl": "treningu z tego projektu"}[language] in said(app)
    app.session_state["board.view"] = board.GAME
    app.run()
    assert {"en": "Nobody has played yet", "pl": "Nikt jeszcze nie zagrał"}[language] in said(app)
    assert not app.exception


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_leaderboard(secret: str, desks: Desks, language: str) -> None:
    coffee = replace(FIGURE, project="coffee", value=0.4567, best=0.4, examples=1500)
    easy = replace(coffee, value=0.001, other='{"noise": 0.0, "rows": "own"}')
    seat(desks, "Ola", replace(FIGURE, value=0.9), coffee)
    seat(desks, "Ala", FIGURE, easy, score=Score(9, 4, 2))
    app = enter(open_board(language))
    (table,) = tables(app)
    assert table.index("Ala") < table.index("Ola")
    wanted = {
        "en": ["93.4%", "on 500 validation examples", "12,345", "42 s"],
        "pl": ["93,4%", "na 500 przykładach walidacyjnych", "12\N{NO-BREAK SPACE}345", "42 s"],
    }
    for text in wanted[language]:
        assert text in table
    app.session_state["board.view"] = "coffee"
    app.run()
    (table,) = tables(app)
    assert table.index("Ola") < table.index("Ala"), "another task has no place"
    wanted = {
        "en": ["0.457 zł", "0.057 zł", "Noise: 0", "my own only"],
        "pl": ["0,457 zł", "0,057 zł", "Szum: 0"],
    }
    for text in wanted[language]:
        assert text in table
    app.session_state["board.view"] = board.GAME
    app.run()
    (table,) = tables(app)
    assert "+5" in table
    assert "Ola" not in table
    assert app.metric[0].value == "2"
    for desk in desks.open_ones(lambda tab: True):
        assert desk.id is None or desk.id not in str(app.main)


def test_options_that_nobody_knows_any_more_break_nothing(secret: str, desks: Desks) -> None:
    for n, other in enumerate(('{"gone": 1}', "[1]", "no JSON", '{"noise": "x"}')):
        seat(desks, f"student {n}", replace(FIGURE, project="coffee", other=other))
    app = enter(open_board())
    app.session_state["board.view"] = "coffee"
    app.run()
    assert not app.exception
    assert tables(app)[0].count("other data") == 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_nicknames_are_text(secret: str, desks: Desks, language: str) -> None:
    for name in HOSTILE:
        seat(desks, name, FIGURE, score=Score(1, 0, 0))
    app = enter(open_board(language))
    names = app.selectbox(key=f"board.who@{language}")
    assert list(names.options) == list(HOSTILE)
    for view in ("digits", board.GAME):
        app.session_state["board.view"] = view
        app.run()
        (table,) = tables(app)
        for name in HOSTILE:
            assert f"<bdi>{name}</bdi>" in unescape(table)
        assert "<img" not in table
        assert "<b>Ala" not in table
    # Nowhere else does the page say them, so no Markdown can.
    assert not any(name in said(app) for name in HOSTILE)


def test_the_board_counts_what_trains_and_who_is_there(secret: str, desks: Desks) -> None:
    app = enter(open_board())
    open_page("runs")
    # A test's sessions all have one id, and this page's own desk does not count.
    another = desks.fresh()  # whom nobody holds is gone
    another.tabs.add("another")
    app.run()
    assert int(app.metric[2].value) >= 1
    assert app.metric[1].value == str(frame.service().active)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_teacher_takes_off_a_nickname_a_member_and_everybody(
    secret: str, desks: Desks, language: str
) -> None:
    rude, fake, other = (seat(desks, name, FIGURE) for name in ("rude", "fake", "other"))
    app = enter(open_board(language))
    app.selectbox(key=f"board.who@{language}").select("rude").run()
    app.button(key="board.unname").click().run()
    assert not app.exception
    assert rude.member is not None
    assert rude.member.nickname is None
    assert "rude" not in tables(app)[0]
    assert {"en": "(no nickname)", "pl": "(bez pseudonimu)"}[language] in tables(app)[0]
    app.selectbox(key=f"board.who@{language}").select("fake").run()
    app.button(key="board.expel").click().run()
    assert fake.member is None
    assert "fake" not in tables(app)[0]
    assert app.metric[0].value == "2"
    app.button(key="board.clear").click().run()
    assert len(desks.store.board.members()) == 2, "it was only asked"
    app.button(key="board.clear.no").click().run()
    app.button(key="board.clear").click().run()
    app.button(key="board.clear.yes").click().run()
    assert not app.exception
    assert desks.store.board.members() == []
    assert other.member is None
    assert not tables(app)


# --- The student's side -----------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_joining_and_leaving_in_the_menu(secret: str, desks: Desks, language: str) -> None:
    app = open_page("runs", language)
    assert "desk" not in app.query_params
    assert {"en": "Everyone in the room will see", "pl": "Wszyscy w sali zobaczą"}[
        language
    ] in said(app)
    join(app, "A\u202eB")
    assert {"en": "invisible characters", "pl": "niewidocznych znaków"}[language] in said(app)
    assert "desk" not in app.query_params, "a desk is not kept for a name that was refused"
    join(app, "  Ala :red[x] ")
    assert app.query_params["desk"] == app.session_state["desk"].id
    assert "Ala \\:red\\[x\\]" in said(app)
    assert [one.nickname for one in desks.store.board.members()] == ["Ala :red[x]"]
    # Found again by its address, and by nobody else.
    again = open_page("coffee", language, desk=app.query_params["desk"])
    assert again.button(key="board.leave")
    again.button(key="board.leave").click().run()
    assert desks.store.board.members() == []
    assert app.run().text_input(key="board.nickname")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_second_student_cannot_touch_the_first_ones_entries(
    secret: str, desks: Desks, language: str
) -> None:
    first = seat(desks, "Ala", FIGURE, score=Score(1, 2, 3))
    before = desks.store.board.members()
    app = join(open_page("runs", language), "aLA")
    assert {"en": "Somebody else has", "pl": "Ktoś inny ma już"}[language] in said(app)
    assert not [one for one in app.button if one.key == "board.leave"]
    assert desks.store.board.members() == before
    join(app, "Ola")
    app.button(key="board.leave").click().run()
    app.button(key="desk.delete").click().run()
    app.button(key="desk.delete.yes").click().run()
    assert not app.exception
    assert desks.store.board.members() == before
    assert first.id not in str(app.main)


def test_who_lost_the_nickname_chooses_another(secret: str, desks: Desks) -> None:
    app = join(open_page("runs"), "rude")
    (member,) = desks.store.board.members()
    desks.board.unname(member.handle)
    app.run()
    assert "removed your nickname" in said(app)
    join(app, "polite")
    assert [one.nickname for one in desks.store.board.members()] == ["polite"]
    # Once the board is off, it can still be left.
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(gate.SECRET)
        assert board_join.secret() is None
        app.run()
        app.button(key="board.leave").click().run()
    assert desks.store.board.members() == []


def test_a_run_and_a_throw_come_to_the_board(
    secret: str, desks: Desks, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    app = open_page("rps", players="20", rounds="30", epochs="1")
    join(app, "Ala")
    run: Run = app.session_state["desk"].runs["rps"]
    wait_for_data(run)
    app.run()
    app.button(key="rps.main").click().run()
    wait_until(lambda: run.over)
    desk: Desk = app.session_state["desk"]
    desks.notice(run)  # as the service of these desks would
    for move in ("rock", "paper"):
        app.button(key=f"rps.{move}").click().run()
    assert not app.exception
    deadline = time.monotonic() + SECONDS
    while not desks.flush():
        assert time.monotonic() < deadline
    (member,) = desks.store.board.members()
    assert member.score.rounds == 2
    figure = member.figures["rps"]
    assert figure.value == run.snapshot().history.epochs[-1].validation["accuracy"]
    assert figure.best == PROJECTS["rps"].best(run.recipe, "validation")["accuracy"]
    assert desk.member == member
    app.button(key="desk.delete").click().run()
    app.button(key="desk.delete.yes").click().run()
    assert desks.store.board.members() == []

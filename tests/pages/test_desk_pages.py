"""A desk as pages show it: found by its address, in two tabs, after a restart, deleted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from opening import SECONDS, data_url, open_page, the_run, train, wait_for_data
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from playground.backend import Backend
from playground.data.dataset import Dataset, Examples
from playground.data.steps import Steps
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.storage.errors import StoreError
from playground.storage.records import Row
from playground.storage.store import ID, Store
from playground.ui.project.rps_game import FINISHED
from playground.ui.shell import server as server_module
from playground.ui.widgets import draw_pad

ROOT = Path(__file__).parent.parent.parent
TINY = {"examples": "200", "epochs": "2"}
LANGUAGES = ("en", "pl")


class Room:
    """Starts servers on one data folder, one after the other."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.patch, self.folder = patch, folder
        self.servers: list[Backend] = []

    def start(self, url: str = "") -> Backend:
        """Begin one, of which pages that are opened see the desks and the service."""
        if self.servers:
            self.servers[-1].close()
        store = Store(url or f"sqlite:///{self.folder}/playground.db", patience=0.05)
        begun = Backend(store, workers=1)
        self.servers.append(begun)
        self.patch.setattr(server_module, "backend", lambda: begun)
        return begun


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Room]:
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: None)
    found = Room(monkeypatch, tmp_path)
    yield found
    for server in found.servers:
        server.close()


@pytest.fixture
def server(room: Room) -> Backend:
    return room.start()


def open_settled(stem: str, language: str = "en", **parameters: str) -> AppTest:
    """A page, with the data of its run there."""
    app = open_page(stem, language, **parameters)
    if stem in app.session_state["desk"].runs:
        wait_for_data(the_run(app, stem))
        app.run()
    assert not app.exception
    return app


def loading(stem: str, **parameters: str) -> AppTest:
    """A page that does not wait for its data."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.switch_page(f"pages/{stem}.py")
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def id_of(app: AppTest) -> str:
    name: str = app.query_params["desk"]
    assert ID.fullmatch(name)
    return name


def said(app: AppTest) -> str:
    kinds = (app.warning, app.info, app.markdown, app.caption, app.toast)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def seven() -> Image.Image:
    picture = Image.new("RGB", (252, 252), "black")
    ImageDraw.Draw(picture).line([(60, 60), (190, 60), (110, 210)], "white", 16, joint="curve")
    return picture


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_desk_begins_with_something_to_keep(server: Backend, language: str) -> None:
    app = open_settled("coffee", language, **TINY)
    assert "desk" not in app.query_params
    assert ("Nothing saved" if language == "en" else "Nic jeszcze nie zapisano") in said(app)
    train(app, "coffee")
    assert app.query_params["examples"] == "200", "the settings stay in the address"
    shown = [code.value for code in app.code if id_of(app) in code.value]
    assert len(shown) == 1
    assert ("Your desk." if language == "en" else "Twoje biurko.") in said(app)
    # On every page, but not in the link that is passed on.
    app.switch_page("pages/weekday.py").run()
    assert id_of(app) in shown[0]
    keep = next(tab.label for tab in app.tabs if ":material/save:" in tab.label)
    app.session_state["weekday.tabs"] = keep
    app.run()
    links = [code.value for code in app.code if "lang=" in code.value]
    assert len(links) == 2
    assert sum("desk=" in link for link in links) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reload_finds_the_same_run(server: Backend, language: str) -> None:
    app = open_settled("coffee", language, **{**TINY, "epochs": "500"})
    app.button(key="coffee.main").click().run()
    run = the_run(app, "coffee")
    again = open_settled("coffee", language, desk=id_of(app))
    assert the_run(again, "coffee") is run
    assert again.session_state["desk"].kept is app.session_state["desk"].kept
    # The address says only whose desk it is: the sliders are those of the run.
    assert again.session_state["coffee.examples"] == 200
    assert again.session_state["coffee.epochs"] == 500
    server.service.stop(run)


def test_train_pressed_while_its_data_load_is_on_the_desk(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reload, a second tab and another server find the run, though nothing refreshed its page."""
    there = threading.Event()

    def slow(self: Project, recipe: Recipe, own: Examples | None = None) -> Steps[Dataset]:
        while not there.wait(0.01):
            yield 3, 200
        return self.load(recipe, own)

    monkeypatch.setattr(type(PROJECTS["coffee"]), "loading", slow)
    room.start()
    app = loading("coffee", **TINY)
    app.button(key="coffee.main").click().run()
    assert not app.exception
    run, desk = the_run(app, "coffee"), id_of(app)
    assert (run.state, run.loaded) == ("waiting", False)
    assert [kept.run for kept in app.session_state["desk"].kept.runs] == [run]
    assert the_run(loading("coffee", desk=desk), "coffee") is run
    there.set()
    deadline = time.monotonic() + SECONDS
    while not run.over:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    room.start()  # nobody has looked since
    again = the_run(open_settled("coffee", desk=desk), "coffee")
    assert again.state == "finished"
    assert again.snapshot().history.losses == run.snapshot().history.losses


def test_two_tabs_do_not_pull_at_one_slider(server: Backend) -> None:
    one = open_settled("coffee", "en", **TINY)
    run = train(one, "coffee", "epoch")
    assert run.state == "paused"
    two = open_settled("coffee", "en", desk=id_of(one))
    two.session_state["coffee.learning_rate"] = 0.005
    two.run()
    assert run.controls.now.learning_rate == 0.005
    one.run()
    assert run.controls.now.learning_rate == 0.005, "a tab that moved nothing changes nothing"
    # A reset in one tab is seen in the other.
    two.button(key="coffee.reset").click().run()
    one.run()
    assert the_run(one, "coffee").state == "ready"
    assert len(one.session_state["desk"].kept.runs) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_after_a_restart_the_finished_run_is_there(room: Room, language: str) -> None:
    first = room.start()
    app = open_settled("coffee", language, **TINY)
    run = train(app, "coffee")
    assert run.state == "finished"
    price = app.metric[0].value
    assert first.desks.flush()
    room.start()
    again = open_settled("coffee", language, desk=id_of(app))
    found = the_run(again, "coffee")
    assert found is not run
    assert found.snapshot().history == run.snapshot().history
    assert again.metric[0].value == price
    again.switch_page("pages/runs.py").run()
    assert not again.exception
    assert len(again.session_state["desk"].kept.runs) == 1
    again.switch_page("pages/coffee.py").run()
    # Training anew is as ever, and joins the list.
    train(again, "coffee")
    assert len(again.session_state["desk"].kept.runs) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_after_a_restart_an_unfinished_run_is_offered(room: Room, language: str) -> None:
    first = room.start()
    app = open_settled("coffee", language, **{**TINY, "epochs": "4"})
    train(app, "coffee", "epoch")
    train(app, "coffee", "epoch")
    assert first.desks.flush()
    room.start()
    again = open_settled("coffee", language, desk=id_of(app))
    label = {"en": "Continue from epoch 2", "pl": "Kontynuuj od epoki 2"}[language]
    assert again.button(key="coffee.main").label == label
    assert {"en": "The server was restarted", "pl": "Serwer został"}[language] in said(again)
    run = train(again, "coffee")
    assert run.state == "finished"
    assert len(run.snapshot().history.epochs) == 4
    assert "restarted" not in said(again)


def test_pictures_rows_and_games_come_back(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    first = room.start()
    digits = {"examples": "500", "european": "false", "architecture": "mlp"}
    drawn = data_url(seven())
    monkeypatch.setattr(draw_pad, "canvas", lambda **options: drawn)
    app = open_settled("digits", "en", **digits)
    app.session_state["digits.was"] = "7"
    app.run()
    pills = next(one for one in app.button_group if one.key == "digits.was@en")
    pills.set_value("3").run()
    desk = id_of(app)
    own = app.session_state["desk"].runs["digits"].own
    assert own is not None
    app.switch_page("pages/coffee.py").run()
    csv = b"size,extras,takeaway,price\nsmall,1,no,10.5\nlarge,2,yes,19\n"
    app.file_uploader(key="coffee.own.file").upload("rows.csv", csv, "text/csv").run()
    app.switch_page("pages/rps.py").run()
    for move in ("rock", "paper", "rock"):
        app.button(key=f"rps.{move}").click().run()
    app.button(key="rps.new").click().run()
    app.button(key="rps.scissors").click().run()
    played = app.session_state["desk"].live["rps.match"].rounds()
    assert not app.exception
    assert id_of(app) == desk
    assert first.desks.flush()

    room.start()
    again = open_settled("digits", "pl", desk=desk, **digits)
    found = again.session_state["desk"].runs["digits"].own
    assert found is not None
    assert np.array_equal(found.inputs, own.inputs)
    assert found.targets.tolist() == own.targets.tolist()
    again.switch_page("pages/coffee.py").run()
    assert "2 własne wiersze" in said(again)
    again.switch_page("pages/rps.py").run()
    assert again.session_state["desk"].live["rps.match"].rounds() == played
    assert [len(game) for game in again.session_state["desk"].things(FINISHED)] == [3]
    assert not again.exception


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("asked", ["q" * 22, "x", "<script>alert(1)</script>", "../" * 50])
def test_an_address_without_a_desk(server: Backend, language: str, asked: str) -> None:
    app = open_settled("coffee", language, desk=asked, **TINY)
    sentence = {"en": "no desk at this address", "pl": "Pod tym adresem nie ma biurka"}[language]
    assert sentence in said(app)
    assert asked == "x" or asked not in said(app)
    assert "desk" not in app.query_params
    assert app.session_state["coffee.examples"] == 200, "the rest of the address counts"
    train(app, "coffee")
    assert id_of(app) != asked
    assert sentence in said(app), "it moves nothing by going away"
    app.button(key="desk.notice.close").click().run()
    assert sentence not in said(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_desk_is_deleted_after_asking_twice(server: Backend, language: str) -> None:
    app = open_settled("coffee", language, **{**TINY, "epochs": "500"})
    app.button(key="coffee.main").click().run()
    run, desk = the_run(app, "coffee"), id_of(app)
    other = open_settled("coffee", language, desk=desk)
    app.button(key="desk.delete").click().run()
    assert not run.over
    app.button(key="desk.delete.no").click().run()
    assert not run.over
    app.button(key="desk.delete").click().run()
    app.button(key="desk.delete.yes").click().run()
    assert not app.exception
    assert run.over
    assert "desk" not in app.query_params
    assert the_run(app, "coffee").state == "ready"
    assert app.session_state["desk"].kept.runs == []
    other.run()
    assert "desk" not in other.query_params
    assert the_run(other, "coffee").state == "ready"
    sentence = {"en": "This desk was deleted", "pl": "To biurko zostało usunięte"}[language]
    assert sentence in said(other)
    assert {"en": "no desk at this address", "pl": "nie ma"}[language] in said(
        open_settled("coffee", language, desk=desk)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_disk_that_cannot_be_written_is_said_once(
    room: Room, language: str, tmp_path: Path
) -> None:
    (tmp_path / "note").write_text("no folder")
    server = room.start(f"sqlite:///{tmp_path / 'note' / 'playground.db'}")
    sentence = {"en": "cannot write", "pl": "nie może pisać"}[language]
    app = open_settled("coffee", language, **TINY)
    app.button(key="coffee.main").click().run()
    toasts = [toast.value for toast in app.toast]
    deadline = time.monotonic() + SECONDS
    while not (server.desks.problem and the_run(app, "coffee").over):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for _once_more in range(2):
        app.run()
        toasts += [toast.value for toast in app.toast]
    assert len([said for said in toasts if sentence in said]) == 1
    assert the_run(app, "coffee").state == "finished", "the app goes on"
    assert sentence in said(app), "it still stands in the popover"
    # A reload finds what is in memory.
    again = open_settled("coffee", language, desk=id_of(app))
    assert the_run(again, "coffee") is the_run(app, "coffee")


def test_a_desk_that_cannot_be_read_now_keeps_its_address(
    server: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(asked: str) -> None:
        raise StoreError(
            "Another program has locked the database, so nothing is saved at the moment."
        )

    monkeypatch.setattr(server.desks, "open", fail)
    app = open_settled("coffee", desk="r" * 22, **TINY)
    assert "cannot be read at the moment" in said(app)
    assert id_of(app) == "r" * 22
    app.button(key="desk.notice.close").click().run()
    assert "cannot be read at the moment" not in said(app)
    assert id_of(app) == "r" * 22


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_run_of_another_version_is_said_and_can_be_deleted(
    server: Backend, language: str
) -> None:
    name = "A" * 22
    recipe = PROJECTS["coffee"].recipe().to_json().replace('"version": 1', '"version": 99')
    row = Row("r", 7, "a *newer* one", True, True, "finished", recipe, "{}", 3, 0, 0.0)
    server.desks.store.create(name)
    server.desks.store.save_run(name, row)
    app = open_settled("runs", language, desk=name)
    said = " ".join(one.value for one in app.markdown)
    assert {"en": "another version", "pl": "innej wersji"}[language] in said
    assert r"a \*newer\* one" in said
    assert server.desks.store.load(name).runs == [row]
    app.button(key="runs.unread.delete.yes").click().run()
    assert not app.exception
    assert server.desks.flush()
    assert server.desks.store.load(name).runs == []
    assert r"a \*newer\* one" not in " ".join(one.value for one in app.markdown)

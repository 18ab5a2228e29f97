"""What other versions of the program stored: the earlier ones' opens, the newer ones' stays."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from playground import limits, recipe
from playground.desks import run_list, stored_run
from playground.desks.desk import Desk
from playground.desks.registry import Desks
from playground.desks.run_list import Unread
from playground.export import weights
from playground.fields import Field
from playground.projects import PROJECTS, opened, project
from playground.projects.coffee import Coffee
from playground.projects.rps.data import Round
from playground.recipe import FIELDS, UPGRADES, VERSION, Recipe, RecipeError
from playground.rps_opponent.games import games
from playground.runtime.run import Run
from playground.runtime.service import RunService
from playground.storage import codecs
from playground.storage.records import Row
from playground.storage.store import Store
from playground.versions import upgraded

FROZEN = sorted(path for path in (Path(__file__).parent / "frozen").iterdir() if path.is_dir())
DESK = "a" * 22
CUP = {field.name: field.default for field in Coffee.encoder.columns}
every_version = pytest.mark.parametrize("folder", FROZEN, ids=lambda path: path.name)


def read(folder: Path, name: str) -> Any:
    """A frozen JSON document; what was bytes is bytes again."""

    def back(value: dict[str, Any]) -> Any:
        return base64.b64decode(value["base64"]) if set(value) == {"base64"} else value

    return json.loads((folder / name).read_text(), object_hook=back)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(f"sqlite:///{tmp_path / 'playground.db'}")
    found.create(DESK)
    yield found
    found.close()


@pytest.fixture
def opening(store: Store) -> Iterator[Callable[[], Desk]]:
    """Opens the desk as a server does that has just started."""
    begun: list[Desks] = []

    def open_it() -> Desk:
        begun.append(Desks(store))
        return begun[-1].open(DESK)

    yield open_it
    for desks in begun:
        desks.close()


def stored(store: Store) -> list[Row]:
    """The rows of the last frozen version, on the desk."""
    rows = [Row(**values) for values in read(FROZEN[-1], "desk.json")["runs"]]
    for row in rows:
        store.save_run(DESK, row)
    return rows


def changed(row: Row, **changes: Any) -> Row:
    """``row`` with other values in its recipe."""
    values = json.loads(row.recipe)
    values["data"] |= changes.pop("data", {})
    return replace(row, recipe=json.dumps(values | changes))


# --- Earlier versions -----------------------------------------------------------------------


@every_version
def test_a_desk_of_an_earlier_version_opens_whole(
    folder: Path, store: Store, opening: Callable[[], Desk]
) -> None:
    frozen = read(folder, "desk.json")
    for values in frozen["runs"]:
        store.save_run(DESK, Row(**values))
    for kind, contents in frozen["things"].items():
        store.put(DESK, kind, dict(enumerate(contents)), len(contents))
    desk = opening()
    assert desk.kept.unread == []
    over, waits = desk.runs["coffee"], desk.runs["weekday"]
    assert [one.name for one in desk.kept.runs] == ["Ania's coffee", "Ania's weekday"]
    assert over.state == "finished"
    assert len(over.snapshot().history.epochs) == 2
    said = read(folder, "answers.json")
    answers = over.predictor().ask(torch.tensor(said["inputs"]))
    assert torch.allclose(answers, torch.tensor(said["answers"]), atol=1e-4)
    assert waits.goes_on_from == 1
    columns = (*Coffee.encoder.columns, Coffee.encoder.target)
    (table,) = desk.things(codecs.table("coffee.own", columns))
    assert len(table) == 1
    ((picture, label),) = desk.things(codecs.pictures("digits.own", project("digits").labels))
    assert (picture.shape, label) == ((12, 20), 7)
    (game,) = desk.things(games("rps.finished"))
    assert game == [Round(1, "rock", "paper"), Round(2, "scissors", "rock")]


@every_version
def test_a_run_that_was_left_in_an_earlier_version_goes_on(
    folder: Path, store: Store, opening: Callable[[], Desk], wait_until: Callable[..., None]
) -> None:
    for values in read(folder, "desk.json")["runs"]:
        store.save_run(DESK, Row(**values))
    waits = opening().runs["weekday"]
    service = RunService(workers=1)
    try:
        service.start(waits, "end")
        wait_until(lambda: waits.over)
    finally:
        service.close()
    assert waits.state == "finished"
    assert [row.epoch for row in waits.snapshot().history.epochs] == [1, 2, 3, 4]


@every_version
def test_the_files_of_an_earlier_version_open(folder: Path) -> None:
    alone = weights.read((folder / "recipe.json").read_bytes())
    found = weights.read((folder / "network.safetensors").read_bytes())
    assert isinstance(alone, Recipe)
    assert isinstance(found, weights.SavedNetwork)
    assert found.recipe == alone
    assert found.figures is not None
    names, recipes, histories = zip(
        *run_list.from_json((folder / "runs.json").read_text()), strict=True
    )
    assert names == ("a", "b")
    assert recipes[0] == alone
    assert [len(one.epochs) for one in histories] == [2, 1]


@every_version
def test_what_was_allowed_once_is_allowed(folder: Path) -> None:
    """A range that became narrower would shut out stored runs."""
    for owner, fields in read(folder, "ranges.json").items():
        now = {one.name: one for one in PROJECTS[owner].data_fields} if owner else FIELDS
        for name, was in fields.items():
            field = now[name]
            ends = [end for end in (was["low"], was["high"]) if end is not None]
            values: list[Any] = list(was["choices"]) or ends
            if was["kind"] == "integers":
                values = [[int(end)] * was["longest"] for end in ends]
            elif was["kind"] == "switch":
                values = [False, True]
            assert values
            for value in values:
                field.check(value)


def test_there_is_a_step_from_every_version() -> None:
    assert set(UPGRADES) == set(range(1, VERSION))
    assert set(run_list.UPGRADES) == set(range(1, run_list.VERSION))
    assert FROZEN, "a version that is not frozen is not tested"


def test_a_new_field_of_the_recipe_has_its_default_in_what_is_stored(
    store: Store, opening: Callable[[], Desk]
) -> None:
    """Taking a field out of what was written is the same as adding it to the program."""
    for n, row in enumerate(stored(store)):
        values = json.loads(row.recipe)
        del values["dropout"]
        store.save_run(DESK, replace(row, id=f"new{n}", number=3 + n, recipe=json.dumps(values)))
    desk = opening()
    assert desk.kept.unread == []
    assert [one.recipe.dropout for one in desk.kept.runs] == [0.0, 0.1, 0.0, 0.0]
    values = json.loads((FROZEN[-1] / "recipe.json").read_text())
    for name in set(FIELDS) - {"loss"}:  # the usual one is for classes
        values.pop(name)
    assert opened(json.dumps(values)) == Recipe("coffee", values["data"], loss="mse")


def test_a_field_says_what_was_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    values = json.loads((FROZEN[-1] / "recipe.json").read_text())
    del values["label_smoothing"]
    newer = replace(FIELDS["label_smoothing"], default=0.1, before=0.0)
    monkeypatch.setattr(recipe, "FIELDS", {**FIELDS, "label_smoothing": newer})
    assert Recipe.from_dict(values).label_smoothing == 0.0


class Milk(Coffee):
    """The project once somebody has added an option to its data."""

    data_fields = (
        *Coffee.data_fields,
        Field("milk", "number", 0.5, "Milk", low=0, high=1, before=0.25),
        Field("sugar", "switch", False, "Sugar"),
    )


def test_a_new_data_option_is_as_it_was_before_in_what_is_stored(
    store: Store, opening: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROJECTS, "coffee", Milk())
    stored(store)
    desk = opening()
    assert desk.kept.unread == []
    assert desk.runs["coffee"].trained
    for found in (
        desk.kept.runs[0].recipe,
        weights.load_recipe((FROZEN[-1] / "recipe.json").read_bytes()),
        weights.load((FROZEN[-1] / "network.safetensors").read_bytes()).recipe,
        run_list.from_json((FROZEN[-1] / "runs.json").read_text())[0][1],
    ):
        assert (found.data["milk"], found.data["sugar"]) == (0.25, False)
        assert found.data["examples"] == 100


def test_an_older_version_goes_through_a_step_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if two names had changed: "speed" is the learning rate now, "cups" the examples."""
    monkeypatch.setattr(recipe, "VERSION", 3)
    monkeypatch.setitem(
        UPGRADES, 1, lambda old: {**old, "learning_rate": old["speed"], "speed": None}
    )

    def second(old: dict[str, Any]) -> dict[str, Any]:
        assert old["version"] == 2
        data = {"examples" if name == "cups" else name: one for name, one in old["data"].items()}
        return {name: one for name, one in old.items() if name != "speed"} | {"data": data}

    monkeypatch.setitem(UPGRADES, 2, second)
    values = json.loads((FROZEN[-1] / "recipe.json").read_text())
    values["speed"] = values.pop("learning_rate") * 2
    values["data"]["cups"] = values["data"].pop("examples")
    found = Recipe.from_dict(values)
    assert found.version == 3
    assert found.learning_rate == values["speed"]
    assert found.data["examples"] == 100
    for broken in ({**values, "data": 3}, {"version": 1}, {**values, "version": True}):
        with pytest.raises(RecipeError):
            Recipe.from_dict(broken)


def test_versions_that_nobody_wrote_stay_as_they_are() -> None:
    steps = {1: lambda old: {**old, "seen": True}}
    for version in (0, 2, 3, None, "1", True, 1.0):
        assert upgraded({"version": version}, 3, steps) == {"version": version}
    assert upgraded({"version": 1}, 3, steps) == {"version": 2, "seen": True}
    assert upgraded({}, 3, steps) == {}


def test_a_run_that_is_over_is_not_held_against_todays_limits(
    store: Store, opening: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(store)
    monkeypatch.setattr(limits, "MAX_RUN_BYTES", 1000)
    desk = opening()
    assert desk.kept.unread == []
    assert desk.runs["coffee"].predictor().predict(CUP).value is not None
    # What would train again is, and its curves stay.
    assert "weekday" not in desk.runs
    assert [one.snapshot.state for one in desk.kept.runs] == ["finished", "stopped"]


def test_controls_that_were_added_since_stand_as_in_the_recipe(
    store: Store, opening: Callable[[], Desk]
) -> None:
    row = next(row for row in stored(store) if row.progress is not None)
    assert row.progress is not None
    settings = stored_run.settings_from(opened(row.recipe), [0.5])
    assert settings == (0.5, opened(row.recipe).weight_decay)
    with pytest.raises(ValueError, match="another version"):
        stored_run.settings_from(opened(row.recipe), [0.5, 0.1, 0.2])


# --- A newer one ----------------------------------------------------------------------------

NEWER: dict[str, Callable[[Row], Row]] = {
    "another version": lambda row: changed(row, version=VERSION + 1),
    "an unknown field": lambda row: changed(row, gradient_clip=0.0),
    "an unknown option": lambda row: changed(row, data={"humidity": 0.0}),
    "an unknown project": lambda row: changed(row, project="sonar"),
    "an unknown choice": lambda row: changed(row, optimizer="muon"),
    "an unknown history": lambda row: replace(row, history='{"epochs": [], "grid": []}'),
    "no recipe": lambda row: replace(row, recipe="{"),
}


@pytest.mark.parametrize("change", NEWER.values(), ids=NEWER)
def test_a_run_of_a_newer_version_is_said_and_stays(
    change: Callable[[Row], Row], store: Store, opening: Callable[[], Desk]
) -> None:
    over, waits = stored(store)
    newer = change(over)
    store.save_run(DESK, newer)
    desk = opening()
    assert [(one.number, one.name) for one in desk.kept.unread] == [(1, "Ania's coffee")]
    assert [one.number for one in desk.kept.runs] == [2]
    assert "coffee" not in desk.runs
    assert desk.glance().runs == 2
    # Whatever else happens on the desk, it stays as it is, and counts.
    desk.kept.runs[0].rename("other")
    coffee = project("coffee")
    begun = desk.take(Run(coffee, coffee.recipe(data={"examples": 100})))
    assert begun.number == 3
    desk.sync()
    assert desk._home.flush()
    rows = {row.id: row for row in store.load(DESK).runs}
    assert rows[newer.id] == newer
    assert rows[waits.id].name == "other"


def test_a_run_of_a_newer_version_can_be_deleted(store: Store, opening: Callable[[], Desk]) -> None:
    over, waits = stored(store)
    store.save_run(DESK, changed(over, version=VERSION + 1))
    desk = opening()
    desk.kept.unread.clear()
    desk.sync()
    assert desk._home.flush()
    assert [row.id for row in store.load(DESK).runs] == [waits.id]


def test_runs_of_a_newer_version_count_towards_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_list, "MAX_RUNS", 3)
    listed = run_list.RunList()
    listed.bring_unread(Unread(5))
    coffee = project("coffee")
    for _n in range(4):
        run = Run(coffee, coffee.recipe(data={"examples": 100}))
        run.state = "stopped"
        listed.take(run)
    assert [one.number for one in listed.runs] == [8, 9]


def test_files_of_a_newer_version_are_refused_in_a_sentence() -> None:
    values = json.loads((FROZEN[-1] / "recipe.json").read_text())
    newer = {**values, "version": VERSION + 1, "gradient_clip": 1.0}
    with pytest.raises(RecipeError, match="has version 2; this program reads version 1"):
        weights.load_recipe(json.dumps(newer).encode())
    document = json.loads((FROZEN[-1] / "runs.json").read_text())
    with pytest.raises(ValueError, match="not a file of runs"):
        run_list.from_json(json.dumps({**document, "version": run_list.VERSION + 1}))


def test_things_of_a_newer_version_stay_behind_those_that_are_read(
    store: Store, opening: Callable[[], Desk]
) -> None:
    pictures = codecs.pictures("digits.own", project("digits").labels)
    good = read(FROZEN[-1], "desk.json")["things"]["digits.own"][0]
    store.put(DESK, "digits.own", {0: good, 1: b"seven\nnewer", 2: good}, 3)
    desk = opening()
    assert len(desk.things(pictures)) == 2
    desk.put(pictures, [*desk.things(pictures), desk.things(pictures)[0]])
    assert desk._home.flush()
    assert sorted(store.load(DESK).things["digits.own"]) == sorted([good] * 3 + [b"seven\nnewer"])
    again = opening()
    assert len(again.things(pictures)) == 3
    again.put(pictures, [])  # all of them: the student wants none
    assert again._home.flush()
    assert "digits.own" not in store.load(DESK).things


def test_a_table_without_a_column_that_was_added_since(
    store: Store, opening: Callable[[], Desk]
) -> None:
    columns = (*Coffee.encoder.columns, Coffee.encoder.target)
    more = Field("milk", "choice", "oat", "Milk", choices=("oat", "cow"))
    kind = codecs.table("coffee.own", (*columns, replace(more, before="cow")))
    (old,) = read(FROZEN[-1], "desk.json")["things"]["coffee.own"]
    (row,) = kind.decode(old)
    assert row["milk"] == "cow"
    unsaid = codecs.table("coffee.own", (*columns, more))
    assert unsaid.read(old) is None  # nobody knows which milk it was
    fewer = codecs.table("coffee.own", columns[1:])
    assert fewer.read(old) is None  # a newer program's column is not thrown away
    assert fewer.read(b"[[]]") is None

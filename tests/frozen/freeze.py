"""Write down what the present version of the program stores: python tests/frozen/freeze.py NAME.

See the README beside it.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from playground.backend import Backend
from playground.desks import run_list
from playground.export import weights
from playground.fields import Field
from playground.projects import PROJECTS, project
from playground.projects.coffee import Coffee
from playground.projects.rps.data import Round
from playground.recipe import FIELDS
from playground.rps_opponent.games import games
from playground.runtime.run import Run
from playground.runtime.service import RunService
from playground.storage import codecs
from playground.storage.store import Store

PICTURES = codecs.pictures("digits.own", project("digits").labels)
ENCODER = Coffee.encoder
COLUMNS = (*ENCODER.columns, ENCODER.target)
TABLE = codecs.table("coffee.own", COLUMNS)
GAMES = games("rps.finished")


def plain(value: Any) -> Any:
    """JSON of what a row holds; bytes as base64."""
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def range_of(field: Field) -> dict[str, Any]:
    """What the field allows; no limit is null."""
    values = {name: getattr(field, name) for name in ("kind", "low", "high", "longest", "choices")}
    return {
        name: None if value in (-math.inf, math.inf) else value for name, value in values.items()
    }


def trained(service: RunService, run: Run, until: Any) -> Run:
    service.start(run, until)
    while run.active:
        time.sleep(0.01)
    return run


def main(name: str) -> None:
    folder = Path(__file__).parent / name
    folder.mkdir()
    with tempfile.TemporaryDirectory() as place:
        backend = Backend(Store(f"sqlite:///{place}/playground.db"), workers=1)
        desk = backend.desks.fresh()
        small = {"hidden": (3,), "batch_size": 32, "threads": 1}
        coffee, weekday = project("coffee"), project("weekday")
        data = {"examples": 100}
        over = Run(coffee, coffee.recipe(epochs=2, data=data, **small))
        waits = Run(weekday, weekday.recipe(epochs=4, data=data, dropout=0.1, **small))
        for run in (over, waits):
            desk.runs[run.project.name] = run
            desk.take(run).rename(f"Ania's {run.project.name}")
        trained(backend.service, over, "end")
        trained(backend.service, waits, "epoch")
        desk.put(PICTURES, [(np.arange(0, 240, dtype=np.uint8).reshape(12, 20), 7)])
        desk.put(TABLE, [[{field.name: field.default for field in COLUMNS}]])
        desk.put(GAMES, [[Round(1, "rock", "paper"), Round(2, "scissors", "rock")]])
        desk.sync()
        assert backend.desks.flush()
        assert desk.id is not None
        found = backend.store.load(desk.id)
        backend.close()
    desk.kept.refresh()
    rows_of = [{k: plain(v) for k, v in dataclasses.asdict(row).items()} for row in found.runs]
    things = {kind: [plain(one) for one in contents] for kind, contents in found.things.items()}
    inputs = coffee.load(over.recipe).test.inputs[:3]
    predictor = over.predictor()
    answers = {"inputs": inputs.tolist(), "answers": predictor.ask(inputs).tolist()}
    ranges: dict[str, Any] = {"": {field: range_of(one) for field, one in FIELDS.items()}}
    for other in PROJECTS.values():
        ranges[other.name] = {field.name: range_of(field) for field in other.data_fields}
    written = [("a", desk.kept.runs[0]), ("b", desk.kept.runs[1])]
    for file, document in (
        ("desk.json", {"runs": rows_of, "things": things}),
        ("answers.json", answers),
        ("ranges.json", ranges),
    ):
        (folder / file).write_text(json.dumps(document, indent=1))
    (folder / "recipe.json").write_bytes(weights.to_json(over.recipe))
    (folder / "network.safetensors").write_bytes(weights.save(predictor, over.snapshot().history))
    (folder / "runs.json").write_text(run_list.to_json(written))


if __name__ == "__main__":
    main(sys.argv[1])

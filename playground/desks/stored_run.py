"""A run as the store has it: one codec, from a run to its row and back."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

import msgspec
from safetensors import torch as safetensors

from playground.data.dataset import Examples
from playground.desks.run_list import RunEntry, Unread
from playground.errors import PlaygroundError
from playground.export import weights
from playground.export.weights import BROKEN
from playground.history import History
from playground.i18n import N_
from playground.optimizers import Settings
from playground.projects import PROJECTS, opened
from playground.recipe import Recipe
from playground.runtime.run import OVER, Checkpoint, Run, Snapshot
from playground.storage.codecs import unpack
from playground.storage.records import Row
from playground.training import Controls

RESTARTED: Final = N_("The server was restarted.")


class Label(NamedTuple):
    """What the student says about a run, and whether its project's page shows it."""

    name: str
    shown: bool
    current: bool


def label_of(row: Row) -> Label:
    """Return the label of a stored run."""
    return Label(row.name, row.shown, row.current)


# --- To the store -----------------------------------------------------------------------------


def to_row(run: Run, kept: RunEntry, run_id: str, label: Label) -> Row | None:
    """Return what to store of ``run`` now; None while there is nothing."""
    over = run.over  # asked first: what comes after is its last
    network = progress = None
    if over:
        snapshot = run.snapshot()
        state, history = snapshot.state, snapshot.history
        steps_total, served = snapshot.steps_total, snapshot.served
        network = _network(run) if label.current else None
    else:
        checkpoint = run.checkpoint
        if checkpoint is None:
            return None
        state, history = "running", checkpoint.history
        steps_total, served = checkpoint.steps_total, checkpoint.served
        if label.current:
            settings = json.dumps(checkpoint.settings)
            progress = safetensors.save(checkpoint.progress, {"settings": settings})
    return Row(
        run_id,
        kept.number,
        *label,
        state,
        run.recipe.to_json(),
        history.to_json(),
        run.parameters,
        steps_total,
        served,
        network=network,
        progress=progress,
    )


def remains_to_row(kept: RunEntry, run_id: str, label: Label) -> Row:
    """Return what to store of a run that is over, and of which no network is here any more."""
    snapshot = kept.snapshot
    return Row(
        run_id,
        kept.number,
        label.name,
        label.shown,
        False,
        snapshot.state,
        snapshot.recipe.to_json(),
        snapshot.history.to_json(),
        kept.parameters,
        snapshot.steps_total,
        snapshot.served,
    )


def _network(run: Run) -> bytes | None:
    """The network of a run that is over; None if it never had one, or it is no number."""
    if not run.trained:
        return None
    return weights.save(run.predictor())


# --- From the store ---------------------------------------------------------------------------


def from_row(row: Row, own: bytes | None = None) -> RunEntry | Unread:
    """Return the entry of a stored run; one that nobody can read here is listed as such.

    ``own``: its own examples as they are stored, if it learned from any. The entry has the run
    itself if its network was stored, or if it can still go on.
    """
    try:
        recipe = opened(row.recipe)
        history = History.from_json(row.history)
    except (PlaygroundError, *BROKEN):
        return Unread(row.number, row.name)  # of another version of this program
    state: Any = row.state if row.state in OVER else "stopped"
    snapshot = Snapshot(
        state=state,
        recipe=recipe,
        history=history,
        steps_total=row.steps_total,
        served=row.served,
    )
    run: Run | None = None
    if row.current:
        try:
            examples = None if own is None else unpack(own)
            run = _revived(recipe, snapshot, row, examples)
        except (PlaygroundError, *BROKEN):
            run = None
    if row.state not in OVER and (run is None or run.over):
        history.ended, history.reason = "stopped", RESTARTED
    return RunEntry(row.number, snapshot, run, row.name, row.shown, row.parameters)


def _revived(recipe: Recipe, snapshot: Snapshot, row: Row, own: Examples | None) -> Run | None:
    project = PROJECTS[recipe.project]
    if row.network is not None:
        found = weights.load(row.network, limited=False)
        return Run.remembered(project, recipe, found.weights, found.scaler, snapshot, own)
    if row.progress is None:
        return None
    project.check(recipe)  # it would train, and so what holds for all that train holds for it
    settings = weights.metadata(row.progress)["settings"]
    checkpoint = Checkpoint(
        safetensors.load(row.progress),
        snapshot.history,
        settings_from(recipe, msgspec.json.decode(settings, type=list[float])),
        row.steps_total,
        row.served,
    )
    return Run.resumed(project, recipe, checkpoint, own)


def settings_from(recipe: Recipe, saved: list[float]) -> Settings:
    """The controls as they stood; one that is newer than what was saved stands as in the recipe."""
    usual = Controls(recipe).now
    if len(saved) > len(usual):
        raise ValueError("the controls of another version")
    return usual._replace(**dict(zip(Settings._fields, saved, strict=False)))


__all__ = [
    "RESTARTED",
    "Label",
    "from_row",
    "label_of",
    "remains_to_row",
    "settings_from",
    "to_row",
]

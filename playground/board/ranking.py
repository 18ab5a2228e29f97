"""The class board: what stands there of a run, and in which order.

Only what the validation set said stands there, never the test set.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from playground.export.weights import measured
from playground.fields import Value
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.runtime.run import Snapshot
from playground.storage.records import BoardEntry, Member


def other_task(recipe: Recipe) -> dict[str, Value]:
    """The data options by which a run was measured on something else than most are.

    Without noise everybody could win, and thirty validation examples are soon all right by
    luck: such runs stand below those that did the project's usual task.
    """
    kind = PROJECTS[recipe.project]
    usual = kind.recipe().data
    return {
        name: value
        for name, value in recipe.data.items()
        if value != usual[name] and not _comparable(kind, name, value, usual[name])
    }


def _comparable(kind: Project, name: str, value: Any, usual: Any) -> bool:
    if name in kind.neutral:
        return True
    if name == "rows":  # own rows join the training split, unless they are all there is
        return bool(value != "own")
    return name in kind.amounts and bool(value > usual)


def entry_of(snapshot: Snapshot, parameters: int, at: float) -> BoardEntry | None:
    """What a run that is over brings to the board; None if it brings nothing.

    A run that failed, diverged, or had no epoch brings nothing, and neither does a network
    from a file. The figure is that of the network that remained: of its best epoch with
    early stopping, else of its last whole one. ``best`` is left to :func:`best`.
    """
    recipe, history = snapshot.recipe, snapshot.history
    if snapshot.state not in ("finished", "stopped") or history.ended == "loaded":
        return None
    row = measured(recipe, history) or (history.epochs[-1] if history.epochs else None)
    kind = PROJECTS.get(recipe.project)
    if row is None or kind is None:
        return None
    value = row.validation.get(kind.metric.name, math.nan)
    if not math.isfinite(value):
        return None
    examples = history.data.get("validation", 0)
    other = other_task(recipe)
    return BoardEntry(
        recipe.project,
        value,
        None,
        int(examples),
        parameters,
        history.training,
        history.steps,
        at,
        json.dumps(other) if other else "",
    )


def best(runs: Iterable[tuple[Snapshot, int]], there: Mapping[str, BoardEntry]) -> list[BoardEntry]:
    """The best of the (snapshot, parameters) of each project, where it beats what is ``there``.

    How far it is from the best possible is computed for these alone, as it takes a while.
    """
    now = time.time()
    found: dict[str, tuple[BoardEntry, Recipe]] = {}
    for snapshot, parameters in runs:
        one = entry_of(snapshot, parameters, now)
        if one is None:
            continue
        before = found[one.project][0] if one.project in found else there.get(one.project)
        if before is None or rank(one)[:-1] < rank(before)[:-1]:
            found[one.project] = one, snapshot.recipe
    return [replace(one, best=limit(recipe)) for one, recipe in found.values()]


def limit(recipe: Recipe) -> float | None:
    """The best that any model could reach on the run's validation set, where it is known."""
    kind = PROJECTS[recipe.project]
    found = kind.best(recipe, "validation").get(kind.metric.name)
    return None if found is None or not math.isfinite(found) else found


def smaller_is_better(project: str) -> bool:
    """Is the project's metric an error?"""
    return not PROJECTS[project].metric.higher_is_better


def rank(figure: BoardEntry) -> tuple[bool, float, int, float, float]:
    """Less is better: the usual task, the metric, fewer parameters, less training, earlier."""
    value = figure.value if smaller_is_better(figure.project) else -figure.value
    return bool(figure.other), value, figure.parameters, figure.seconds, figure.at


def leaders(members: Iterable[Member], project: str) -> list[tuple[int | None, Member, BoardEntry]]:
    """(place, member, figure) of everybody with a run of ``project``, the best first.

    Equal in metric, parameters and training time is one place. No place for another task.
    """
    found = [(one, one.figures[project]) for one in members if project in one.figures]
    found.sort(key=lambda row: rank(row[1]))
    rows: list[tuple[int | None, Member, BoardEntry]] = []
    for n, (member, one) in enumerate(found):
        same = n > 0 and rank(found[n - 1][1])[:-1] == rank(one)[:-1]
        rows.append((None if one.other else rows[-1][0] if same else n + 1, member, one))
    return rows


def players(members: Iterable[Member]) -> list[tuple[int, Member]]:
    """(place, member) of everybody who threw, by rounds won beyond those lost.

    Not by the share of wins, which a single lucky round would lead.
    """
    found = [one for one in members if one.score.rounds]
    found.sort(key=lambda one: (_lead(one), one.score.won, -one.joined), reverse=True)
    rows: list[tuple[int, Member]] = []
    for n, one in enumerate(found):
        same = n > 0 and (_lead(found[n - 1]), found[n - 1].score) == (_lead(one), one.score)
        rows.append((rows[-1][0] if same else n + 1, one))
    return rows


def _lead(member: Member) -> int:
    return member.score.won - member.score.lost


def to_limit(figure: BoardEntry) -> float | None:
    """By how much the metric is worse than the best possible; less than 0 by luck alone."""
    if figure.best is None:
        return None
    more = figure.value - figure.best
    return more if smaller_is_better(figure.project) else -more

"""The class board: what stands there of a run, in which order, and under which names.

Only what the validation set said stands there, never the test set. Students come by
choice, under a nickname; who sees the board knows the teacher's secret. Without a secret
there is no board.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from playground.errors import PlaygroundError
from playground.export.weights import measured
from playground.fields import Value
from playground.i18n import N_
from playground.projects import PROJECTS
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.service import Snapshot
from playground.store import Figure, Member

SECRET: Final = "PLAYGROUND_TEACHER_SECRET"
"""The secret's name in the environment and in ``.streamlit/secrets.toml``."""
SHORTEST: Final = 2  # letters of a nickname
LONGEST: Final = 24
STACKED: Final = 2  # marks above and below one letter; more would reach into other rows
FREE: Final = 3  # wrong secrets in a row without a wait
LONGEST_WAIT: Final = 30.0  # seconds; the teacher may have to wait as long as a guesser


# --- The teacher's secret -------------------------------------------------------------------


def secret(*places: Mapping[str, object]) -> str | None:
    """The secret that the first of ``places`` names; None: the board is off."""
    for place in places:
        found = place.get(SECRET)
        # A number without quotation marks in a TOML file.
        text = str(found).strip() if isinstance(found, str | int) else ""
        if text and not isinstance(found, bool):
            return text
    return None


def fingerprint(text: str) -> bytes:
    """What a session remembers of the secret that it knew."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class GateError(PlaygroundError):
    """Too many wrong secrets: nobody gets in for a while."""


class Gate:
    """Asks for the secret, and makes guessers wait; one for a whole process.

    From the third wrong secret in a row on each costs a wait, twice as long as the last.
    It is everybody's wait, as a guesser may come from as many sessions as they like.
    ``clock`` is a parameter for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._wrong = 0
        self._until = -math.inf

    def admits(self, given: str, secret: str) -> bool:
        """Is ``given`` the secret?

        Raises:
            GateError: it has not been looked at, as it is too soon.
        """
        with self._lock:
            now = self.clock()
            if now < self._until:
                raise GateError(
                    N_("Too many wrong passwords. Try again in {n} s."),
                    n=math.ceil(self._until - now),
                )
            if hmac.compare_digest(fingerprint(given.strip()), fingerprint(secret)):
                self._wrong = 0
                return True
            self._wrong += 1
            if self._wrong >= FREE:
                self._until = now + min(2.0 ** min(self._wrong - FREE, 10), LONGEST_WAIT)
            return False


# --- Nicknames ------------------------------------------------------------------------------

# Letters and marks without a shape, and a blank that counts as a sign.
_UNSEEN: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)


def nickname(text: str) -> str:
    """``text`` as a nickname: NFKC, on one line, without spaces around it.

    Raises:
        PlaygroundError: it is too short or too long, nobody could read it, or it would
            change what stands around it.
    """
    unseen = any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn") for sign in text)
    text = " ".join(unicodedata.normalize("NFKC", text).split()) if not unseen else ""
    if unseen or _UNSEEN & set(text):
        raise PlaygroundError(
            N_(
                "A nickname cannot have invisible characters, line breaks or characters that "
                "reverse the text direction."
            )
        )
    if not SHORTEST <= len(text) <= LONGEST:
        raise PlaygroundError(
            N_("A nickname has {low} to {high} characters."), low=SHORTEST, high=LONGEST
        )
    if not any(unicodedata.category(sign)[0] in "LN" for sign in text):
        raise PlaygroundError(N_("A nickname must contain a letter or a digit."))
    marks = 0
    for sign in text:
        marks = marks + 1 if unicodedata.category(sign)[0] == "M" else 0
        if marks > STACKED:
            raise PlaygroundError(
                N_("A nickname can have at most {n} accents on one letter."), n=STACKED
            )
    return text


def folded(nickname: str) -> str:
    """The same for all nicknames that count as one: without case, whatever way it is written."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", nickname).casefold())


# --- What stands on the board ---------------------------------------------------------------


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


def figure(snapshot: Snapshot, parameters: int, at: float) -> Figure | None:
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
    return Figure(
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


def best(runs: Iterable[tuple[Snapshot, int]], there: Mapping[str, Figure]) -> list[Figure]:
    """The best of the (snapshot, parameters) of each project, where it beats what is ``there``.

    How far it is from the best possible is computed for these alone, as it takes a while.
    """
    now = time.time()
    found: dict[str, tuple[Figure, Recipe]] = {}
    for snapshot, parameters in runs:
        one = figure(snapshot, parameters, now)
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


def rank(figure: Figure) -> tuple[bool, float, int, float, float]:
    """Less is better: the usual task, the metric, fewer parameters, less training, earlier."""
    value = figure.value if smaller_is_better(figure.project) else -figure.value
    return bool(figure.other), value, figure.parameters, figure.seconds, figure.at


def leaders(members: Iterable[Member], project: str) -> list[tuple[int | None, Member, Figure]]:
    """(place, member, figure) of everybody with a run of ``project``, the best first.

    Equal in metric, parameters and training time is one place. No place for another task.
    """
    found = [(one, one.figures[project]) for one in members if project in one.figures]
    found.sort(key=lambda row: rank(row[1]))
    rows: list[tuple[int | None, Member, Figure]] = []
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


def to_limit(figure: Figure) -> float | None:
    """By how much the metric is worse than the best possible; less than 0 by luck alone."""
    if figure.best is None:
        return None
    more = figure.value - figure.best
    return more if smaller_is_better(figure.project) else -more

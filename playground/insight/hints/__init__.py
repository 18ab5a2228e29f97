"""What a run's numbers say about it: in one sentence, with a change of settings that helps.

Pure functions over a recipe, its history, what is known about the data, and (where the
run stands still) what was measured on its network. A page turns a hint's ``changes`` into
a button.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.insight.hints.measure import Layer, Measured, constant, measure
from playground.insight.hints.rules import LAST_WORDS, RULES, TOO_LITTLE
from playground.insight.hints.situation import Hint, Setting, Share, Situation, Stage

__all__ = [
    "Hint",
    "Layer",
    "Measured",
    "Setting",
    "Share",
    "Situation",
    "Standing",
    "constant",
    "hints",
    "measure",
    "steady",
]

PATIENCE = 10  # looks at which what was said is not found any more, until it goes
MAX_HINTS = 2  # at a time: who reads ten pieces of advice follows none


def hints(situation: Situation, most: int = MAX_HINTS) -> Sequence[Hint]:
    """What is worth saying now, at most ``most``, the most important first.

    A run that diverged or is at its limit needs no other advice; that too little was
    learned is said once. Nor is there a second hint that would move the same control as
    the first: their two buttons might pull in opposite directions.
    """
    found: list[Hint] = []
    names = {rule.__name__ for rule in TOO_LITTLE}
    for rule in RULES:
        hint = rule(situation)
        if hint is None:
            continue
        if any(set(hint.changes) & set(other.changes) for other in found):
            continue
        if rule in TOO_LITTLE and any(other.rule in names for other in found):
            continue
        found.append(hint)
        if rule in LAST_WORDS:
            break
    return found[:most]


@dataclass(frozen=True)
class Standing:
    """What stands on the page: the hints, how often each was missed since, and who waits.

    ``waiting``: rules that the last look found and that are not said yet.
    """

    hints: Sequence[Hint] = ()
    missed: Sequence[int] = ()
    waiting: Sequence[str] = ()


def steady(
    before: Standing, found: Sequence[Hint], stage: Stage, most: int = MAX_HINTS
) -> Standing:
    """What stands after a look that ``found`` these: a hint that was said stays.

    While a run trains its figures tremble about a rule's threshold. So a hint is said when it
    was found twice in a row, and goes when it was not found for ``PATIENCE`` looks, or makes
    way for one that leaves nothing else to say. A run that stands still is judged by what it is.
    """
    if stage != "running":
        return Standing(found, [0] * len(found))
    by_rule = {hint.rule: hint for hint in found}
    said = {hint.rule for hint in before.hints}
    last = {rule.__name__ for rule in LAST_WORDS}
    stays: list[tuple[Hint, int]] = []
    for hint, missed in zip(before.hints, before.missed, strict=True):
        count = 0 if hint.rule in by_rule else missed + 1
        if count < PATIENCE:
            stays.append((by_rule.get(hint.rule, hint), count))
    for hint in found:
        if hint.rule in said or hint.rule not in before.waiting:
            continue
        if hint.rule in last:
            stays = [(hint, 0)]
            break
        moves = any(set(hint.changes) & set(other.changes) for other, _ in stays)
        if len(stays) < most and not moves:
            stays.append((hint, 0))
    there = {hint.rule for hint, _ in stays}
    waiting = [hint.rule for hint in found if hint.rule not in there]
    return Standing([hint for hint, _ in stays], [count for _, count in stays], waiting)

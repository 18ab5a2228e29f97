"""What a run's numbers say about it: in one sentence, with a change of settings that helps.

Pure functions over a recipe, its history, what is known about the data, and (where the
run stands still) what was measured on its network. A page turns a hint's ``changes`` into
a button.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.insight.hints.measure import Layer, Measured, constant, measure
from playground.insight.hints.rules import LAST_WORDS, RULES, TOO_LITTLE
from playground.insight.hints.situation import Hint, Setting, Share, Situation

__all__ = [
    "Hint",
    "Layer",
    "Measured",
    "Setting",
    "Share",
    "Situation",
    "constant",
    "hints",
    "measure",
]

MOST = 2  # at a time: who reads ten pieces of advice follows none


def hints(situation: Situation, most: int = MOST) -> Sequence[Hint]:
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

"""Which numbers stand on an axis: a few, spread out, at least two of them labelled."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Final

from playground.ui.shell import language

SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MANTISSAS: Final = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), tuple(range(1, 10)))
MAX_LABELS: Final = 7


def linear(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from ``low`` to ``high``: two or more, about ``most``."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / most))
    steps = [factor * power for factor in (1, 2, 2.5, 5, 10)]
    step = next((step for step in steps if span / step <= most), steps[-1])
    for finer in (step, step / 2, step / 4):
        found = [n * finer for n in range(math.ceil(low / finer), math.floor(high / finer) + 1)]
        if len(found) > 1:
            return [float(f"{value:.12g}") for value in found]
    return [low, high]


def log(low: float, high: float) -> list[float]:
    """Round numbers from ``low`` to ``high``, both above zero, that spread evenly as powers do."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    # Over many powers of ten, every second one, or every third, …
    apart = max(1, math.ceil((last - first) / MAX_LABELS))
    every = [
        [
            float(f"{mantissa * 10.0**power:.12g}")
            for power in range(first, last + 1)
            if power % apart == 0 or apart == 1
            for mantissa in mantissas
        ]
        for mantissas in MANTISSAS
    ]
    inside = [[value for value in values if low <= value <= high] for values in every]
    for found in reversed(inside):
        if 2 <= len(found) <= MAX_LABELS:
            return found
    return linear(low, high)


def written(value: float) -> str:
    """``value`` on an axis, short, as the reader writes it: 0.05, 20,000, 10⁶, 5·10⁷."""
    if value == 0:
        return "0"
    power = math.floor(math.log10(abs(value)) + 1e-9)
    if -5 < power < 6:
        digits = max(0, -power + 3)
        text = f"{abs(value):.{digits}f}" if digits else str(round(abs(value)))
        _whole, _point, decimals = text.partition(".")
        said = language.number(abs(value), len(decimals.rstrip("0")))
    else:
        mantissa = float(f"{abs(value) / 10.0**power:.3g}")
        said = f"10{str(power).translate(SUPERSCRIPT)}"
        if mantissa != 1:
            said = f"{language.number(mantissa, 0 if mantissa.is_integer() else 1)}·{said}"
    return f"−{said}" if value < 0 else said


def axis(values: Sequence[float], words: Sequence[str] | None = None) -> dict[str, object]:
    """A Vega axis with these numbers, in ``words`` or written as the reader does."""
    said = [*words] if words is not None else [written(value) for value in values]
    labels = json.dumps(said, ensure_ascii=False)
    at = ",".join(repr(float(value)) for value in values)
    return {
        "values": list(values),
        "labelExpr": f"{labels}[indexof([{at}], datum.value)]",
        "labelOverlap": False,
    }

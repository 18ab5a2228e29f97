"""An optimizer's formula with the numbers of one step put in, as LaTeX."""

from __future__ import annotations

import math
from collections.abc import Iterable

from playground.insight.descent import Track, by_hand
from playground.insight.surfaces import Place
from playground.ui import formula


def cards(track: Track, step: int) -> list[str]:
    """The parts of the step from ``step`` on: what is remembered first, the step itself last."""
    update, recipe = by_hand(track, step), track.recipe
    rate, mu = number(recipe.learning_rate), number(recipe.momentum)
    w, g, after = pair(update.before), pair(update.gradient), pair(update.after)
    memory = []
    match track.name:
        case "momentum" | "nesterov":
            v = pair(update.new["v"])
            memory = [
                lines(
                    r"v \leftarrow \mu v + g",
                    rf"= {mu} \cdot {pair(update.old['v'])} + {g}",
                    rf"= {v}",
                )
            ]
            rule, numbers = r"v", v
            if track.name == "nesterov":
                rule, numbers = r"(g + \mu v)", rf"\left({g} + {mu} \cdot {v}\right)"
        case "rmsprop":
            s = pair(update.new["s"])
            memory = [lines(*_squares(r"\alpha", recipe.beta2, update.old["s"], g, s))]
            rule, numbers = r"\frac{g}{\sqrt{s} + \varepsilon}", rf"{g} \big/ \sqrt{{{s}}}"
        case "adam":
            m, s = pair(update.new["m"]), pair(update.new["s"])
            m_hat, s_hat = pair(update.corrected["m"]), pair(update.corrected["s"])
            b1, b2, t = number(recipe.beta1), number(recipe.beta2), update.step
            memory = [
                lines(
                    r"m \leftarrow \beta_1 m + (1 - \beta_1)\, g",
                    rf"= {b1} \cdot {pair(update.old['m'])} + {number(1 - recipe.beta1)}"
                    rf" \cdot {g}",
                    rf"= {m}",
                    rf"\hat m = m / (1 - {b1}^{{{t}}}) = {m_hat}",
                ),
                lines(
                    *_squares(r"\beta_2", recipe.beta2, update.old["s"], g, s),
                    rf"\hat s = s / (1 - {b2}^{{{t}}}) = {s_hat}",
                ),
            ]
            rule = r"\frac{\hat m}{\sqrt{\hat s} + \varepsilon}"
            numbers = rf"{m_hat} \big/ \sqrt{{{s_hat}}}"
        case _:
            rule, numbers = "g", g
    step_itself = lines(
        rf"w \leftarrow w - \eta\, {rule}", rf"= {w} - {rate} \cdot {numbers}", rf"= {after}"
    )
    return [*memory, step_itself]


def _squares(beta: str, value: float, old: Place, g: str, new: str) -> tuple[str, str, str]:
    """The running average of squared gradients."""
    return (
        rf"s \leftarrow {beta} s + (1 - {beta})\, g^2",
        rf"= {number(value)} \cdot {pair(old)} + {number(1 - value)} \cdot {g}^{{2}}",
        rf"= {new}",
    )


def lines(*parts: str) -> str:
    """Lines below each other."""
    return r"\small\begin{gathered}" + r" \\ ".join(parts) + r"\end{gathered}"


def pair(values: Iterable[float]) -> str:
    """A column of two numbers, as many digits each as say it."""
    return r"\begin{bmatrix}" + r" \\ ".join(map(number, values)) + r"\end{bmatrix}"


def number(value: float) -> str:
    """Three significant digits; a power of ten where zeros would have to be counted."""
    if value == 0 or not math.isfinite(value):
        return formula.tex(0, 0) if value == 0 else r"\infty"
    power = math.floor(math.log10(abs(value)))
    if not -4 <= power < 5:
        return rf"{formula.tex(value / 10**power, 1)} \cdot 10^{{{power}}}"
    digits = max(0, 2 - power)
    text = formula.tex(value, digits)
    return text.rstrip("0").removesuffix("{,}").removesuffix(".") if digits else text


__all__ = ["cards", "lines", "number", "pair"]

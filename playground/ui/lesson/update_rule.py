"""An optimizer's formula with the numbers of one step put in, as LaTeX."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import torch

from playground.lesson.descent import EPSILON, Track, by_hand
from playground.lesson.surfaces import Place, Surface
from playground.ui.charts import formula
from playground.ui.charts.formula import vector
from playground.ui.charts.sums import NOISE, Number, Sums, sign_of

Pair = tuple[Number, Number]
"""One number a weight."""

FINE: Final = 3  # decimals of a weight, at least: what a step moves must be seen


def step(track: Track, surface: Surface, slope: str, place: int) -> tuple[list[str], Pair]:
    """The parts of the step from ``place`` on, and the weights that it leads to.

    The gradient comes first (``slope`` is its formula), then what is remembered, and last
    the step itself.
    """
    update, recipe = by_hand(track, place), track.recipe
    sums = Sums()
    rate, mu = sums.given(recipe.learning_rate), sums.given(recipe.momentum)

    def pair(values: Place, places: int = 0, noise: float = NOISE) -> Pair:
        first, second = (sums.number(value, places=places, noise=noise) for value in values)
        return first, second

    def of(
        rule: Callable[..., float], *parts: Pair | Number, places: int = 0, noise: float = NOISE
    ) -> Pair:
        """What ``rule`` makes of either weight's parts; a single number serves both."""
        first, second = (
            sums.of(
                rule,
                *(part if isinstance(part, Number) else part[weight] for part in parts),
                places=places,
                noise=noise,
            )
            for weight in (0, 1)
        )
        return first, second

    def after(rule: Callable[..., float], *parts: Pair | Number) -> Pair:
        return of(rule, w, rate, *parts, places=FINE)

    w = pair(update.before, places=FINE)
    g = _gradients(sums, surface, w)
    # A card is written when all sums are known: what a number needs depends on all of them.
    cards: list[Callable[[], tuple[str, ...]]] = []
    rule: str
    numbers: Callable[[], str]
    match track.name:
        case "momentum" | "nesterov":
            old = pair(update.old["v"])
            v = of(lambda mu, old, g: mu * old + g, mu, old, g)
            cards.append(
                lambda: (
                    r"v \leftarrow \mu v + g",
                    rf"= {mu.tex} \cdot {vector(old)} + {vector(g)}",
                    f"{sign_of(v)} {vector(v)}",
                )
            )
            rule, numbers = "v", lambda: vector(v)
            end = after(lambda w, rate, v: w - rate * v, v)
            if track.name == "nesterov":
                rule = r"(g + \mu v)"
                numbers = lambda: rf"\left({vector(g)} + {mu.tex} \cdot {vector(v)}\right)"  # noqa: E731
                end = after(lambda w, rate, g, mu, v: w - rate * (g + mu * v), g, mu, v)
        case "rmsprop":
            alpha = sums.given(recipe.beta2)
            old = pair(update.old["s"], noise=0)
            s = of(_average_of_squares, alpha, old, g, noise=0)
            cards.append(lambda: _squares(r"\alpha", alpha, old, g, s))
            rule = r"\frac{g}{\sqrt{s} + \varepsilon}"
            numbers = lambda: rf"{vector(g)} \big/ \sqrt{{{vector(s)}}}"  # noqa: E731
            end = after(_scaled, g, s)
        case "adam":
            t = update.step
            b1, b2 = sums.given(recipe.beta1), sums.given(recipe.beta2)
            old, old_s = pair(update.old["m"]), pair(update.old["s"], noise=0)
            m = of(lambda b1, old, g: b1 * old + (1 - b1) * g, b1, old, g)
            s = of(_average_of_squares, b2, old_s, g, noise=0)
            m_hat = of(lambda m, b1: m / (1 - b1**t), m, b1)
            s_hat = of(lambda s, b2: s / (1 - b2**t), s, b2, noise=0)
            cards += [
                lambda: (
                    r"m \leftarrow \beta_1 m + (1 - \beta_1)\, g",
                    rf"= {b1.tex} \cdot {vector(old)} + {_rest(b1)} \cdot {vector(g)}",
                    f"{sign_of(m)} {vector(m)}",
                    rf"\hat m = m / (1 - {b1.tex}^{{{t}}}) {sign_of(m_hat)} {vector(m_hat)}",
                ),
                lambda: (
                    *_squares(r"\beta_2", b2, old_s, g, s),
                    rf"\hat s = s / (1 - {b2.tex}^{{{t}}}) {sign_of(s_hat)} {vector(s_hat)}",
                ),
            ]
            rule = r"\frac{\hat m}{\sqrt{\hat s} + \varepsilon}"
            numbers = lambda: rf"{vector(m_hat)} \big/ \sqrt{{{vector(s_hat)}}}"  # noqa: E731
            end = after(_scaled, m_hat, s_hat)
        case _:
            rule, numbers = "g", lambda: vector(g)
            end = after(lambda w, rate, g: w - rate * g, g)
    parts = [
        lines(f"g = {slope}", f"{sign_of(g)} {vector(g)}"),
        *(lines(*card()) for card in cards),
        lines(
            rf"w \leftarrow w - \eta\, {rule}",
            rf"= {vector(w)} - {rate.tex} \cdot {numbers()}",
            f"{sign_of(end)} {vector(end)}",
        ),
    ]
    return parts, end


def _gradients(sums: Sums, surface: Surface, w: Pair) -> Pair:
    """The gradient at w, by the surface's formula."""

    def part(place: int) -> Number:
        def rule(w1: float, w2: float) -> float:
            here = torch.tensor([w1, w2], dtype=torch.double)
            return float(surface.gradient(here)[place])

        return sums.of(rule, *w)

    return part(0), part(1)


def _average_of_squares(beta: float, old: float, g: float) -> float:
    return beta * old + (1 - beta) * g**2


def _scaled(w: float, rate: float, direction: float, squares: float) -> float:
    return w - rate * direction / (math.sqrt(squares) + EPSILON)


def _squares(beta: str, value: Number, old: Pair, g: Pair, new: Pair) -> tuple[str, ...]:
    """The running average of squared gradients."""
    return (
        rf"s \leftarrow {beta} s + (1 - {beta})\, g^2",
        rf"= {value.tex} \cdot {vector(old)} + {_rest(value)} \cdot {vector(g)}^{{2}}",
        f"{sign_of(new)} {vector(new)}",
    )


def _rest(value: Number) -> str:
    """1 - β."""
    return Sums().given(1 - value.value).tex


def lines(*parts: str) -> str:
    """Lines below each other."""
    return r"\small\begin{gathered}" + r" \\ ".join(parts) + r"\end{gathered}"


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


__all__ = ["lines", "number", "step"]

"""Read the formulas of a page as a student with a calculator would, and do them again.

It knows LaTeX, not how the page makes it: a formula is cut at its signs = and ≈, what consists
of numbers is calculated with the digits that stand there, and compared with the result that
stands behind it. Letters count as soon as the page has said what they are.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from opening import open_page
from streamlit.testing.v1 import AppTest

from playground.fields import Field
from playground.ui.lesson import page as lesson
from playground.ui.widgets.controls import stops

EPSILON = 1e-8  # of RMSprop and Adam, which the numbers leave out
Value = float | list[Any]


@dataclass(frozen=True)
class Literal:
    """A number as it stands there, and half of its last digit."""

    value: float
    half: float


@dataclass
class Check:
    """One sum that was done again."""

    shown: str
    calculated: Value
    equal: bool  # whether it claims to be equal
    right: bool


@dataclass
class Reader:
    """Reads the formulas of one page; remembers what its letters are."""

    language: str
    activation: str = ""
    letters: dict[str, Value] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    # --- Numbers -------------------------------------------------------------------------

    @property
    def number(self) -> re.Pattern[str]:
        if self.language == "pl":
            return re.compile(r"\d{1,3}(?:\\,\d{3})+(?:\{,\}\d+)?|\d+(?:\{,\}\d+)?")
        return re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")

    def literal(self, text: str) -> Literal | None:
        """The number that a piece consists of, if it is one."""
        found = re.fullmatch(
            rf"(-?)\s*({self.number.pattern})(?:\s*\\cdot\s*10\^\{{(-?\d+)\}})?", text.strip()
        )
        if not found:
            return None
        digits = found[2].replace(r"\,", "").replace("{,}", ".")
        if self.language == "en":
            digits = digits.replace(",", "")
        power = int(found[3] or 0)
        decimals = len(digits.partition(".")[2])
        value = float(f"{found[1]}{digits}e{power}")
        return Literal(value, 0.5 * 10.0 ** (power - decimals))

    def plain(self, text: str) -> str:
        """A number of a sentence or a table as it would stand in a formula."""
        text = text.replace("−", "-").replace("\N{NO-BREAK SPACE}", r"\,").strip("* ")
        raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
        text = re.sub(
            r" · 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: rf" \cdot 10^{{{m[1].translate(raised)}}}", text
        )
        return re.sub(r"(?<=\d),(?=\d)", "{,}", text) if self.language == "pl" else text

    # --- Formulas ------------------------------------------------------------------------

    def read(self, formula: str) -> None:
        """Do all sums of one formula."""
        if "&&" in formula:
            self._columns(formula)
            return
        for chain in _chains(formula):
            self._chain(chain)

    def _chain(self, chain: list[tuple[str, str]]) -> None:
        name = _name(chain[0][1])
        before: list[str] = [] if name else [chain[0][1]]
        for sign, text in chain[1:]:
            results = self._results(text)
            if results is not None:
                for expression in before:
                    if self._results(expression) is None:
                        self.compare(expression, sign, text)
                if name:
                    values = [result.value for result in results]
                    self.letters[name] = values if r"\begin{bmatrix}" in text else values[0]
            before.append(text)

    def compare(self, expression: str, sign: str, result: str) -> None:
        """Whether ``expression`` gives ``result``, if all in it is known."""
        shown = self._results(result)
        assert shown is not None
        calculated = self.calculate(expression)
        if calculated is None:
            return
        values = calculated if isinstance(calculated, list) else [calculated]
        if len(values) != len(shown) or any(math.isnan(value) for value in values):
            return
        if len(shown) > 1:
            values = [value[0] if isinstance(value, list) else value for value in values]
        hold = [
            abs(value - one.value) <= one.half * (1 + 1e-6) + 1e-11 * abs(one.value)
            for value, one in zip(values, shown, strict=True)
        ]
        equal = sign == "="
        right = all(hold)
        if not equal:
            # ≈ says that rounded numbers were put in: then no more is missing than they explain,
            # and where they give the result, = is what should stand there.
            room = self._room(expression, values)
            right = not right and all(
                abs(value - one.value) <= one.half + more
                for value, one, more in zip(values, shown, room, strict=True)
            )
        self.checks.append(Check(f"{expression} {sign} {result}", calculated, equal, right))

    def _room(self, expression: str, values: Sequence[float]) -> list[float]:
        """How much the roundings of an expression's numbers can change its value, at most."""
        room = [0.0] * len(values)
        for found in self.number.finditer(expression):
            one = self.literal(found[0])
            assert one is not None
            farthest = [0.0] * len(values)
            for moved in (one.value - one.half, one.value + one.half):
                text = f"{moved:.15f}"
                if self.language == "pl":
                    text = text.replace(".", "{,}")
                changed = self.calculate(
                    expression[: found.start()] + text + expression[found.end() :]
                )
                if changed is None:
                    continue
                for place, value in enumerate(changed if isinstance(changed, list) else [changed]):
                    if not math.isnan(value):
                        farthest[place] = max(farthest[place], abs(value - values[place]))
            room = [a + 1.1 * b for a, b in zip(room, farthest, strict=True)]
        return room

    def _results(self, text: str) -> list[Literal] | None:
        """The numbers that a piece is, alone or as a column, if it is nothing else."""
        column = re.fullmatch(r"\s*\\begin\{bmatrix\}(.*)\\end\{bmatrix\}\s*", text)
        if column and r"\begin" not in column[1] and "&" not in column[1]:
            found = [self.literal(part) for part in column[1].split(r"\\")]
            return [one for one in found if one] if all(found) else None
        one = self.literal(text)
        return None if one is None else [one]

    def _columns(self, formula: str) -> None:
        """A sum whose terms stand below each other, each with its value beside it."""
        terms = 0.0
        for line in _lines(formula):
            left, _gap, right = line.partition("&&")
            if not right:
                last = re.sub(r"[&\s]", "", line)
                sign, result = ("=", last[1:]) if last[:1] == "=" else (r"\approx", last[7:])
                if self.literal(result):
                    shown = f"{terms:.12f}".replace(".", "{,}" if self.language == "pl" else ".")
                    self.compare(f"({shown})", sign, result)
                continue
            right = right.replace(r"\quad", "").strip()
            sign = r"\approx" if right.startswith(r"\approx") else "="
            right = right.removeprefix(r"\approx").strip()
            value = self.calculate(right)
            assert isinstance(value, float)
            terms += value
            left = left.replace(r"\phantom{=}", "").replace("&", "").strip().removeprefix("=")
            # Without its plus, as a result stands.
            self.compare(f"0 {left}" if left[:1] in "+-" else left, sign, _signless(right))

    def calculate(self, expression: str) -> Value | None:
        """What an expression gives; None if there is something in it that is not known."""
        try:
            return Calculation(self, expression).value()
        except Unknown:
            return None
        except (ZeroDivisionError, ValueError, OverflowError):
            return math.nan


def _signless(text: str) -> str:
    return text.removeprefix("+").strip() if text.startswith("+") else text.replace("- ", "-", 1)


def _unwrap(text: str, command: str) -> str:
    """Without ``command`` around a group."""
    while (start := text.find(command)) >= 0:
        place = start + len(command)
        depth, end = 1, place
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        text = text[:start] + text[place : end - 1] + text[end:]
    return text


def _lines(formula: str) -> list[str]:
    """The lines of a formula; a matrix stays whole."""
    text = formula.strip().strip("$").strip()
    text = re.sub(r"\\textcolor\{#\w+\}\{", r"\\coloured{", text)
    for command in (r"\coloured{", r"\mathbf{"):
        text = _unwrap(text, command)
    text = re.sub(
        r"\\(begin|end)\{(aligned|gathered)\}|\\small|(?<!\\)\\text\{[^}]*\}|(?<!\\)\\ ", " ", text
    )
    text = re.sub(r"\\rule\{[^}]*\}\{[^}]*\}", "", text)
    text = re.sub(r"\\vphantom\{\\frac\{1\}\{1 \+ e\^\{-z_1\}\}\}", "", text)
    matrices: list[str] = []

    def keep(found: re.Match[str]) -> str:
        matrices.append(found[0])
        return f"@{len(matrices) - 1}@"

    text = re.sub(r"\\begin\{bmatrix\}.*?\\end\{bmatrix\}", keep, text)
    lines = re.split(r"\\\\(?:\[\w+\])?", text)
    return [re.sub(r"@(\d+)@", lambda m: matrices[int(m[1])], line) for line in lines]


def _chains(formula: str) -> Iterator[list[tuple[str, str]]]:
    """Each equation: pieces, each with the sign that stands before it."""
    whole: list[str] = []
    for line in _lines(formula):
        parts = re.split(r"(\\begin\{bmatrix\}.*?\\end\{bmatrix\})", line)
        bare = "".join(
            part if part.startswith(r"\begin") else part.replace("&", "") for part in parts
        )
        goes_on = re.match(r"\s*(=|\\approx|\\quad)", bare)
        bare = bare.replace(r"\phantom{=}", "")
        # What stands behind a gap is a remark: (x > 0).
        bare = re.sub(r"\\q?quad\s*\(.*$", "", bare.replace(r"\quad ", " ", 1 if goes_on else 0))
        bare = re.sub(r"\\;\(b\)", "", bare)
        if goes_on and whole:
            whole[-1] += " " + bare
        else:
            whole.append(bare)
    for equation in whole:
        parts = re.split(r"(=|\\approx|\\leftarrow)", equation)
        chain = [("", parts[0].strip())]
        chain += [(sign, text.strip()) for sign, text in zip(parts[1::2], parts[2::2], strict=True)]
        yield chain


def _name(text: str) -> str:
    """The letter that an equation is about, if it is one."""
    text = text.strip()
    return text if re.fullmatch(r"[A-Za-z](_\{?\d+\}?)?|\\hat [ms]", text) else ""


class Unknown(Exception):  # noqa: N818 - not an error: a piece with letters
    """There is something in an expression that is not a known number."""


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


FUNCTIONS: dict[str, Callable[[float], float]] = {
    r"\sigma": sigmoid,
    r"\tanh": math.tanh,
    r"\mathrm{ReLU}": lambda z: max(0.0, z),
    r"\ln": math.log,
    r"\sin": math.sin,
    r"\cos": math.cos,
}
BENDS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (math.tanh, lambda z: 1 - math.tanh(z) ** 2),
    "relu": (lambda z: max(0.0, z), lambda z: float(z > 0)),
    "leaky_relu": (lambda z: max(0.1 * z, z), lambda z: 1.0 if z > 0 else 0.1),
    "none": (lambda z: z, lambda z: 1.0),
}


class Calculation:
    """An expression in LaTeX, from left to right."""

    def __init__(self, reader: Reader, text: str) -> None:
        self.reader, self.text, self.at = reader, text.strip(), 0

    def value(self) -> Value:
        if not self.text:
            raise Unknown
        found = self._sum()
        self._space()
        if self.at < len(self.text):
            raise Unknown
        return found

    def _space(self) -> None:
        while match := re.match(r"\s+|\\[,;!]|~", self.text[self.at :]):
            self.at += match.end()

    def _take(self, *texts: str) -> str:
        self._space()
        for text in texts:
            if self.text.startswith(text, self.at):
                self.at += len(text)
                return text
        return ""

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise Unknown

    def _sum(self) -> Value:
        sign = self._take("-", "+")
        total = self._product()
        if sign == "-":
            total = _each(lambda a: -a, total)
        while sign := self._take("+", "-"):
            total = _each(
                (lambda a, b: a + b) if sign == "+" else (lambda a, b: a - b),
                total,
                self._product(),
            )
        return total

    def _product(self) -> Value:
        total = self._power()
        while True:
            if self._take(r"\cdot"):
                total = _times(total, self._signed())
            elif self._take(r"\big/", "/"):
                self._space()
                # The numbers leave ε out, which keeps 0 / 0 away.
                tiny = EPSILON if self.text.startswith(r"\sqrt", self.at) else 0.0
                by = _each(lambda a, more: a + more, self._signed(), tiny)
                total = _each(lambda a, b: a / b, total, by)
            elif self._starts():
                total = _times(total, self._power())
            else:
                return total

    def _signed(self) -> Value:
        if self._take("-"):
            return _each(lambda a: -a, self._power())
        return self._power()

    def _starts(self) -> bool:
        """Whether a factor follows without a sign."""
        self._space()
        rest = self.text[self.at :]
        return bool(
            re.match(r"[0-9A-Za-z(\[]|\\(frac|tfrac|sqrt|begin|left\(|lvert)", rest)
        ) or any(rest.startswith(name) for name in FUNCTIONS)

    def _power(self) -> Value:
        base = self._atom()
        while self._take("^"):
            by = self._group()
            base = _each(lambda a, b: a**b, base, by)
        return base

    def _group(self) -> Value:
        """What stands in braces, or one sign."""
        if self._take("{"):
            found = self._sum()
            self._need("}")
            return found
        self._space()
        self.at += 1
        return self._part(self.text[self.at - 1])

    def _part(self, text: str) -> Value:
        return Calculation(self.reader, text).value()

    def _atom(self) -> Value:  # noqa: C901 (one branch for each thing a text may hold)
        self._space()
        rest = self.text[self.at :]
        if match := self.reader.number.match(rest):
            self.at += match.end()
            one = self.reader.literal(match[0])
            assert one is not None
            return one.value
        if rest.startswith(r"\begin{bmatrix}"):
            return self._matrix()
        for opening, closing in (("(", ")"), (r"\left(", r"\right)"), ("|", "|"), ("[", "]")):
            if self._take(opening):
                found = self._sum()
                if self._take(","):  # a pair
                    found = [found, self._sum()]
                self._need(closing)
                return _each(abs, found) if opening == "|" else found
        if self._take(r"\lvert"):
            found = self._sum()
            self._need(r"\rvert")
            return _each(abs, found)
        if self._take(r"\lceil"):
            found = self._sum()
            self._need(r"\rceil")
            return _each(math.ceil, found)
        if self._take(r"\frac", r"\tfrac"):
            above, below = self._group(), self._group()
            return _each(lambda a, b: a / b, above, below)
        if self._take(r"\sqrt"):
            return _each(math.sqrt, self._group())
        if self._take(r"\max"):
            return self._largest()
        for name, function in FUNCTIONS.items():
            if self._take(name):
                # sin 2w is the sine of all of it, ln (2) only of what is in the brackets.
                wide = name in (r"\sin", r"\cos")
                return _each(function, self._product() if wide else self._power())
        for name, which in (("f'", 1), ("f", 0)):
            if re.match(rf"{name}\(", rest) and self.reader.activation in BENDS:
                self._take(name)
                return _each(BENDS[self.reader.activation][which], self._atom())
        if match := re.match(r"[A-Za-z](_\{?\d+\}?)?|\\hat [ms]", rest):
            name = match[0]
            if name in self.reader.letters:
                self.at += match.end()
                return self.reader.letters[name]
            if name == "e" and rest.startswith("e^"):
                self.at += 1
                return math.e
        raise Unknown

    def _largest(self) -> Value:
        self._need("(")
        values = [self._sum()]
        while self._take(";", ","):
            values.append(self._sum())
        self._need(")")
        if any(isinstance(value, list) for value in values):
            raise Unknown
        return max(value for value in values if not isinstance(value, list))

    def _matrix(self) -> Value:
        end = self.text.index(r"\end{bmatrix}", self.at)
        inside = self.text[self.at + len(r"\begin{bmatrix}") : end]
        self.at = end + len(r"\end{bmatrix}")
        rows = [[self._part(cell) for cell in row.split("&")] for row in inside.split(r"\\")]
        return [row[0] for row in rows] if all(len(row) == 1 for row in rows) else rows


def _each(rule: Callable[..., float], *values: Value) -> Value:
    """``rule`` for each entry of columns; a single number goes with each of them."""
    length = max((len(value) for value in values if isinstance(value, list)), default=0)
    if not length:
        return float(rule(*values))
    rows: list[Any] = []
    for place in range(length):
        entries = [value[place] if isinstance(value, list) else value for value in values]
        try:
            rows.append(_each(rule, *entries))
        except (ZeroDivisionError, ValueError, OverflowError):
            rows.append(math.nan)
    return rows


def _times(first: Value, second: Value) -> Value:
    """A product: of numbers, of a number and a column, or of a matrix and a column."""
    if isinstance(first, list) and isinstance(second, list) and isinstance(first[0], list):
        return [sum(a * b for a, b in zip(row, second, strict=True)) for row in first]
    return _each(lambda a, b: a * b, first, second)


# --- Pages --------------------------------------------------------------------------------

VIEWS: dict[str, tuple[str, ...]] = {
    "neuron": ("line", "plane", "layer", "bends", "region"),
    "activations": ("curve", "depth", "network"),
    "forward_pass": ("network", "convolution"),
    "loss": ("regression", "outlier", "classification", "yes_no", "why_not_mse"),
    "backpropagation": ("chain", "nudge", "step"),
    "optimizers": ("flat",),
    "batches": ("cards", "noise", "overfitting"),
    "pytorch": ("",),
}


def anywhere(one: Field, source: random.Random) -> Any:
    """Some value of a dial: at an end, or in between."""
    if one.kind == "choice":
        return source.choice(one.choices)
    if one.kind == "switch":
        return source.random() < 0.5
    if source.random() < 0.1:
        value = source.choice((one.low, one.high))
    elif one.log:
        value = source.choice(stops(one))
    else:
        value = one.low + one.step * source.randint(0, round((one.high - one.low) / one.step))
    return int(value) if one.kind == "integer" else round(float(value), 10)


def sums_of(app: AppTest, stem: str, language: str) -> list[Check]:
    """All sums of a page as it stands, done again."""

    def dial(name: str) -> Any:
        return app.session_state[f"{stem}.{name}"]

    reader = Reader(language)
    if stem in ("forward_pass", "backpropagation", "activations"):
        reader.activation = dial("activation")
    if stem == "activations":
        reader.letters["x"] = float(dial("x"))
    shown = [element.value for element in app.latex]
    if stem == "optimizers" and shown:
        # The gradient is taken where the last card begins its step.
        start = re.search(r"\\\\ = (\\begin\{bmatrix\}.*?\\end\{bmatrix\}) - ", shown[-1])
        value = start and reader.calculate(start[1])
        if isinstance(value, list):
            reader.letters |= {"w_1": value[0], "w_2": value[1]}
    for formula in shown:
        reader.read(formula)
    for markdown in app.markdown:
        for formula in re.findall(r"\$(.+?)\$", markdown.value):
            reader.read(formula)
    if stem == "backpropagation" and dial("view") == "step":
        _step(app, reader, float(dial("learning_rate")))
    return reader.checks


def _step(app: AppTest, reader: Reader, rate: float) -> None:
    """The table of a gradient step, and what the loss has changed by."""
    (table,) = (text.value for text in app.markdown if "\n|---|" in text.value)
    shown = str(rate).replace(".", "{,}" if reader.language == "pl" else ".")
    for line in table.splitlines()[2:]:
        _name, before, gradient, after = (
            reader.plain(cell) for cell in line.strip("| ").split("|")
        )
        sign = r"\approx" if "≈" in after else "="
        reader.compare(
            rf"{before} - {shown} \cdot ({gradient})", sign, after.replace("≈", "").strip()
        )
    before, after = (reader.plain(metric.value) for metric in app.metric)
    change = reader.plain(app.metric[1].delta).removeprefix("+")
    sign = r"\approx" if "≈" in change else "="
    reader.compare(f"{after} - {before}", sign, change.replace("≈", "").strip())


def wander(stem: str, language: str, states: int, seed: int) -> Iterator[tuple[str, list[Check]]]:
    """The page as it opens, and then each of its views in ``states`` random states."""
    fields: list[Field] = []
    usual = lesson.begin

    def begin(name: str, question: str, those: Iterable[Field]) -> Any:
        fields[:] = those
        return usual(name, question, fields)

    source = random.Random(f"{stem} {seed}")
    lesson.begin = begin
    try:
        app = open_page(stem, language)
        yield "", sums_of(app, stem, language)
        for view in VIEWS[stem]:
            for _state in range(states):
                for one in fields:
                    app.session_state[f"{stem}.{one.name}"] = anywhere(one, source)
                if view:
                    app.session_state[f"{stem}.view"] = view
                app.run()
                assert not app.exception
                yield view, sums_of(app, stem, language)
    finally:
        lesson.begin = usual

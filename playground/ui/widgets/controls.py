"""Controls made from fields: a field's range, default, unit and help make its widget.

Each control's state lives in the session under its key, survives page switches, and
stands in the URL where it differs from the default. The URL holds plain values, not the
translated labels that Streamlit's own binding would write.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import streamlit as st

from playground import resources
from playground.experiments import permalink
from playground.fields import Field, Value
from playground.i18n import N_
from playground.limits import LimitError
from playground.projects.base import Project
from playground.recipe import DEPENDS, FIELDS, Recipe
from playground.ui.shell import address, desk_menu, language
from playground.ui.shell.language import _
from playground.ui.shell.problems import plain, warned
from playground.ui.shell.widget_state import bind

# Neurons that a layer's slider offers; a recipe may have any number up to 1,024.
NEURONS: Final = (
    1,
    2,
    3,
    4,
    6,
    8,
    10,
    12,
    16,
    24,
    32,
    48,
    64,
    96,
    128,
    192,
    256,
    384,
    512,
    768,
    1024,
)
CHANNELS: Final = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
# The lists of a recipe: what a slider offers and what one of its numbers is called.
LISTS: Final[Mapping[str, tuple[Sequence[int], str]]] = {
    "hidden": (NEURONS, N_("Neurons in layer {n}")),
    "channels": (CHANNELS, N_("Channels of block {n}")),
    "kernels": (range(1, 8), N_("Kernel of block {n}")),
    "strides": (range(1, 4), N_("Stride of block {n}")),
}
# What is worth choosing where it lies close to an end: 0.999 is not 1.
CLOSE: Final[Mapping[str, Sequence[float]]] = {
    "beta2": (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999),
}
MAIN: Final = (
    "architecture",
    "hidden",
    "activation",
    "optimizer",
    "learning_rate",
    "batch_size",
    "epochs",
)
MORE: Final = (
    "channels",
    "kernels",
    "strides",
    "elu_alpha",
    "dropout",
    "loss",
    "label_smoothing",
    "huber_delta",
    "momentum",
    "beta1",
    "beta2",
    "schedule",
    "step_epochs",
    "step_factor",
    "weight_decay",
    "patience",
    "target",
    "augmentation",
    "seed",
    "threads",
)


class Dials:
    """Named fields whose values live in the session and, where they differ, in the URL.

    ``name`` comes before each key, so that two pages may have fields of the same name.
    """

    def __init__(self, name: str, fields: Iterable[Field]) -> None:
        self.name = name
        self.by_name = {field.name: field for field in fields}
        self.seed()

    def key(self, name: str) -> str:
        """A field's key in the session, and (behind ``self.name``) its name in the URL."""
        return f"{self.name}.{name}"

    def __getitem__(self, name: str) -> Any:
        """The value of one field now."""
        return st.session_state[self.key(name)]

    def set(self, name: str, value: Value) -> None:
        """Set one field from the program (a preset, the URL, a click)."""
        st.session_state[self.key(name)] = value

    def show(self, *names: str) -> None:
        """Widgets for the fields ``names``, in this order."""
        for name in names:
            control(self.by_name[name], self.key(name))

    def seed(self) -> None:
        """Put every field's start value into the session: from the URL, else the default.

        The session holds plain values by key; widgets pick them up. A URL that asks for
        what a field does not allow is said on the page, and the default stays.
        """
        new = [name for name in self.by_name if self.key(name) not in st.session_state]
        if new:
            values, problems = self._asked(st.query_params.to_dict())
            for name in new:
                self.set(name, values.get(name, self.by_name[name].default))
            st.session_state[self.key("link.problems")] = problems
        # In a place of its own even when it is empty, or what follows would be made anew.
        key = self.key("link.problems")
        with st.container():
            problems = st.session_state.get(key, [])
            if problems:
                said = (problem.text(_, plain) for problem in problems)
                warned(problems, "  \n".join(said), "link_off", key)

    def _asked(self, link: dict[str, str]) -> tuple[dict[str, Value], list[permalink.LinkError]]:
        """The values that a link asks for, and what it asks for in vain."""
        return permalink.read(self.by_name, link)

    def parameters(self) -> dict[str, str]:
        """What a link to this page says: what differs from the default, and the language."""
        values = {name: self[name] for name in self.by_name}
        said = permalink.parameters(self.by_name.values(), values)
        return {**said, permalink.LANGUAGE: language.current()}

    def write(self) -> None:
        """Bring the URL up to date."""
        wanted = {**self.parameters(), **desk_menu.parameters()}
        if st.query_params.to_dict() != wanted:
            address.write(wanted)


class Panel(Dials):
    """All controls of one project. Build the widgets in any places, then ask for the recipe."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.refused: LimitError | None = None  # why the settings cannot be trained
        super().__init__(project.name, permalink.fields(project))

    def _asked(self, link: dict[str, str]) -> tuple[dict[str, Value], list[permalink.LinkError]]:
        values, problems = super()._asked(link)
        names, unknown = permalink.shown(link.get(permalink.SHOW, ""), self.choosable())
        self.choose(*names)
        if not any(name in link for name in self.by_name):
            values = self._of_desk()
        return values, problems + unknown

    def _of_desk(self) -> dict[str, Value]:
        """The settings of the run that is on the desk, for a link that says only whose it is."""
        run = desk_menu.here().runs.get(self.project.name)
        if run is None or run.state == "ready":
            return {}
        values = {**run.recipe.to_dict(), **run.recipe.data, **run.controls.now._asdict()}
        # How many threads it got was the machine's choice, not the student's.
        return {name: values[name] for name in self.by_name if name != "threads"}

    def choosable(self) -> list[str]:
        """What a link may choose to show: the presets, and each field this project may need."""
        return [permalink.PRESET, *filter(self._needed, self.by_name)]

    @property
    def chosen(self) -> tuple[str, ...]:
        """The controls that a link shows, all others being hidden; empty: nothing is hidden."""
        names: tuple[str, ...] = st.session_state.get(self.key("link.show"), ())
        return names

    def choose(self, *names: str) -> None:
        """Show these controls alone; with none, all of them."""
        st.session_state[self.key("link.show")] = names

    def shows(self, name: str) -> bool:
        return not self.chosen or name in self.chosen

    def parameters(self) -> dict[str, str]:
        said = super().parameters()
        return {permalink.SHOW: ",".join(self.chosen), **said} if self.chosen else said

    def set(self, name: str, value: Value) -> None:
        super().set(name, value)
        if isinstance(value, tuple):
            super().set(f"{name}.n", len(value))
            for index, one in enumerate(value, start=1):
                super().set(f"{name}.{index}", one)

    def apply(self, recipe: Recipe) -> None:
        """Set all controls to ``recipe``."""
        for name, value in recipe.to_dict().items():
            if name in FIELDS:
                self.set(name, value)
        for name, value in recipe.data.items():
            self.set(name, value)

    def show(self, *names: str) -> None:
        """Widgets for the fields ``names``: those that make sense beside the other choices.

        A link may have chosen to show fewer.
        """
        for name in names:
            if not (self._needed(name) and self._sensible(name) and self.shows(name)):
                continue
            field = self.by_name[name]
            if field.kind == "integers":
                self._list(field)
            else:
                control(field, self.key(name), self._available(name))

    def _needed(self, name: str) -> bool:
        """Is there anything to choose, whatever the other choices of this project?"""
        if name not in self.by_name:
            return False
        field = self.by_name[name]
        if name in DEPENDS:
            other, values = DEPENDS[name]
            if not set(values) & set(self.by_name[other].choices):
                return False
        if name == "augmentation":
            return self.project.pictures
        return len(field.choices) > 1 if field.kind == "choice" else field.low < field.high

    def _available(self, name: str) -> int | None:
        data = {field.name: self[field.name] for field in self.project.data_fields}
        return self.project.available(name, data) if name in data else None

    def _sensible(self, name: str) -> bool:
        """Does the field change anything beside the choices made now?"""
        if name not in DEPENDS:
            return True
        other, values = DEPENDS[name]
        return self[other] in values

    def _list(self, field: Field) -> None:
        """How many numbers, and a slider for each."""
        grid, label = LISTS[field.name]
        count = self.key(f"{field.name}.n")
        if field.name in ("kernels", "strides"):  # as many as there are channels
            length = int(st.session_state[self.key("channels.n")])
        else:
            st.slider(
                _(field.label),
                1,
                field.longest,
                help=_(field.help),
                **bind(count),
            )
            length = int(st.session_state[count])
        usual = field.default if isinstance(field.default, tuple) else (1,)
        for index in range(1, length + 1):
            key = self.key(f"{field.name}.{index}")
            widget = bind(key, usual[min(index, len(usual)) - 1])
            options = sorted({*grid, st.session_state[key]})
            st.select_slider(_(label, n=index), options, **widget)
        numbers = (st.session_state[self.key(f"{field.name}.{i}")] for i in range(1, length + 1))
        st.session_state[self.key(field.name)] = tuple(numbers)

    def recipe(self) -> Recipe:
        """What the controls say now, checked; also written into the URL.

        Where that is more than one run may take, ``refused`` says why, and the size of the
        network is the last one that fitted.
        """
        values = {name: self[name] for name in self.by_name}
        blocks = len(values["channels"])
        for name in ("kernels", "strides"):  # whose sliders may not have been shown
            values[name] = (values[name] + (values[name][-1],) * blocks)[:blocks]
            Dials.set(self, name, values[name])
        sizes = [*resources.FIELDS, *(field.name for field in self.project.data_fields)]
        key = self.key("fits")
        try:
            recipe = permalink.recipe(self.project, values)
            st.session_state[key] = {name: values[name] for name in sizes}
        except LimitError as error:
            self.refused = error
            usual = {name: self.by_name[name].default for name in sizes}
            recipe = permalink.recipe(self.project, values | st.session_state.get(key, usual))
        self.write()
        return recipe


def control(field: Field, key: str, available: int | None = None) -> None:
    """The widget that fits ``field``; its state is in the session under ``key`` already.

    ``available``: how many there are of what the field says "at most so many" of. Its slider
    ends there, at a value that takes all of them.
    """
    label = _(field.label) + (f" [{_(field.unit)}]" if field.unit else "")
    options: dict[str, Any] = {"help": _(field.help) if field.help else None, **bind(key)}
    if field.kind == "switch":
        st.toggle(label, **options)
    elif field.kind == "choice":
        labels = {choice: _(field.choice_labels.get(choice, choice)) for choice in field.choices}
        st.selectbox(label, field.choices, format_func=labels.__getitem__, **options)
    elif field.name in CLOSE:
        grid = sorted({*CLOSE[field.name], st.session_state[key]})
        st.select_slider(label, grid, format_func=exactly(grid), **options)
    elif field.name == "threads":
        counts = range(int(field.low), int(field.high) + 1)
        words = {0: _("chosen at the start")}
        st.select_slider(label, counts, format_func=lambda n: words.get(n, str(n)), **options)
    elif field.log:
        grid = sorted({*stops(field), st.session_state[key]})
        most = grid[-1] if available is None else available
        enough = [value for value in grid if value >= most]
        taken = st.session_state[key] if st.session_state[key] in enough else enough[-1]
        grid = [*(value for value in grid if value < most), taken]
        said = written([*grid, most])
        st.select_slider(label, grid, format_func=lambda value: said(min(value, most)), **options)
    elif field.kind == "integer" and field.high - field.low > 10_000:
        st.number_input(label, int(field.low), int(field.high), step=int(field.step), **options)
    elif field.kind == "number" and field.high - field.low <= 400 * field.step:
        # Not st.slider, which knows no decimal comma.
        count = round((field.high - field.low) / field.step)
        grid = [round(field.low + field.step * index, 9) for index in range(count + 1)]
        grid = sorted({*grid, st.session_state[key]})
        st.select_slider(label, grid, format_func=written(grid), **options)
    elif field.kind == "integer":
        st.slider(label, int(field.low), int(field.high), step=int(field.step), **options)
    else:
        st.slider(label, float(field.low), float(field.high), step=float(field.step), **options)


def stops(field: Field) -> list[float]:
    """What a logarithmic slider stops at: 1, 2, 3, 5, 10, …, the ends, the default, its own."""
    whole = field.kind == "integer"
    if field.name == "batch_size":
        powers = range(math.ceil(math.log2(field.low)), int(math.log2(field.high)) + 1)
        return [2**power for power in powers]
    low = field.low or (1 if whole else 1e-5)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(field.high)) + 1)
    grid = {float(f"{digit}e{power}") for power in powers for digit in (1, 2, 3, 5)}
    grid |= {field.low, field.high, *field.stops}
    if isinstance(field.default, int | float):
        grid.add(field.default)
    inside = sorted(value for value in grid if field.low <= value <= field.high)
    return [int(value) for value in inside if value == int(value)] if whole else inside


def written(values: Iterable[float]) -> Callable[[float], str]:
    """How each of ``values`` is written, decided now: the language must not change under way."""
    return _written(tuple(values), language.current()).__getitem__


@lru_cache(maxsize=1000)
def _written(values: tuple[float, ...], _language: str) -> dict[float, str]:
    """Remembered by the language too, which :func:`short` writes in."""
    return {value: short(value) for value in values}


def exactly(values: Iterable[float]) -> Callable[[float], str]:
    """How each of ``values`` is written with all its digits, decided now, see :func:`written`."""
    return {value: language.number(value, _places(value)) for value in values}.__getitem__


def _places(value: float) -> int:
    return len(f"{value:.10f}".rstrip("0").partition(".")[2])


def short(value: float) -> str:
    """0.0005, 0.01, 256, 55,000: as few digits as say it."""
    if float(value).is_integer():
        return language.number(value)
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return language.number(value, digits).rstrip("0" if digits else "")

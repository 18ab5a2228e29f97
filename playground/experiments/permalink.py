"""A recipe as a web address: only what differs from the project's default, as plain text.

``?epochs=3&hidden=32,16`` is a link that a person can read, write and shorten. What it
asks for in vain is named, and the default stays in its place. ``show=hidden,epochs`` is
a teacher's: of all controls, only these are on the page.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from playground import losses
from playground.errors import PlaygroundError
from playground.fields import Field, Value
from playground.i18n import N_
from playground.projects.base import Project
from playground.recipe import FIELDS, Recipe

LANGUAGE: Final = "lang"
DESK: Final = "desk"  # whose page it is; a link that is passed on does not say it
SHOW: Final = "show"
PRESET: Final = "preset"  # in ``show``: the list of presets; it is no field of a recipe
BLOCKS: Final = ("channels", "kernels", "strides")  # need equally many numbers
# What others add to a link that is passed on: nobody meant it for this page.
TRACKERS: Final = ("fbclid", "gclid", "igshid", "utm_")
MAX_NAMED: Final = 5  # unknown names that are named
LONGEST: Final = 80  # characters of a link's text that are quoted


class LinkError(PlaygroundError):
    """Something that a link asks for in vain.

    The value of ``label`` is a gettext id, that of ``asked`` a stranger's text.
    """

    def text(self, translate: Callable[[str], str] = str, quote: Callable[[str], str] = str) -> str:
        """As in the base class; ``quote`` makes a stranger's text harmless."""
        how = {"label": translate, "asked": quote}
        values = {
            name: how[name](str(value)) if name in how else value
            for name, value in self.values.items()
        }
        return translate(self.message).format(**values)


def fields(project: Project) -> list[Field]:
    """Every field that a person may set, its default and its limits being the project's own."""
    default = project.recipe()
    usual = default.to_dict()
    limits: dict[str, dict[str, Any]] = {"loss": {"choices": losses.CHOICES[project.task]}}
    if not project.pictures:
        limits["architecture"] = {"choices": ("mlp",)}
    if project.task == "regression":  # which has no accuracy to reach
        limits["target"] = {"high": 0}
    settings = [
        replace(field, default=usual[name], **limits.get(name, {}))
        for name, field in FIELDS.items()
    ]
    data = project.data_fields
    return settings + [replace(field, default=default.data[field.name]) for field in data]


def recipe(project: Project, values: Mapping[str, Value]) -> Recipe:
    """The project's default with the checked ``values`` of :func:`fields` in it.

    Raises:
        RecipeError, FieldError: as :meth:`Project.check`.
    """
    options = {field.name for field in project.data_fields}
    settings = {name: value for name, value in values.items() if name not in options}
    data = {name: value for name, value in values.items() if name in options}
    return project.check(project.recipe().with_(data=data, **settings))


def parameters(fields: Iterable[Field], values: Mapping[str, Value]) -> dict[str, str]:
    """What a link says about ``values``: those that differ from their field's default."""
    return {
        field.name: written(values[field.name])
        for field in fields
        if values[field.name] != field.default
    }


def read(
    fields: Mapping[str, Field], asked: Mapping[str, str]
) -> tuple[dict[str, Value], list[LinkError]]:
    """The values that a link asks for, those that are allowed, and what is wrong with the rest."""
    values: dict[str, Value] = {}
    problems: list[LinkError] = []
    for name, field in fields.items():
        if name not in asked:
            continue
        try:
            values[name] = field.check(_parsed(asked[name], field))
        except PlaygroundError:
            problems.append(
                LinkError(
                    N_(
                        "{label} ({name}): the link asks for {asked}, but must ask for {allowed}. "
                        "The default is used instead."
                    ),
                    label=field.label,
                    name=name,
                    asked=asked[name][:LONGEST],
                    allowed=field.allowed(),
                )
            )
    problems += _unequal(fields, values)
    names = [name for name in asked if not name.startswith(TRACKERS)]
    return values, problems + _unknown(names, [*fields, LANGUAGE, SHOW, DESK])


def _unequal(fields: Mapping[str, Field], values: dict[str, Value]) -> list[LinkError]:
    """Take lists of different lengths out of ``values``, and say so."""
    if not any(name in values for name in BLOCKS):
        return []
    lists = {name: values.get(name, fields[name].default) for name in BLOCKS}
    lengths = {name: len(numbers) for name, numbers in lists.items() if isinstance(numbers, tuple)}
    if len(set(lengths.values())) == 1:
        return []
    for name in BLOCKS:
        values.pop(name, None)
    return [
        LinkError(
            N_(
                "A link needs the same number of channels, kernels and strides, but this one has "
                "{channels}, {kernels} and {strides} of them. The defaults are used instead."
            ),
            **lengths,
        )
    ]


def shown(text: str, known: Collection[str]) -> tuple[tuple[str, ...], list[LinkError]]:
    """Which controls ``show`` names, and what is wrong with the rest of it.

    Of none that exists, an empty tuple: then nothing is hidden.
    """
    names = dict.fromkeys(name for name in text.replace(" ", "").split(",") if name)
    return tuple(name for name in names if name in known), _unknown(names, known)


def _unknown(names: Iterable[str], known: Collection[str]) -> list[LinkError]:
    problems = []
    for name in [name for name in names if name not in known][:MAX_NAMED]:
        asked = name[:LONGEST]
        near = difflib.get_close_matches(asked, known, n=1)
        if near:
            message = N_(
                "The link names “{asked}”, but this page has no such setting. Did you mean "
                "{nearest}?"
            )
            problems.append(LinkError(message, asked=asked, nearest=near[0]))
        else:
            message = N_("The link names “{asked}”, but this page has no such setting.")
            problems.append(LinkError(message, asked=asked))
    return problems


def written(value: Value) -> str:
    """A value as a link writes it: 0.01, true, relu, 64,32."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)


def _parsed(text: str, field: Field) -> object:
    """A link's text as the field's kind wants it; what cannot be stays text, to be refused."""
    if field.kind == "choice":
        return text
    try:
        return json.loads(f"[{text}]" if field.kind == "integers" else text)
    except (ValueError, RecursionError):
        return text

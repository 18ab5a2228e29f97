"""The whole recipe stands in a link, and what a link says in vain is named."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as some

from playground.experiments import permalink
from playground.fields import Field
from playground.i18n import LANGUAGES, translate
from playground.limits import LimitError
from playground.projects import PROJECTS, project
from playground.recipe import Recipe


def values_of(field: Field) -> some.SearchStrategy[Any]:
    """Anything that ``field`` takes."""
    if field.kind == "choice":
        return some.sampled_from(field.choices)
    if field.kind == "switch":
        return some.booleans()
    if field.kind == "number":
        return some.floats(field.low, field.high)
    whole = some.integers(int(field.low), int(field.high))
    if field.kind == "integer":
        return whole
    return some.lists(whole, min_size=1, max_size=field.longest).map(tuple)


def recipes(name: str) -> some.SearchStrategy[Recipe]:
    """Any recipe of a project, most of its values the usual ones, as a person's are."""
    kind = project(name)
    fields = {field.name: field for field in permalink.fields(kind)}

    @some.composite
    def one(draw: some.DrawFn) -> Recipe:
        moved = draw(some.sets(some.sampled_from(sorted(set(fields) - set(permalink.BLOCKS)))))
        values = {field: draw(values_of(fields[field])) for field in moved}
        if draw(some.booleans()):
            count = draw(some.integers(1, fields["channels"].longest))
            for block in permalink.BLOCKS:
                low, high = int(fields[block].low), int(fields[block].high)
                numbers = some.lists(some.integers(low, high), min_size=count, max_size=count)
                values[block] = tuple(draw(numbers))
        try:
            return permalink.recipe(kind, values)
        except LimitError:  # larger than a run may be
            reject()

    return one()


def all_values(recipe: Recipe) -> dict[str, Any]:
    return {**recipe.to_dict(), **recipe.data}


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_a_recipe_survives_its_link(name: str) -> None:
    kind = project(name)
    fields = {field.name: field for field in permalink.fields(kind)}

    @settings(max_examples=60, deadline=None)
    @given(recipes(name))
    def survives(recipe: Recipe) -> None:
        said = permalink.parameters(fields.values(), all_values(recipe))
        values, problems = permalink.read(fields, said)
        assert problems == []
        assert permalink.recipe(kind, values) == recipe
        assert set(said) <= set(fields)

    survives()


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_the_usual_recipe_has_an_empty_link(name: str) -> None:
    usual = project(name).recipe()
    assert permalink.parameters(permalink.fields(project(name)), all_values(usual)) == {}


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_whatever_a_link_says_it_makes_a_recipe_or_is_named(name: str) -> None:
    kind = project(name)
    fields = {field.name: field for field in permalink.fields(kind)}
    texts = some.text(max_size=12) | some.sampled_from(
        ["1", "0", "-1", "1,2,3", "NaN", "1e999", "true", "cnn", "bce", "0.5", "[[1]]", "1" * 5000]
    )
    asked = some.dictionaries(some.sampled_from(sorted(fields)) | some.text(max_size=8), texts)

    @settings(max_examples=60, deadline=None)
    @given(asked)
    def holds(link: dict[str, str]) -> None:
        values, problems = permalink.read(fields, link)
        try:
            assert kind.check(permalink.recipe(kind, values))
        except LimitError as error:  # allowed one by one, too much together: the page says it
            problems = [*problems, error]
        for problem in problems:
            assert problem.text()
        for field in set(link) & set(fields):
            named = any(field in str(problem) for problem in problems)
            assert field in values or named

    holds()


FIELDS: Final = {field.name: field for field in permalink.fields(project("digits"))}


@pytest.mark.parametrize(
    ("link", "lengths"),
    [
        ({"channels": "8,16,32"}, "3, 2 and 2"),
        ({"kernels": "3"}, "2, 1 and 2"),
        ({"channels": "8", "strides": "1,1,1"}, "1, 2 and 3"),
    ],
)
def test_lists_of_different_lengths_are_named(link: dict[str, str], lengths: str) -> None:
    values, problems = permalink.read(FIELDS, {**link, "epochs": "2"})
    assert values == {"epochs": 2}
    assert lengths in str(problems[0])


def test_names_that_do_not_exist_are_named_with_the_nearest() -> None:
    _values, problems = permalink.read(FIELDS, {"epoch": "3", "fbclid": "x", "utm_source": "mail"})
    assert ["epochs" in str(problem) for problem in problems] == [True]
    _values, many = permalink.read(FIELDS, {f"x{number}": "" for number in range(1000)})
    assert len(many) == permalink.MAX_NAMED


def test_what_a_link_shows() -> None:
    names, problems = permalink.shown("hidden, epochs,hidden,,layers", list(FIELDS))
    assert names == ("hidden", "epochs")
    assert "layers" in str(problems[0])
    assert permalink.shown("", list(FIELDS)) == ((), [])
    assert permalink.shown("layers", list(FIELDS))[0] == ()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_each_control_has_a_name_of_its_own(name: str, language: str) -> None:
    """Streamlit's browser side tells the options of a list by their shown labels."""
    labels = [translate(field.label, language) for field in permalink.fields(project(name))]
    assert sorted(labels) == sorted(set(labels))

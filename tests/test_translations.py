"""Every visible string exists in both languages, and nothing is left over from before."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator, Sequence
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Final

import pytest
import streamlit as st
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from playground.export.script import PARTS
from playground.fields import Field
from playground.i18n import CATALOGUES, catalogue
from playground.projects import PROJECTS
from playground.prose import CONTENT, sections
from playground.prose import path as path_of
from playground.recipe import FIELDS
from playground.ui.shell.language import BEHIND

ROOT: Final = Path(__file__).parent.parent
# What the commands in docs/architecture.md ask Babel to look for.
KEYWORDS: Final = {"_": None, "N_": None, "counted": (1, 2)}
SOURCES: Final = sorted(
    [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "playground").rglob("*.py")]
)
# At any depth: what stands in a folder of ``ui`` is as visible as what stands in ``ui``.
VISIBLE: Final = [path for path in SOURCES if {"pages", "ui"} & {*path.relative_to(ROOT).parts}]

# Streamlit's calls whose first argument is not for reading, and its keywords that are.
FIRST_IS_SILENT: Final = frozenset(
    {"Page", "code", "form", "get_option", "html", "latex", "page_link", "switch_page"}
)
READ: Final = frozenset(
    {"alt", "body", "caption", "help", "label", "page_title", "placeholder", "text", "title"}
)
SAME_IN_BOTH: Final = {"Język / Language"}
# Names and units that are written alike in both languages.
NEUTRAL: Final = frozenset(
    {"", "sigmoid", "tanh", "ReLU", "Maxout (2)", "ELU"}
    | {"SGD", "Nesterov", "RMSprop", "Adam", "AdamW", "h", "min", "px", "s", "zł"}
)

Key = tuple[str, ...]  # (id,) or, for a counted thing, (one, many)


def _key(text: str | Sequence[str]) -> Key:
    return (text,) if isinstance(text, str) else tuple(text)


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES:
        yield path, ast.parse(path.read_text("utf-8"))


def called(node: ast.AST) -> str:
    """The last name of what a call calls: ``markdown`` for ``st.markdown(…)``, else ""."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


@cache
def marked() -> set[Key]:
    """The messages: what the code hands to ``_``, ``N_`` and ``counted`` as literals."""
    found: set[Key] = set()
    for _path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) in KEYWORDS:
                words = 2 if called(node) == "counted" else 1
                texts = [
                    argument.value
                    for argument in node.args[:words]
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                ]
                if len(texts) == words:
                    found.add(tuple(texts))
    return found


@cache
def extracted() -> set[Key]:
    """What Babel finds in the sources, with the settings of docs/architecture.md's commands."""
    found = {m for _line, m, *_ in extract_from_file("python", ROOT / "app.py", keywords=KEYWORDS)}
    for folder in ("pages", "playground"):
        rows = extract_from_dir(ROOT / folder, [("**.py", "python")], keywords=KEYWORDS)
        found |= {message for _file, _line, message, *_ in rows}
    return {_key(message) for message in found}


@cache
def polish() -> Catalog:
    with (CATALOGUES / "pl" / "LC_MESSAGES" / "playground.po").open("rb") as file:
        return read_po(file, locale="pl")


@cache
def translated() -> dict[Key, tuple[str, ...]]:
    """The catalogue: id or (one, many) -> its translation or translations."""
    return {
        _key(entry.id): _key(entry.string or "")
        for entry in polish()
        if entry.id and not entry.fuzzy
    }


def places(text: str) -> set[str]:
    """The names of the ``{places}`` in ``text``."""
    return {name for _text, name, _spec, _kind in string.Formatter().parse(text) if name}


def test_babel_finds_what_the_code_marks() -> None:
    """Babel does not parse: before Python 3.12 it sees nothing inside an f-string, and it takes
    the first string in ``_(table["key"])`` for a message. Write such a call in two lines."""
    overlooked, mistaken = marked() - extracted(), extracted() - marked()
    assert (sorted(overlooked), sorted(mistaken)) == ([], [])


def test_every_message_is_translated() -> None:
    missing = [key for key in marked() if not all(translated().get(key, ("",)))]
    assert sorted(missing) == []


def test_the_catalogue_has_no_more_than_the_code() -> None:
    assert sorted(set(translated()) - marked()) == []
    assert sorted(polish().obsolete) == []
    assert [entry.id for entry in polish() if entry.id and entry.fuzzy] == []


def test_a_count_has_three_forms() -> None:
    assert polish().num_plurals == 3
    for key, forms in translated().items():
        assert len(forms) == (3 if len(key) == 2 else 1), key


@pytest.mark.parametrize("count", [*range(30), 100, 101, 102, 112, 122, 1000, 1002, 1012])
def test_the_catalogues_own_rule_for_counts_is_the_apps(count: int) -> None:
    assert catalogue("pl").plural(count) == c2py(polish().plural_expr)(count)


def test_both_languages_have_the_same_places() -> None:
    differing = [
        (key, form)
        for key, forms in translated().items()
        for form in forms
        if form and places(form) != places(key[-1])
    ]
    assert differing == []


def test_spaces_and_line_breaks_at_the_ends_are_the_same() -> None:
    def ends(text: str) -> tuple[str, str]:
        return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]

    for key, forms in translated().items():
        assert {ends(form) for form in forms if form} <= {ends(key[0])}, key


def words_of(field: Field) -> Iterator[str]:
    yield from (field.label, field.help, field.unit)
    yield from field.choice_labels.values()


def words_of_projects() -> Iterator[str]:
    for project in PROJECTS.values():
        yield from (project.title, project.purpose)
        yield from project.label_names.values()
        for preset in project.presets:
            yield from (preset.label, preset.sentence)
        fields = list(project.data_fields)
        encoder = getattr(project, "encoder", None)
        if encoder is not None:
            fields += [*encoder.columns, encoder.target]
        for field in fields:
            yield from words_of(field)


def test_fields_and_projects_show_marked_words_only() -> None:
    """What reaches ``_`` in a variable: its text must have been marked where it was written."""
    shown = {*words_of_projects(), *(word for field in FIELDS.values() for word in words_of(field))}
    assert sorted(word for word in shown if word not in NEUTRAL and (word,) not in marked()) == []


# --- Prose ------------------------------------------------------------------------------


def names(language: str) -> list[str]:
    shared = [path.name for path in (CONTENT / language).iterdir()]
    own = [f"{name}.md" for name in PROJECTS if path_of(name, language).exists()]
    return sorted([*shared, *own])


def test_every_text_has_its_twin() -> None:
    assert names("en") == names("pl")


@pytest.mark.parametrize("name", names("en"))
def test_texts_have_the_same_sections_in_the_same_order(name: str) -> None:
    english, other = (sections(Path(name).stem, language) for language in ("en", "pl"))
    assert list(english) == list(other)
    assert all(english.values())
    assert all(other.values())


def test_pages_show_the_sections_that_there_are() -> None:
    shown = {("export", part) for part in PARTS}  # in the notebook
    for _path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) == "prose":
                shown.add(tuple(ast.literal_eval(argument) for argument in node.args))
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "lesson.finish":
                stem = ast.literal_eval(node.args[0])
                shown |= {(stem, "try"), (stem, "check")}
            elif isinstance(node, ast.Subscript) and called(node.value) == "sections":
                page = node.value.args[0] if isinstance(node.value, ast.Call) else None
                if isinstance(page, ast.Constant):  # not in prose() itself
                    shown.add((page.value, ast.literal_eval(node.slice)))
    written = {
        (Path(name).stem, section)
        for name in names("en")
        for section in sections(Path(name).stem, "en")
    }
    # What prose() shows behind a click, with the section that it belongs to.
    shown |= {
        (page, f"{section}.{kind}")
        for page, section in shown
        for kind in BEHIND
        if (page, f"{section}.{kind}") in written
    }
    assert (sorted(shown - written), sorted(written - shown)) == ([], [])


# --- Labels that nobody marked ------------------------------------------------------------


def unmarked(node: ast.AST) -> Iterator[str]:
    """The words written in an expression itself; what a call or a variable gives is its own."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        # Neither icons, nor HTML, nor units are words.
        text = re.sub(r":material/\w+:|<[^>]*>|\[\w+\]", " ", node.value)
        if node.value not in SAME_IN_BOTH and any(
            word not in NEUTRAL for word in re.findall(r"[^\W\d_]+", text)
        ):
            yield node.value
    elif isinstance(node, ast.Dict):  # a table: its keys are its headings
        yield from (word for part in node.keys if part for word in unmarked(part))
        yield from (word for value in node.values for word in unmarked(value))
    elif isinstance(node, ast.IfExp):
        yield from unmarked(node.body)
        yield from unmarked(node.orelse)
    elif isinstance(
        node,
        ast.JoinedStr | ast.FormattedValue | ast.BinOp | ast.BoolOp | ast.List | ast.Tuple,
    ):
        yield from (word for child in ast.iter_child_nodes(node) for word in unmarked(child))


def unmarked_labels(tree: ast.Module) -> list[str]:
    found: list[str] = []
    for node in ast.walk(tree):
        name = called(node)
        if isinstance(node, ast.Call) and (hasattr(st, name) or hasattr(st.column_config, name)):
            # What a person reads comes first or by name: a label, a text, a table's columns.
            read = [keyword.value for keyword in node.keywords if keyword.arg in READ]
            read += [] if name in FIRST_IS_SILENT else node.args[:1]
            found += [word for argument in read for word in unmarked(argument)]
        elif isinstance(node, ast.Dict):  # of a chart
            found += [
                word
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and key.value == "title"
                for word in unmarked(value)
                if not isinstance(value, ast.Dict)
            ]
    return found


@pytest.mark.parametrize("path", VISIBLE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_visible_label_is_unmarked(path: Path) -> None:
    assert unmarked_labels(ast.parse(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("st.button('Go')", ["Go"]),
        ("st.button(_('Go'), help='Goes')", ["Goes"]),
        ("left.metric(f'Sum {n}', n)", ["Sum "]),
        ("st.tabs([f':material/hub: {_(a)}', 'Data'])", ["Data"]),
        ("st.dataframe({'Row': rows, _('Column'): columns})", ["Row"]),
        ("st.write('yes' if x else _('no'))", ["yes"]),
        ("st.page_link('pages/x.py', label='Go')", ["Go"]),
        ("spec = {'x': {'title': 'steps'}}", ["steps"]),
        ("st.button(_('Go'), icon=':material/play:', key='go', type='primary')", []),
        ("st.markdown('**' + _('Sum') + f'** {n} zł')", []),
        ("st.caption(language.counted('{n} row', '{n} rows', n))", []),
        ("spec = {'x': {'title': _('steps'), 'field': 'x'}}", []),
    ],
)
def test_the_search_for_unmarked_labels(code: str, found: Sequence[str]) -> None:
    assert unmarked_labels(ast.parse(code)) == found

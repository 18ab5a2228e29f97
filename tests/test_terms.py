"""One word for one idea: the words that ``docs/terms.md`` forbids stand nowhere a reader looks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from babel.messages.pofile import read_po

from playground.i18n import CATALOGUES, LANGUAGES
from playground.projects import PROJECTS
from playground.prose import CONTENT
from playground.prose import path as path_of

GLOSSARY: Final = Path(__file__).parent.parent / "docs" / "terms.md"


@dataclass(frozen=True)
class Term:
    """A row of the glossary: the words for one idea, and those that are not for it."""

    english: str
    polish: str
    pages: tuple[str, ...]
    banned: tuple[tuple[str, str], ...]  # (language, word as the glossary writes it)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


@cache
def terms() -> tuple[Term, ...]:
    lines = [line for line in GLOSSARY.read_text("utf-8").splitlines() if line.startswith("|")]
    found = []
    for english, polish, _lecture, pages, banned in map(cells, lines[2:]):
        words = []
        for part in filter(None, (one.strip() for one in banned.split(";"))):
            language, _colon, names = part.partition(":")
            words += [(language.strip(), word) for word in listed(names)]
        places = tuple(filter(None, (one.strip() for one in pages.split(";"))))
        found.append(Term(english, polish, places, tuple(words)))
    return tuple(found)


@cache
def catalogue() -> tuple[tuple[str, str], ...]:
    """(English, Polish) for each sentence of the catalogue, in all its plural forms."""
    with (CATALOGUES / "pl" / "LC_MESSAGES" / "playground.po").open("rb") as file:
        found = [(entry.id, entry.string) for entry in read_po(file, locale="pl") if entry.id]
    return tuple(
        (
            "\n".join([one] if isinstance(one, str) else one),
            "\n".join([two] if isinstance(two, str) else two),
        )
        for one, two in found
    )


@cache
def texts(language: str) -> dict[str, str]:
    """Everything there is to read in ``language``: where it stands -> the words."""
    column = ("en", "pl").index(language)
    found = {f"catalogue: {pair[0]}": pair[column] for pair in catalogue()}
    for path in sorted((CONTENT / language).glob("*.md")):
        found[path.name] = path.read_text("utf-8")
    for name in PROJECTS:
        found[f"{name}.md"] = path_of(name, language).read_text("utf-8")
    return found


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def uses(text: str, word: str, phrase: str) -> bool:
    """Whether ``text`` has ``word``, or one that begins with it.

    A word in *italics* may stand inside the whole ``phrase``.
    """
    said = flat(text)
    plain = word.strip("*")
    if plain != word:
        said = re.sub(re.escape(phrase), "", said, flags=re.IGNORECASE)
    return re.search(rf"(?<!\w){re.escape(plain)}", said, re.IGNORECASE) is not None


BANNED: Final = [
    pytest.param(term, language, word, id=f"{language}-{word}")
    for term in terms()
    for language, word in term.banned
]


@pytest.mark.parametrize(("term", "language", "word"), BANNED)
def test_a_word_that_the_glossary_forbids_is_nowhere(term: Term, language: str, word: str) -> None:
    phrase = term.polish if language == "pl" else term.english
    assert [where for where, text in texts(language).items() if uses(text, word, phrase)] == []


def test_the_glossary_is_read_as_it_says() -> None:
    assert {language for term in terms() for language, _word in term.banned} == set(LANGUAGES)
    words = [word for term in terms() for _language, word in term.banned]
    assert any(word.startswith("*") for word in words), "a word that a phrase may have"
    assert not [word for word in words if not word.strip("*")]
    # Italics name a word that its own phrase has: else there would be nothing to allow.
    for term in terms():
        for language, word in term.banned:
            phrase = term.polish if language == "pl" else term.english
            assert word.strip("*") == word or word.strip("*") in phrase
            assert not uses(phrase, word, phrase), "a row forbids what it tells one to say"


def test_words_are_found_in_their_forms_and_allowed_in_their_phrase() -> None:
    assert uses("Jedna paczka i\ndwie", "paczk", "batch")
    assert uses("PACZKI", "paczk", "batch")
    assert not uses("opaczkowany", "paczk", "batch")
    assert uses("Wiersz\nkodu", "wiersz kodu", "linia")
    assert not uses("SGD z momentum (pęd)", "*pęd*", "momentum (pęd)")
    assert uses("momentum (pęd), czyli pęd", "*pęd*", "momentum (pęd)")


def test_each_idea_is_explained_where_the_glossary_says() -> None:
    """What it names is a page, a tab or a button of the app."""
    names = {english for english, _polish in catalogue()}
    said = {page.removesuffix(" tab") for term in terms() for page in term.pages}
    assert said
    assert said <= names


def stems(words: str) -> str:
    """A pattern for ``words`` in any of their forms: Polish bends their ends."""
    return r"\W+".join(re.escape(word[: max(3, len(word) - 3)]) + r"\w*" for word in words.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_idea_is_said(language: str) -> None:
    """The first word that the glossary has for it is somewhere to read."""
    everything = "\n".join(texts(language).values())
    for term in terms():
        said = re.split(r"[:,(]", term.polish if language == "pl" else term.english)[0].strip()
        assert re.search(stems(said), everything, re.IGNORECASE), said

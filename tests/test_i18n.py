from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import i18n
from playground.i18n import LANGUAGES, number

CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\n"

msgid "Digits"
msgstr "Cyfry"

#, fuzzy
msgid "Loss"
msgstr "Przegrana"

msgid "Empty"
msgstr ""

msgid "{n} epoch"
msgid_plural "{n} epochs"
msgstr[0] "{n} epoka"
msgstr[1] "{n} epoki"
msgstr[2] "{n} epok"
"""  # noqa: E501


@pytest.fixture
def _polish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A small catalogue in place of the app's own."""
    folder = tmp_path / "pl" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "playground.po").write_text(CATALOGUE, encoding="utf-8")
    monkeypatch.setattr(i18n, "CATALOGUES", tmp_path)
    i18n.catalogue.cache_clear()
    yield
    i18n.catalogue.cache_clear()


@pytest.mark.parametrize(
    ("count", "form"),
    [
        *((1, 0), (2, 1), (3, 1), (4, 1), (5, 2), (0, 2), (10, 2), (11, 2), (12, 2), (13, 2)),
        *((14, 2), (15, 2), (21, 2), (22, 1), (24, 1), (25, 2), (100, 2), (101, 2), (102, 1)),
        *((111, 2), (112, 2), (113, 2), (114, 2), (122, 1), (1000, 2), (1002, 1), (1012, 2)),
    ],
)
def test_polish_has_three_plural_forms(count: int, form: int) -> None:
    assert i18n.catalogue("pl").plural(count) == form


def test_english_has_two() -> None:
    forms = ("one", "many")
    found = [i18n.catalogue("en").ngettext(*forms, n) for n in (0, 1, 2, 5, 11, 21)]
    assert [forms.index(form) for form in found] == [1, 0, 1, 1, 1, 1]


@pytest.mark.usefixtures("_polish")
def test_a_string_is_translated_or_stays_english() -> None:
    assert i18n.translate("Digits", "pl") == "Cyfry"
    assert i18n.translate("Digits", "en") == "Digits"
    assert i18n.translate("Not in it", "pl") == "Not in it"
    assert i18n.translate("Loss", "pl") == "Loss"  # fuzzy: nobody has checked it
    assert i18n.translate("Empty", "pl") == "Empty"


@pytest.mark.usefixtures("_polish")
@pytest.mark.parametrize(
    ("count", "english", "polish"),
    [
        (1, "1 epoch", "1 epoka"),
        (2, "2 epochs", "2 epoki"),
        (5, "5 epochs", "5 epok"),
        (12, "12 epochs", "12 epok"),
        (22, "22 epochs", "22 epoki"),
        (1000, "1,000 epochs", "1000 epok"),
        (55_000, "55,000 epochs", "55\N{NO-BREAK SPACE}000 epok"),
    ],
)
def test_counted_things(count: int, english: str, polish: str) -> None:
    def counted(language: str) -> str:
        return i18n.translate_plural("{n} epoch", "{n} epochs", count, language)

    assert counted("en") == english
    # Grouping of four digits differs between versions of the locale data.
    assert counted("pl").replace("1\N{NO-BREAK SPACE}000", "1000") == polish


def test_without_a_translation_a_count_is_english() -> None:
    assert i18n.translate_plural("{n} zz", "{n} zzs", 1, "pl") == "1 zz"
    assert i18n.translate_plural("{n} zz", "{n} zzs", 3, "pl") == "3 zzs"
    assert i18n.translate_plural("{n} zz", "{n} zzs", 7, "pl") == "7 zzs"


@pytest.mark.parametrize(
    ("value", "digits", "english", "polish"),
    [
        (0.5, 1, "0.5", "0,5"),
        (0.5, 3, "0.500", "0,500"),
        (98.765, 1, "98.8", "98,8"),
        (-0.25, 2, "-0.25", "-0,25"),
        (3, 0, "3", "3"),
        (0.0001, 4, "0.0001", "0,0001"),
        (1024, 0, "1,024", "1024"),
        (9999.96, 1, "10,000.0", "10\N{NO-BREAK SPACE}000,0"),
        (math.nan, 1, "NaN", "NaN"),
        (1234567.8, 1, "1,234,567.8", "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567,8"),
    ],
)
def test_numbers_have_the_languages_decimal_mark(
    value: float, digits: int, english: str, polish: str
) -> None:
    assert i18n.number(value, "en", digits) == english
    assert i18n.number(value, "pl", digits) == polish


def test_marking_changes_nothing() -> None:
    assert i18n.N_("Loss") == "Loss"


@pytest.mark.parametrize("language", LANGUAGES)
def test_zero_has_no_sign_whichever_zero_came_first(language: str) -> None:
    assert number(-0.0, language, 1) == number(0.0, language, 1)
    assert "-" not in number(0.0, language, 1) + number(-0.0, language, 3)

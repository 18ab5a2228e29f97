"""Two languages: marking the strings, finding their Polish twin, writing numbers.

The source string is English and is the key. The Polish catalogue is a plain
``.po`` file that Babel reads at start, so there is no compiled binary in git.
Nothing here knows Streamlit; who the reader is, is decided in ``ui/language.py``.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES: Final = {"en": "English", "pl": "Polski"}
GROUPED: Final = {"en": 1_000, "pl": 10_000}
"""From where on thousands stand apart: 1,024 but 1024 and 10 240 (CLDR's minimumGroupingDigits)."""
CATALOGUES: Final = Path(__file__).parent / "locale"


def N_(message: str) -> str:  # noqa: N802 - gettext's own name, which extractors know
    """Mark ``message`` for translation without translating it yet."""
    return message


@cache
def catalogue(language: str) -> dict[str, str | tuple[str, ...]]:
    """All translations of ``language``: a string, or a tuple of plural forms."""
    path = CATALOGUES / language / "LC_MESSAGES" / "playground.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        entries = read_po(file, locale=language)
    found: dict[str, str | tuple[str, ...]] = {}
    for entry in entries:
        if entry.id and entry.string and not entry.fuzzy:
            key = entry.id if isinstance(entry.id, str) else entry.id[0]
            found[key] = entry.string if isinstance(entry.string, str) else tuple(entry.string)
    return found


def translate(message: str, language: str) -> str:
    """``message`` in ``language``; the English source where no translation exists."""
    found = catalogue(language).get(message, message)
    return found if isinstance(found, str) else found[0]


def plural_form(count: int, language: str) -> int:
    """Which plural form ``count`` takes: 0, 1 or (Polish only) 2.

    Polish: 1 epoka, 2 epoki, 5 epok, 12 epok, 22 epoki (the gettext manual's rule).
    """
    if language != "pl":
        return int(count != 1)
    if count == 1:
        return 0
    few = count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14)
    return 1 if few else 2


def translate_plural(one: str, many: str, count: int, language: str, **values: object) -> str:
    """The form of ``one``/``many`` that ``count`` takes, with ``{n}`` and ``values`` filled in."""
    form = plural_form(count, language)
    found = catalogue(language).get(one)
    chosen = found[form] if isinstance(found, tuple) else (one, many)[min(form, 1)]
    return chosen.format(n=number(count, language, 0), **values)


def number(value: float, language: str, digits: int) -> str:
    """``value`` with exactly ``digits`` decimals, as the language writes it (0.5 or 0,5)."""
    return _number(value + 0.0 if value == 0 else value, language, digits)


@lru_cache(maxsize=10_000)
def _number(value: float, language: str, digits: int) -> str:
    """For the cache 0.0 and -0.0 are the same, so only one of them may come here."""
    if math.isnan(value):
        return "NaN"
    pattern = "#,##0." + "0" * digits if digits else "#,##0"
    grouped = round(abs(value), digits) >= GROUPED[language]
    return format_decimal(value, format=pattern, locale=language, group_separator=grouped)

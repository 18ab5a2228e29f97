"""Two languages: marking the strings, finding their Polish twin, writing numbers.

The source string is English and is the key. The Polish catalogue is a plain
``.po`` file that is compiled in memory at the first use, so there is no binary in git.
Nothing here knows Streamlit; who the reader is, is decided in ``ui/shell/language.py``.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
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
def catalogue(language: str) -> NullTranslations:
    """All translations of ``language``; without a catalogue every message is its own."""
    path = CATALOGUES / language / "LC_MESSAGES" / "playground.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        entries = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, entries)  # without what is fuzzy
    compiled.seek(0)
    return GNUTranslations(compiled)


def translate(message: str, language: str) -> str:
    """``message`` in ``language``; the English source where no translation exists."""
    return catalogue(language).gettext(message) if message else ""  # "" is the catalogue's head


def translate_plural(one: str, many: str, count: int, language: str, **values: object) -> str:
    """The form of ``one``/``many`` that ``count`` takes, with ``{n}`` and ``values`` filled in."""
    chosen = catalogue(language).ngettext(one, many, count)
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

"""What the readers of a student's own tables and pictures share: problems, and spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from playground.errors import PlaygroundError, quoted

Translate = Callable[[str], str]


@dataclass(frozen=True)
class Sentence:
    """Words for a person in any language: a gettext id and what fills its ``{named}`` places.

    A value may itself be a sentence, or a tuple of them that is written as a list.
    """

    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, translate: Translate = str) -> str:
        """The sentence in the language of ``translate``."""
        words = translate(self.message)
        if not self.values:
            return words
        return words.format(**{name: _words(v, translate) for name, v in self.values.items()})

    def __str__(self) -> str:
        return self.text()


def _words(value: object, translate: Translate) -> str:
    if isinstance(value, tuple):
        return ", ".join(_words(part, translate) for part in value)
    return value.text(translate) if isinstance(value, Sentence) else str(quoted(value))


@dataclass(frozen=True)
class Problem(Sentence):
    """One thing in a file that cannot be used, and where it is.

    ``row`` is the row as a spreadsheet numbers it (the header is row 1), None for a
    problem of a whole file or column; ``column`` is the field's name or, for a column
    that no field knows, its heading; ``value`` is what stands in the cell, or the file. A
    ``note`` hinders nothing.
    """

    row: int | None = None
    column: str = ""
    value: str = ""
    note: bool = False

    @classmethod
    def of(cls, error: PlaygroundError, value: str = "") -> Problem:
        """The problem that ``error`` tells of, to be reported among others."""
        return cls(error.message, error.values, value=str(quoted(value)))


def fold(text: str) -> str:
    """``text`` as spelling is compared: no case, no diacritics, ``_`` and ``-`` as spaces.

    "Trójkąt " and "TROJKAT" fold to the same, and so do "sci-fi" and "Sci Fi".
    """
    text = text.casefold()
    if not text.isascii():
        # NFKD parts ó into o and an accent, but Unicode holds ł for one letter.
        parts = unicodedata.normalize("NFKD", text.replace("ł", "l"))
        text = "".join(part for part in parts if not unicodedata.combining(part))
    return re.sub(r"[\s_\-]+", " ", text).strip()


def shown(text: str, longest: int = 60) -> str:
    """``text`` fit to stand in a sentence: on one line, printable, not too long."""
    line = "".join(c if c.isprintable() else " " for c in text[: longest + 1])
    return line if len(line) <= longest else line[:longest] + "…"

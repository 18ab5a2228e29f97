"""The names on the class board: what Unicode allows, without what nobody could read."""

from __future__ import annotations

import unicodedata
from typing import Final

from playground.errors import PlaygroundError
from playground.i18n import N_

SHORTEST: Final = 2  # letters of a nickname
LONGEST: Final = 24
STACKED: Final = 2  # marks above and below one letter; more would reach into other rows
# Letters and marks without a shape, and a blank that counts as a sign.
_UNSEEN: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)


def nickname(text: str) -> str:
    """``text`` as a nickname: NFKC, on one line, without spaces around it.

    Raises:
        PlaygroundError: it is too short or too long, nobody could read it, or it would
            change what stands around it.
    """
    unseen = any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn") for sign in text)
    text = " ".join(unicodedata.normalize("NFKC", text).split()) if not unseen else ""
    if unseen or _UNSEEN & set(text):
        raise PlaygroundError(
            N_(
                "A nickname cannot have invisible characters, line breaks or characters that "
                "reverse the text direction."
            )
        )
    if not SHORTEST <= len(text) <= LONGEST:
        raise PlaygroundError(
            N_("A nickname has {low} to {high} characters."), low=SHORTEST, high=LONGEST
        )
    if not any(unicodedata.category(sign)[0] in "LN" for sign in text):
        raise PlaygroundError(N_("A nickname must contain a letter or a digit."))
    marks = 0
    for sign in text:
        marks = marks + 1 if unicodedata.category(sign)[0] == "M" else 0
        if marks > STACKED:
            raise PlaygroundError(
                N_("A nickname can have at most {n} accents on one letter."), n=STACKED
            )
    return text


def folded(nickname: str) -> str:
    """The same for all nicknames that count as one: without case, whatever way it is written."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", nickname).casefold())

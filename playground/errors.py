"""What can go wrong because of what a person gave us, said so that they can mend it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

LONGEST: Final = 1000  # signs of a stranger's text in one of our sentences


def quoted(value: object) -> object:
    """``value`` as a sentence may quote it: a text that can be written down, and has an end.

    A file's name may be as long as its sender likes, and have half of a sign in it.
    """
    if not isinstance(value, str):
        return value
    text = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    return text.encode("utf-8", "replace").decode()


class PlaygroundError(ValueError):
    """A problem whose sentence names the thing and the way out, in any language.

    ``message`` is an English gettext id with ``{named}`` places; ``values`` fill them.
    ``str(error)`` is English; a page calls :meth:`text` with its translator.
    """

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values = {name: quoted(value) for name, value in values.items()}
        super().__init__(message.format(**self.values))

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The sentence, translated by ``translate`` before its places are filled."""
        values = {
            name: value.text(translate) if hasattr(value, "text") else value
            for name, value in self.values.items()
        }
        return translate(self.message).format(**values)

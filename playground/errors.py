"""What can go wrong because of what a person gave us, said so that they can mend it."""

from __future__ import annotations

from collections.abc import Callable


class PlaygroundError(ValueError):
    """A problem whose sentence names the thing and the way out, in any language.

    ``message`` is an English gettext id with ``{named}`` places; ``values`` fill them.
    ``str(error)`` is English; a page calls :meth:`text` with its translator.
    """

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values = values
        super().__init__(message.format(**values))

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The sentence, translated by ``translate`` before its places are filled."""
        values = {
            name: value.text(translate) if hasattr(value, "text") else value
            for name, value in self.values.items()
        }
        return translate(self.message).format(**values)

"""The reader's language: from the browser, from the URL (``?lang=pl``), or switched."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import streamlit as st

from playground import i18n
from playground.i18n import N_
from playground.prose import sections
from playground.ui.shell import address

KEY: Final = "lang"
WIDGET: Final = "lang.switch"
BEHIND: Final = {"why": N_("Why?"), "more": N_("More")}  # ``section.why``: what opens on a click
_decided: Final = threading.local()


@contextmanager
def settled() -> Iterator[None]:
    """In this block the language does not change: a page asks for it hundreds of times."""
    before = getattr(_decided, "language", None)
    _decided.language = current()
    try:
        yield
    finally:
        _decided.language = before


def current() -> str:
    """What was switched to, "en" or "pl"; else what the URL says, else the browser's wish."""
    decided: str | None = getattr(_decided, "language", None)
    if decided is not None:
        return decided
    chosen = st.session_state.get(KEY) or st.query_params.get(KEY)
    if chosen in i18n.LANGUAGES:
        return str(chosen)
    locale = st.context.locale or ""
    return "pl" if locale.lower().startswith("pl") else "en"


def _(message: str, **values: object) -> str:
    """``message`` in the reader's language, its ``{named}`` places filled."""
    text = i18n.translate(message, current())
    return text.format(**values) if values else text


def counted(one: str, many: str, count: int, **values: object) -> str:
    """The plural form that ``count`` takes; ``{n}`` is the number itself."""
    return i18n.translate_plural(one, many, count, current(), **values)


def number(value: float, digits: int = 0) -> str:
    """A number as the reader writes it: 0.5 or 0,5, and a minus where one belongs, not a hyphen."""
    return i18n.number(value, current(), digits).replace("-", "\N{MINUS SIGN}")


def percent(share: float, digits: int = 1) -> str:
    """A share 0..1 as a percentage: 98.5% or 98,5%."""
    return f"{number(100 * share, digits)}%"


def hundred(shares: Sequence[float]) -> list[int]:
    """Shares of 1 as whole percentages that add up as the shares do (largest remainder)."""
    exact = [100 * share for share in shares]
    whole = [math.floor(share) for share in exact]
    missing = round(sum(exact)) - sum(whole)
    most = sorted(range(len(exact)), key=lambda place: whole[place] - exact[place])
    for place in most[:missing]:
        whole[place] += 1
    return whole


def seconds(value: float) -> str:
    """A duration: 0.4 s, 12 s, 2 min 5 s."""
    if value < 9.95:
        return f"{number(value, 1)} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s"


def switch() -> None:
    """The switch between languages, which also stands in the URL."""
    # A plain value, as in state.tied: a widget's own does not outlive a change of page.
    chosen = st.session_state.setdefault(KEY, current())
    st.segmented_control(
        "Język / Language",
        list(i18n.LANGUAGES),
        # Each time, as a browser may draw the switch anew and then knows nothing of what is on.
        default=chosen,
        required=True,
        format_func=i18n.LANGUAGES.__getitem__,
        key=WIDGET,
        on_change=_switched,
        label_visibility="collapsed",
    )
    # Not Streamlit's own binding: it would write the translated label into the URL.
    address.update(KEY, chosen)


def _switched() -> None:
    st.session_state[KEY] = st.session_state[WIDGET]


def prose(page: str, section: str) -> None:
    """Show one section of a page's teaching prose; what is for later waits behind its name."""
    texts = sections(page, current())
    st.markdown(texts[section])
    for kind, label in BEHIND.items():
        if (later := texts.get(f"{section}.{kind}")) is not None:
            with st.expander(_(label)):
                st.markdown(later)

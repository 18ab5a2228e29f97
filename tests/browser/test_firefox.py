"""The main flow in Firefox: draw, train, answer, keys, language, tabs, history."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from firefox import FIREFOX, Tab, firefox
from person import SEVEN, missing

LINK = "digits?architecture=mlp&hidden=32&epochs=3&strokes=500&augmentation=0"
CANVAS = (
    "[...document.querySelectorAll('.st-key-try .stBidiComponent *')]"
    ".map(e => e.shadowRoot?.querySelector('.upper-canvas')).find(Boolean)"
)
MAIN = "document.querySelector('[data-testid=stBaseButton-primary]')"


@pytest.fixture
def tab() -> Iterator[Tab]:
    if FIREFOX is None:
        missing("Firefox is required here, and there is none", "no Firefox")
    with firefox() as found:
        yield found


def named(role: str, text: str) -> str:
    return f"[...document.querySelectorAll('{role}')].find(e => e.innerText.includes('{text}'))"


def test_draw_train_and_read_in_firefox(site: str, tab: Tab) -> None:
    tab.goto(f"{site}/{LINK}")
    tab.sees("Untrained")
    tab.wait("window.playgroundBrowser")
    entries = tab.run("history.length")

    x, y = tab.place(CANVAS)
    tab.stroke([(x - 112 + dx, y - 112 + dy) for dx, dy in SEVEN])
    tab.sees("It was a …")

    # A slider is moved by the mouse; then the keyboard is the page's again.
    tab.click("document.querySelector('input[type=range]').parentElement")
    tab.wait("document.activeElement === document.body")
    tab.press("t")
    tab.sees("Finished · epoch 3 of 3")
    tab.wait(f"{MAIN}.innerText.includes('Train')")
    tab.wait(
        "[...document.querySelectorAll('.said')].some(e => e.textContent.includes('Finished'))"
    )

    tab.click(named("[role=tab]", "Model"))
    tab.sees("weights and biases in all")
    tab.click(named("[role=radio]", "Polski"))
    tab.sees("Co widzi sieć")
    tab.wait("document.documentElement.lang === 'pl'")
    tab.wait("location.search.includes('lang=pl')")
    assert tab.run("history.length") == entries

"""Nothing moves: no button, canvas, answer or tab goes up or down under a student's hand."""

from __future__ import annotations

import re

import pytest
from person import SEVEN, main_button, ready, status, stroke
from playwright.sync_api import Page, expect

# The lowest and the highest place of each, looked at before every frame that is painted.
RECORD = """wanted => {
  window.places = {};
  const look = () => {
    const scrolled = document.querySelector('[data-testid="stMain"]').scrollTop;
    for (const [name, selector] of Object.entries(wanted)) {
      const all = [...document.querySelectorAll(selector)];
      const found = name === 'canvas'  // which lies in a component's own tree
        ? all.map(one => one.shadowRoot?.querySelector('canvas')).find(one => one)
        : all.find(one => one.offsetParent);
      if (found) {
        const y = found.getBoundingClientRect().top + scrolled;
        const [low, high] = window.places[name] ?? [y, y];
        window.places[name] = [Math.min(low, y), Math.max(high, y)];
      }
    }
    requestAnimationFrame(look);
  };
  look();
}"""
# A link with a mistake, to a desk that is not there: what is said of both must not go away.
PAGES = {
    "coffee": "coffee?desk=nobody&dropout=9&examples=2000&epochs=3&learning_rate=0.5&hidden=4",
    "digits": "digits?strokes=200&examples=600&epochs=2&architecture=mlp&hidden=16&augmentation=0",
}


def record(page: Page, stem: str) -> None:
    page.evaluate(
        RECORD,
        {
            "train": f".st-key-{stem}-main button",
            "batch": f".st-key-{stem}-batch button",
            "loss": ".stVegaLiteChart:not(.st-key-try *)",
            "answer": ".st-key-try .stVegaLiteChart",
            "canvas": ".st-key-try *",
            "tabs": "[data-testid=stTabs]",
        },
    )


@pytest.mark.parametrize(("stem", "width"), [("coffee", 1400), ("digits", 1400), ("digits", 390)])
def test_nothing_moves_from_the_first_batch_to_the_end(
    page: Page, site: str, stem: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site}/{PAGES[stem]}")
    ready(page)
    expect(page.get_by_text("Untrained:")).to_be_visible()
    if stem == "digits":
        stroke(page, SEVEN)
    page.locator(".st-key-try .stVegaLiteChart").wait_for()
    record(page, stem)
    page.get_by_role("button", name="1 batch").click()
    expect(status(page, "Paused ·")).to_be_visible()
    page.get_by_role("button", name="1 epoch").click()
    expect(status(page, "Paused · epoch 2")).to_be_visible()
    ready(page)
    page.get_by_role("slider", name=re.compile("Learning rate")).press("ArrowRight")
    ready(page)
    main_button(page).click()
    expect(status(page, "Finished ·")).to_be_visible()
    ready(page)
    places = page.evaluate("window.places")
    moved = {name: (low, high) for name, (low, high) in places.items() if high - low > 1}
    wanted = {"train", "batch", "loss", "answer", "tabs", *(["canvas"] * (stem == "digits"))}
    assert wanted <= places.keys()
    assert moved == {}

"""What a student does on the digits page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from playwright.sync_api import Page, expect

Point = tuple[float, float]
SEVEN = [(60, 55), (195, 55), (115, 215)]


def stroke(page: Page, points: Sequence[Point]) -> None:
    """Draw one stroke on the canvas, in its own pixels."""
    canvas = page.locator("canvas").last
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=6)
    page.mouse.up()


def ready(page: Page) -> None:
    """Wait until the page stands still: its canvas is there and no script runs."""
    page.locator("canvas").last.wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")


def main_button(page: Page):  # type: ignore[no-untyped-def]
    return page.get_by_test_id("stBaseButton-primary")


def ink(page: Page) -> int:
    """How much ink the visible canvas shows."""
    total: int = page.evaluate(
        """() => [...document.querySelectorAll('*')].flatMap(e => [e, ...(e.shadowRoot ?
        e.shadowRoot.querySelectorAll('canvas') : [])]).filter(e => e.tagName === 'CANVAS')
        .map(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data
        .reduce((a, b, i) => i % 4 === 0 ? a + b : a, 0)).reduce((a, b) => a + b, 0)"""
    )
    return total


def test_train_step_pause_stop_draw_and_read(serve: Callable[[], str], page: Page) -> None:
    page.goto(f"{serve()}/digits?epochs=20&batch_size=64&strokes=100")
    ready(page)
    expect(page.get_by_text("Untrained")).to_be_visible()
    stroke(page, SEVEN)
    expect(page.get_by_text("What the network sees")).to_be_visible()
    assert ink(page) > 0

    page.get_by_role("button", name="1 batch").click()
    expect(page.get_by_text(re.compile(r"Paused · epoch 1 of 20"))).to_be_visible()

    main_button(page).click()  # Resume
    expect(main_button(page)).to_contain_text("Pause")
    expect(page.get_by_text(re.compile(r"Training · epoch [2-9]"))).to_be_visible()
    main_button(page).click()
    expect(main_button(page)).to_contain_text("Resume")
    assert ink(page) > 0, "the drawing was lost while the network trained"

    # Neither a slider nor a switch of language or page ends the run.
    page.get_by_text("Polski", exact=True).click()
    expect(page.get_by_text(re.compile("Wstrzymano|Pauza"))).to_be_visible()
    page.get_by_text("English", exact=True).click()
    expect(main_button(page)).to_contain_text("Resume")
    page.get_by_role("link", name="Start").first.click()
    expect(page.get_by_role("heading", name="Five parts make a network learn")).to_be_visible()
    page.get_by_role("link", name="Start with digits").click()
    ready(page)
    expect(main_button(page)).to_contain_text("Resume")

    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text(re.compile("Stopped · epoch"))).to_be_visible()
    stroke(page, SEVEN)
    expect(page.get_by_role("heading", name="7", exact=True)).to_be_visible()


def test_a_deep_link_is_a_fresh_servers_first_request(
    serve: Callable[[], str], page: Page
) -> None:
    page.goto(f"{serve()}/digits?lang=pl&epochs=3")
    ready(page)
    expect(page.get_by_role("heading", name="Cyfry")).to_be_visible()
    assert "epochs=3" in page.url
    # The navigation is the app's own, not the one that Streamlit makes of pages/.
    expect(page.get_by_test_id("stTopNav")).to_contain_text("Projekty")

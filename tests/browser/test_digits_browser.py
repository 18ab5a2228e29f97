"""What a student does on the digits page."""

from __future__ import annotations

import re
from collections.abc import Callable

from person import SEVEN, ink, main_button, ready, status, stroke
from playwright.sync_api import Page, expect

# A small network on the digits that need no download, with little European handwriting.
LINK = "digits?architecture=mlp&hidden=64&epochs=300&strokes=500&augmentation=0"


PAUSED = re.compile(r"Paused · epoch \d+ of 300")


def test_train_step_pause_stop_draw_and_read(site: str, page: Page) -> None:
    page.goto(f"{site}/{LINK}")
    ready(page)
    expect(page.get_by_text("Untrained")).to_be_visible()
    stroke(page, SEVEN)
    expect(page.get_by_text("It is only guessing").first).to_be_visible()
    assert ink(page) > 0

    page.get_by_role("button", name="1 batch").click()
    expect(status(page, "Paused · epoch 1 of 300")).to_be_visible()

    page.get_by_role("button", name="1 epoch").click()
    expect(status(page, "Paused · epoch 2 of 300")).to_be_visible()

    main_button(page).click()  # Resume
    expect(main_button(page)).to_contain_text("Pause")
    expect(status(page, re.compile(r"Training · epoch [2-9]\d"))).to_be_visible()
    main_button(page).click()
    expect(main_button(page)).to_contain_text("Resume")
    assert ink(page) > 0, "the drawing was lost while the network trained"

    # Neither a slider, nor another language or page, ends or restarts the run.
    # Its last slice may still be under way and change the seconds behind the epoch.
    found = PAUSED.search(status(page, PAUSED).inner_text())
    assert found is not None
    paused_at = found[0]
    page.get_by_text("Polski", exact=True).click()
    expect(main_button(page)).to_contain_text("Wznów")
    page.get_by_text("English", exact=True).click()
    expect(main_button(page)).to_contain_text("Resume")
    page.get_by_role("slider", name="Epochs").press("ArrowLeft")
    expect(page.get_by_text("Changed: ").first).to_be_visible()
    page.get_by_role("link", name="Start").first.click()
    expect(page.get_by_role("heading", name="Five parts make a network learn")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="Digits", exact=True).click()
    ready(page)
    expect(status(page, paused_at)).to_be_visible()

    page.get_by_role("button", name="Stop", exact=True).click()
    expect(status(page, "Stopped · epoch")).to_be_visible()
    if not ink(page):  # a page switch loses the drawing
        stroke(page, SEVEN)
    expect(page.get_by_role("heading", name="7", exact=True)).to_be_visible()


def test_a_deep_link_is_a_fresh_servers_first_request(serve: Callable[[], str], page: Page) -> None:
    page.goto(f"{serve()}/digits?lang=pl&epochs=3")
    ready(page)
    expect(page.get_by_role("heading", name="Cyfry", exact=True)).to_be_visible()
    assert "epochs=3" in page.url
    # The navigation is the app's own, not the one that Streamlit makes of pages/.
    expect(page.get_by_test_id("stTopNav")).to_contain_text("Projekty")


def test_a_link_in_polish_stays_polish_from_page_to_page(site: str, page: Page) -> None:
    """In a browser that speaks English."""
    page.goto(f"{site}/?lang=pl")
    page.get_by_test_id("stMain").get_by_role("link", name="Funkcja straty", exact=True).click()
    expect(page.get_by_text("Sprawdź się")).to_be_visible()
    page.wait_for_url("**/loss?**lang=pl**")

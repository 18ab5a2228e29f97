"""What every page does for its reader: keyboard, finger, history, language, theme, memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from person import TRIANGLE, ink, ready, stroke
from playwright.sync_api import Browser, BrowserContext, Page, expect

QUICK = "coffee?examples=500&epochs=2"


def settled(page: Page) -> None:
    """Wait until our component is there and no script runs."""
    page.wait_for_function("window.playgroundBrowser")
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")


def entries(page: Page) -> int:
    count: int = page.evaluate("history.length")
    return count


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    wider: int = page.locator(".stMain").evaluate("main => main.scrollWidth - main.clientWidth")
    return wider


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-GB")
    made.set_default_timeout(60_000)
    yield made
    made.close()


def test_a_page_is_one_entry_of_history_and_says_its_language(site: str, page: Page) -> None:
    page.goto(f"{site}/start?lang=pl")
    expect(page.get_by_role("radio", name="Polski")).to_be_checked()
    expect(page.get_by_text("Page not found")).to_have_count(0)
    page.goto(f"{site}/neuron?lang=pl")
    slider = page.get_by_role("slider").first
    slider.wait_for()
    settled(page)
    before = entries(page)
    expect(page.locator("html")).to_have_attribute("lang", "pl")

    # As fast as a key that is held down, and none is taken back.
    place = int(slider.input_value())
    for _press in range(15):
        slider.press("ArrowLeft")
        page.wait_for_timeout(30)
    page.wait_for_url("**/neuron?*w=*")
    settled(page)
    expect(slider).to_have_value(str(place - 15))
    assert entries(page) == before

    page.get_by_role("link", name="Start").first.click()
    page.get_by_test_id("stMain").get_by_role("link", name="Strata", exact=True).click()
    expect(page.get_by_text("Sprawdź się")).to_be_visible()
    settled(page)
    expect(page.get_by_role("radio", name="Polski")).to_be_checked()
    assert entries(page) == before + 2
    page.go_back()
    page.go_back()
    expect(page.get_by_role("heading", name="Neuron", exact=True)).to_be_visible()
    page.get_by_text("English", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_nothing_is_wider_than_its_window_and_tabs_stay(site: str, page: Page) -> None:
    page.goto(f"{site}/shapes?lang=pl")
    ready(page)
    page.locator("canvas").last.wait_for()
    settled(page)
    square = page.locator(".st-key-try .stBidiComponent").first
    for width in (1920, 1400, 1000, 834, 768, 641, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"innerWidth === {width}")
        box = square.bounding_box()
        assert box is not None
        assert box["width"] >= 224, width
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width, width
        assert overflow(page) <= 0, width

    # Draw with the mouse, go straight up to the choice, press it: no toolbar lies over it.
    page.set_viewport_size({"width": 1400, "height": 900})
    stroke(page, TRIANGLE)
    one = ink(page)
    stroke(page, TRIANGLE[1:3])
    two = ink(page)
    assert two > one > 0
    expect(page.get_by_role("img", name="Pole do rysowania")).to_be_attached()
    page.get_by_role("button", name="Cofnij").click()
    while ink(page) == two:  # until the page's patience ends
        page.wait_for_timeout(50)
    assert abs(ink(page) - one) < one / 1000  # drawn again, its edges differ by a grey level
    page.get_by_text("Kamera", exact=True).click()
    expect(page.get_by_test_id("stCameraInput")).to_be_visible()

    tab = page.get_by_role("tab", name="Model", exact=True)
    tab.evaluate("tab => tab.closest('.stMain').scrollBy(0, tab.getBoundingClientRect().top - 110)")
    before = tab.bounding_box()
    tab.click()
    expect(page.get_by_text("Wszystkich wag i biasów")).to_be_visible()
    after = tab.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) <= 1

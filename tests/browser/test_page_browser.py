"""What every page does for its reader: keyboard, finger, history, language, theme, memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from person import TRIANGLE, ink, main_button, ready, status, stroke
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
    page.get_by_test_id("stMain").get_by_role("link", name="Funkcja straty", exact=True).click()
    expect(page.get_by_text("Sprawdź się")).to_be_visible()
    settled(page)
    expect(page.get_by_role("radio", name="Polski")).to_be_checked()
    assert entries(page) == before + 2
    page.go_back()
    page.go_back()
    expect(page.get_by_role("heading", name="Neuron", exact=True)).to_be_visible()
    page.get_by_text("English", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_keyboard_belongs_to_the_page_after_the_mouse(site: str, page: Page) -> None:
    page.goto(f"{site}/rps?players=20&rounds=100&epochs=2&lang=pl")
    throw = page.locator(".st-key-rps-rock button")
    throw.wait_for()
    settled(page)
    page.get_by_role("slider").first.locator("xpath=../..").click()
    page.get_by_role("combobox", name=re.compile("Kto gra")).click()
    page.get_by_role("option").last.click()
    page.wait_for_function("document.activeElement === document.body")

    # A key that is held is one press.
    for _repeat in range(5):
        page.keyboard.down("1")
    page.keyboard.up("1")
    expect(page.get_by_text("1 runda,")).to_be_visible()
    page.keyboard.press("t")
    expect(status(page, "Trening ukończony · epoka 2")).to_be_visible()
    expect(page.locator(".said").filter(has_text="Trening ukończony · epoka 2")).to_have_count(1)
    expect(page.locator(".said").filter(has_text="Ty: ")).to_have_count(1)

    # Whoever speaks to the computer can switch them off; this browser remembers it.
    page.get_by_role("button", name="Biurko").click()
    page.get_by_role("switch", name="Klawisze T, 1, 2, 3").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    throw.click()
    expect(page.get_by_text("2 rundy,")).to_be_visible()
    page.reload()
    settled(page)
    page.get_by_role("button", name="Biurko").click()
    expect(page.get_by_role("switch", name="Klawisze T, 1, 2, 3")).not_to_be_checked()

    # Names that Streamlit has in English only.
    expect(page.get_by_role("button", name="Menu główne")).to_be_visible()
    expect(page.get_by_role("button", name="Pomoc: Epoki")).to_be_attached()
    expect(page.get_by_role("tab", name="Dane", exact=True)).to_be_attached()


def touch(page: Page, path: list[tuple[float, float]]) -> None:
    """One finger goes down at the first place, through the others, and up."""
    wire = page.context.new_cdp_session(page)

    def send(kind: str, points: list[dict[str, float]]) -> None:
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for number, (x, y) in enumerate(path):
        send("touchMove" if number else "touchStart", [{"x": x, "y": y}])
    send("touchEnd", [])


def test_a_finger_scrolls_over_a_slider_and_moves_it_sideways(site: str, browser: Browser) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="en-GB"
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{site}/coffee")
    ready(page)
    settled(page)
    slider = page.get_by_role("slider", name="Learning rate")
    track = slider.locator("xpath=ancestor::*[@role='group'][1]")
    slider.scroll_into_view_if_needed()
    box = track.bounding_box()
    assert box is not None
    value = slider.get_attribute("aria-valuetext")
    top = page.locator(".stMain").evaluate("main => main.scrollTop")
    x, y = box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2
    touch(page, [(x, y - step * 20) for step in range(8)])
    page.wait_for_function(f"document.querySelector('.stMain').scrollTop > {top} + 50")
    assert slider.get_attribute("aria-valuetext") == value

    slider.scroll_into_view_if_needed()
    box = track.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2
    touch(page, [(x, y)])
    expect(slider).not_to_have_attribute("aria-valuetext", value or "")
    tapped = slider.get_attribute("aria-valuetext") or ""
    touch(page, [(x + step * 12, y) for step in range(10)])
    expect(slider).not_to_have_attribute("aria-valuetext", tapped)
    context.close()


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
    page.get_by_text("Aparat", exact=True).click()
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

    # And in another language the same tab is open.
    page.get_by_text("English", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    settled(page)
    expect(page.get_by_role("tab", selected=True)).to_have_text(re.compile("Model$"))
    expect(page.get_by_role("tabpanel").get_by_test_id("stDataFrame")).to_be_visible()


def test_this_browser_finds_the_desk_again_until_it_is_told_to_forget(
    site: str, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{site}/{QUICK}")
    ready(page)
    settled(page)
    assert page.evaluate("localStorage.getItem('playground.desk')") is None
    main_button(page).click()
    expect(status(page, "Finished · epoch 2 of 2")).to_be_visible()
    page.wait_for_function("localStorage.getItem('playground.desk')")
    desk = page.evaluate("localStorage.getItem('playground.desk')")

    # What a projector shows names no desk.
    page.goto(f"{site}/board?desk={desk}")
    expect(page.get_by_role("heading", name="Class board")).to_be_visible()
    page.wait_for_function("!location.search.includes('desk')")

    # The address from the board, in another tab.
    second = context.new_page()
    second.goto(f"{site}/digits")
    offer = second.get_by_role("region", name="Continue where you left off? (1 network, just now)")
    expect(offer).to_be_visible()
    offer.get_by_role("button", name="Continue").click()
    second.wait_for_url(f"**/digits?**desk={desk}**")
    settled(second)
    expect(second.locator(".desk-offer")).to_be_hidden()

    # Another one who wants a desk of their own is not asked twice in this tab.
    third = context.new_page()
    third.goto(f"{site}/runs")
    third.get_by_role("button", name="New desk").click()
    expect(third.locator(".desk-offer")).to_be_hidden()
    third.reload()
    settled(third)
    expect(third.locator(".desk-offer")).to_be_hidden()

    second.get_by_role("button", name="Desk", exact=True).click()
    second.get_by_role("button", name="This is not my computer: forget").click()
    expect(second.get_by_text("This browser does not remember your desk")).to_be_visible()
    assert second.evaluate("localStorage.getItem('playground.desk')") is None


def test_the_theme_holds_for_every_page(site: str, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{site}/neuron")
    page.get_by_role("slider").first.wait_for()
    settled(page)

    def shade(of: Page) -> Any:
        return of.locator(".stApp").evaluate("app => getComputedStyle(app).backgroundColor")

    bright = shade(page)
    page.get_by_role("button", name="Main menu").click()
    page.get_by_test_id("stMainMenuItem-theme-Dark").click()
    page.wait_for_function(
        f"getComputedStyle(document.querySelector('.stApp')).backgroundColor !== '{bright}'"
    )
    dark = shade(page)
    page.goto(f"{site}/loss")
    page.get_by_role("slider").first.wait_for()
    assert shade(page) == dark
